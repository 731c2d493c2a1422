"""Every committed translator can be read; the small ones are trained for two steps, and applied."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flows.config import TrainTranslatorConfig
from tasks.catalogue.language import say
from tasks.datasets.images import read_image
from tasks.datasets.table import SampleTable
from tasks.settings.loading import load
from tasks.settings.reading import read
from tasks.translate.apply import translate_table
from tasks.translate.job import WEIGHTS
from tasks.translate.methods.base import Resources, method_module
from tasks.translate.training.trainer import Trainer

FILES = sorted(Path("configs/translators").glob("*.yaml"))
METHODS = {"cut", "cyclegan", "srunit", "decent", "vsait"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_its_configuration_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_ROOT", "data")
    monkeypatch.setenv("VGG19", "vgg19.pth")
    config = TrainTranslatorConfig.model_validate(read(path).values)
    assert config.name == path.stem
    assert {say(p.finding).partition(";")[0] for p in config.problems()} <= {"there is no file vgg19.pth"}


def test_every_method_has_a_small_and_a_real_one() -> None:
    for kind in ("smoke", "minisim2camvid"):
        assert {p.stem.removesuffix(f"-{kind}") for p in FILES if p.stem.endswith(kind)} == METHODS


@pytest.mark.parametrize("path", [p for p in FILES if p.stem.endswith("smoke")], ids=lambda p: p.stem)
def test_it_is_trained_and_applied(path: Path, make_table: Callable[..., SampleTable], tmp_path: Path) -> None:
    change = [f"translator.training.{key}" for key in ("iterations=2", "checkpoint_every=1", "sample_every=2")]
    config = load(path, TrainTranslatorConfig, change).translator
    source, target = make_table("source", 2, (96, 80)), make_table("target", 2, (96, 80))
    card = Trainer(config, source, target, tmp_path / "work", device="cpu").run()  # type: ignore[arg-type]
    assert (card["method"], card["iterations"], card["rollbacks"]) == (config.method, 2, [])
    (tmp_path / "out").mkdir()
    translator = method_module(config.method).load(config, Resources(weights=tmp_path / "work" / WEIGHTS))
    assert translate_table(source, translator, tmp_path / "out", config.name) == 2
    for before, after in zip(source, SampleTable.read(tmp_path / "out"), strict=True):
        assert after.image.name == f"{before.id}.png"
        assert read_image(after.image).shape == read_image(before.image).shape
        assert np.any(read_image(after.image) != read_image(before.image))
