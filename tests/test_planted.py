"""Code planted in whatever the pipeline reads: refused in every place, and never run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tasks.contracts.model_config import ModelConfig
from tasks.datasets.taxonomy import Taxonomy, TaxonomyError
from tasks.retrain.checkpoints import load_checkpoint, load_initial, newest
from tasks.retrain.config import Weights
from tasks.retrain.suitable import TrainingError
from tasks.settings.reading import ConfigError, read
from tasks.store.digest import file_sha256
from tasks.translate.errors import WeightsError
from tasks.translate.networks.features import build_features
from tasks.translate.networks.weights import load_weights
from tasks.translate.sections.features import Features
from tasks.translate.training import checkpoints as translators

PYTHON = "import pathlib\npathlib.Path('ran').touch()\n"
CONFIG = "model = dict(type='EncoderDecoder')\ntest_pipeline = []\ninput_size = (8, 8)\n"
TAGGED = "names: !!python/object/apply:pathlib.Path.touch [ran]\n"


class Planted:
    """Pickled, it makes a file where it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("ran"),)


def weights(path: Path) -> Path:
    torch.save({"state_dict": {"weight": torch.zeros(1)}, "more": Planted()}, path)
    return path


def text(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def initial(folder: Path) -> object:
    path = weights(folder / "init.pth")
    return load_initial(nn.Linear(1, 1), Weights(path=path, sha256=file_sha256(path)), Path("network.py"))


def features(network: str) -> Callable[[Path], object]:
    def opened(folder: Path) -> object:
        path = weights(folder / "checkpoint.pth")
        text(folder / "config.py", CONFIG)
        given = folder if network == "segmenter" else path
        return build_features(Features(network=network, path=given, sha256=file_sha256(path)))

    return opened


def segmenter(folder: Path) -> object:
    torch.save({"state_dict": {}}, folder / "checkpoint.pth")
    text(folder / "config.py", PYTHON + CONFIG)
    digest = file_sha256(folder / "checkpoint.pth")
    return build_features(Features(network="segmenter", path=folder, sha256=digest))


PLACES: dict[str, tuple[type[Exception], Callable[[Path], object]]] = {
    "a checkpoint": (TrainingError, lambda f: load_checkpoint(weights(f / "checkpoint.pth"))),
    "initial weights": (TrainingError, initial),
    "VGG19": (WeightsError, features("vgg19")),
    "a pinned segmenter's weights": (WeightsError, features("segmenter")),
    "a pinned segmenter's configuration": (WeightsError, segmenter),
    "a generator": (WeightsError, lambda f: load_weights(weights(f / "w.safetensors"), nn.Linear(1, 1))),
    "a model's configuration": (ValueError, lambda f: ModelConfig.read(text(f / "config.py", PYTHON + CONFIG).parent)),
    "a taxonomy": (TaxonomyError, lambda f: Taxonomy.load(text(f / "classes.yaml", TAGGED))),
    "a configuration": (ConfigError, lambda f: read(text(f / "run.yaml", TAGGED))),
}


@pytest.mark.parametrize("place", PLACES)
def test_planted_code_is_refused_and_not_run(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    error, opened = PLACES[place]
    with pytest.raises(error):
        opened(tmp_path)
    assert not Path("ran").exists()


def test_a_training_is_not_resumed_from_planted_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    planted = weights(tmp_path / "iter_4.pth")
    (tmp_path / "checkpoints").mkdir()
    other = weights(tmp_path / "checkpoints" / "00000004.pt")
    assert newest(tmp_path) is None
    assert translators.newest(tmp_path, torch.device("cpu")) is None
    assert not any(p.exists() for p in (planted, other, tmp_path / "ran"))
