import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from flows.cli.app import invoke
from tasks.store.digest import file_sha256
from tasks.store.recipe import Recipe
from tasks.store.store import Store
from tasks.translate.errors import WeightsError
from tasks.translate.methods import cut
from tasks.translate.methods.base import Resources
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.resnet import ResnetGenerator
from tasks.translate.networks.weights import load_weights, save_weights
from tasks.translate.sections.learned import GeneratorFile

GENERATOR = {"channels": 4, "blocks": 1, "skip": True}
CUT = {"method": "cut", "generator": GENERATOR}


def _fill(folder: Path, **generator: str) -> ResnetGenerator:
    folder.mkdir(exist_ok=True)
    config = {"method": "cut", "generator": {**GENERATOR, **generator}}
    network = ResnetGenerator(**config["generator"])
    initialise(network, torch.Generator().manual_seed(0), std=0.2)
    save_weights(folder / "weights.safetensors", dict(network.named_parameters()), config)
    (folder / "card.json").write_text(json.dumps({"method": "cut", "paper": "Park et al.", "config": config}))
    return network


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    _fill(tmp_path / "trained")
    return tmp_path / "trained"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("generator", [{}, {"resampling": "stride"}, {"resampling": "gaussian"}], ids=str)
def test_export_agrees_at_any_size(trained, tmp_path, capsys, generator) -> None:
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    network = _fill(trained, **generator)
    out = tmp_path / "new" / "cut.onnx"
    assert invoke(["translator", "export", str(trained), str(out)]) == 0
    assert "agrees with PyTorch" in capsys.readouterr().out
    assert [p.name for p in out.parent.iterdir()] == ["cut.onnx"]
    session = onnxruntime.InferenceSession(out)
    for shape in ((1, 3, 16, 16), (3, 3, 44, 72)):
        image = torch.rand(shape) * 2 - 1
        with torch.inference_mode():
            expected = network(image).numpy()
        assert np.abs(session.run(["translated"], {"image": image.numpy()})[0] - expected).max() < 1e-3
    properties = {p.key: p.value for p in onnx.load(out).metadata_props}
    assert properties["method"] == "cut"
    assert properties["weights_sha256"] == file_sha256(trained / "weights.safetensors")


def _fails(folder: Path, out: Path, capsys) -> str:
    assert invoke(["translator", "export", str(folder), str(out)]) == 1
    assert not list(out.parent.glob("*.onnx"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_missing_package_is_one_line(trained, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)  # as if it were not installed
    line = _fails(trained, tmp_path / "x.onnx", capsys)
    assert line == "exporting needs the package onnx: install this project's extra 'onnx'"


@pytest.mark.parametrize("missing", ["card.json", "weights.safetensors"])
def test_card_without_weights_and_weights_without_card(trained, tmp_path, missing, capsys) -> None:
    (trained / missing).unlink()
    assert f"{trained} is no trained translator: it has no {missing}" in _fails(trained, tmp_path / "x.onnx", capsys)


def test_a_card_that_is_none_is_named(trained, tmp_path, capsys) -> None:
    (trained / "card.json").write_text('{"method": "cut"}')
    assert "card.json is not a translator's card (KeyError('config'))" in _fails(trained, tmp_path / "x.onnx", capsys)


def test_weights_with_another_sha_are_named(trained, tmp_path, capsys) -> None:
    store = Store(tmp_path / "store")

    def make(folder: Path) -> None:
        shutil.copytree(trained, folder, dirs_exist_ok=True)

    artifact = store.build(Recipe("translator", config={}, inputs={}, code="0"), make)
    other = ResnetGenerator(**GENERATOR)
    save_weights(artifact.file("weights.safetensors"), dict(other.named_parameters()), CUT)
    line = _fails(artifact.path, tmp_path / "x.onnx", capsys)
    assert "is damaged (weights.safetensors has SHA-256" in line


def test_weights_of_another_method_or_width_name_both(make_cut, tmp_path) -> None:
    path, config = tmp_path / "weights.safetensors", make_cut()  # 4 channels, 1 block, no skip
    file = Resources(weights=path)

    def save(channels: int, blocks: int, made_for: dict | None) -> None:
        save_weights(path, dict(ResnetGenerator(channels, blocks).named_parameters()), made_for)

    save(4, 1, config.architecture())
    cut.load(config, file)
    save(4, 1, None)
    cut.load(config, file)
    save(4, 1, {**config.architecture(), "method": "vsait"})
    both = r"weights.safetensors: made for vsait \(channels 4.*\), but the configuration says cut \(channels 4"
    with pytest.raises(WeightsError, match=both):
        cut.load(config, file)
    save(4, 1, CUT)
    with pytest.raises(
        WeightsError, match=r"made for cut \(.*skip true, .*\), but the configuration says cut .*skip false"
    ):
        cut.load(config, file)
    for channels, blocks in ((8, 1), (4, 3)):
        save(channels, blocks, None)
        both = rf"it holds {channels} channels and {blocks} block\(s\), expected 4 channels and 1 block"
        with pytest.raises(WeightsError, match=both):
            cut.load(config, file)


def test_a_training_says_what_its_weights_are_for(make_table, make_cut, tmp_path) -> None:
    from tasks.translate.training.trainer import Trainer

    config = make_cut(iterations=1)
    Trainer(config, make_table("s", 2), make_table("t", 2), tmp_path, "cpu").run()
    path = tmp_path / "weights.safetensors"
    given = GeneratorFile(path=path, sha256=file_sha256(path))
    cut.load(config.model_copy(update={"weights": given}), Resources(weights=path))
    with pytest.raises(WeightsError, match="but the configuration says srunit"):
        load_weights(path, ResnetGenerator(4, 1), {**config.architecture(), "method": "srunit"})
