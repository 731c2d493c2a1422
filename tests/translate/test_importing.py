"""Somebody's generator as a translator: what is written loads, and translates as the generator does."""

from pathlib import Path

import pytest
import torch
import yaml

from flows.cli.app import invoke
from flows.config import PipelineConfig
from tasks.settings.loading import load
from tasks.store.digest import file_sha256
from tasks.translate.methods.base import Resources, method_module
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.resnet import ResnetGenerator
from tasks.translate.networks.weights import save_weights

ROOT = Path(__file__).parents[2]
GENERATOR = {"channels": 4, "blocks": 1, "skip": True}


def written(folder: Path, method: str) -> ResnetGenerator:
    folder.mkdir()
    network = ResnetGenerator(**GENERATOR)
    initialise(network, torch.Generator().manual_seed(0), std=0.2)
    made_for = {"method": method, "generator": GENERATOR}
    save_weights(folder / "weights.safetensors", dict(network.named_parameters()), made_for)
    return network


@pytest.mark.parametrize("method", ["cut", "cyclegan", "srunit", "decent", "vsait"])
def test_a_pipeline_uses_an_imported_generator(tmp_path: Path, method: str) -> None:
    network = written(tmp_path / "theirs", method)
    assert invoke(["translator", "import", str(tmp_path / "theirs"), str(tmp_path / "mine.yaml")]) == 0
    smoke = yaml.safe_load((ROOT / "configs/pipelines/smoke.yaml").read_text().replace("!include ", ""))
    smoke["translate"]["translators"] = ["INCLUDED"]
    smoke["retrain"]["arms"] = ["real", "translated(mine)"]
    (tmp_path / "pipeline.yaml").write_text(yaml.safe_dump(smoke).replace("INCLUDED", "!include mine.yaml#translator"))
    (config,) = load(tmp_path / "pipeline.yaml", PipelineConfig).translate.translators
    assert (config.name, config.weights.sha256) == ("mine", file_sha256(tmp_path / "theirs" / "weights.safetensors"))
    loaded = method_module(method).load(config, Resources(None, config.weights.path, "cpu"))
    image = torch.rand(1, 3, 32, 32) * 2 - 1
    assert torch.equal(loaded.network(image), network.eval()(image))


def test_what_is_no_generator_of_this_pipeline_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path / "theirs", "cut")
    file = tmp_path / "theirs" / "weights.safetensors"
    out = str(tmp_path / "mine.yaml")
    assert invoke(["translator", "import", str(tmp_path / "missing.safetensors"), out]) == 1
    assert "no such file" in capsys.readouterr().err
    save_weights(file, {"a": torch.zeros(2)})
    assert invoke(["translator", "import", str(file), out]) == 1
    assert "does not say what method" in capsys.readouterr().err
    save_weights(file, {"a": torch.zeros(2)}, {"method": "cut", "generator": GENERATOR})
    assert invoke(["translator", "import", str(file), out]) == 1
    assert "made for another architecture" in capsys.readouterr().err
    save_weights(file, {"a": torch.zeros(2)}, {"method": "other", "generator": GENERATOR})
    assert invoke(["translator", "import", str(file), out]) == 1
    assert not Path(out).exists()
    Path(out).write_text("kept")
    assert invoke(["translator", "import", str(file), out]) == 2
    assert Path(out).read_text() == "kept"
