"""What translates in bfloat16, how far that may be from float32, and what the key and the manifest say of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tasks.compute.device import resolve_precision
from tasks.contracts.artifact import Artifact
from tasks.store.digest import file_sha256
from tasks.store.manifest import Manifest
from tasks.store.recipe import Recipe
from tasks.store.store import Store
from tasks.translate.make_translated import build_translated, translated_recipe
from tasks.translate.methods import trained
from tasks.translate.methods.base import Resources
from tasks.translate.methods.trained import load_generator
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.resnet import MULTIPLE, ResnetGenerator
from tasks.translate.networks.weights import save_weights
from tasks.translate.networks.whole_image import WholeImageTranslator
from tasks.translate.precision import precision_slice
from tasks.translate.sections.fda import Fda
from tasks.translate.sections.learned import MINIMUM
from tests.workers import HERE


@pytest.fixture(params=[True, False], ids=["with bfloat16", "without"])
def has_it(request, monkeypatch) -> bool:
    """A CPU with instructions for bfloat16, and one without."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": request.param})
    return request.param


def _with(config, **values: Any):
    return type(config).model_validate({**config.model_dump(), **values})


def test_the_key_says_what_pixels_depend_on(make_cut, has_it) -> None:
    auto, exact, short = (_with(make_cut(), precision=p) for p in ("auto", "float32", "bfloat16"))
    assert resolve_precision(auto.precision, "cpu") == ("bfloat16" if has_it else "float32")
    assert precision_slice(auto, "cpu") == ({"precision": "bfloat16 within 1/255"} if has_it else {})
    assert precision_slice(short, "cpu") == {"precision": "bfloat16"}
    assert precision_slice(auto, "cuda") == {"precision": "auto"}
    assert precision_slice(exact, "cpu") == precision_slice(exact, "cuda") == {}
    assert precision_slice(Fda(method="fda"), "cpu") == {}
    assert auto.translation_slice() == exact.translation_slice()
    assert auto.training_slice() == exact.training_slice() == short.training_slice()
    given = Artifact(kind="dataset", key="k", digest="d", path="/none", seconds=0, cached=True)
    keys = [translated_recipe(c, given, given, given, "cpu").key for c in (auto, exact, short)]
    assert len(set(keys)) == (3 if has_it else 2)


def _resources(config, tmp_path, table=None, std: float = 0.2) -> Resources:
    network = ResnetGenerator(**config.generator.model_dump())
    initialise(network, torch.Generator().manual_seed(0), std=std)
    save_weights(tmp_path / "w.safetensors", network.state_dict())
    return Resources(weights=tmp_path / "w.safetensors", source=table)


@pytest.mark.parametrize(("limit", "wanted"), [(20.0, "bfloat16"), (0.01, "float32")])
def test_auto_compares_the_first_images(make_cut, make_table, tmp_path, monkeypatch, caplog, limit, wanted) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(trained, "_LIMIT", limit)
    table = make_table("s", sizes=[(8, 8), (40, 36), (41, 37), (24, 20), (40, 36), (40, 36)])
    translators = {
        p: load_generator(_with(make_cut(), precision=p), _resources(make_cut(), tmp_path, table))
        for p in ("auto", "float32", "bfloat16")
    }
    images = [trained._translated(translators[p], table[1], p) for p in ("float32", "bfloat16")]
    assert 0.01 < np.abs(images[0] - images[1]).mean() < 20
    assert [translators[p].notes["precision"] for p in translators] == [wanted, "float32", "bfloat16"]
    found = translators["auto"].notes["difference_to_float32"]
    assert found == translators["bfloat16"].notes["difference_to_float32"]
    each = [
        np.abs(trained._translated(translators["auto"], table[k], "bfloat16") - exact).mean()
        for k, exact in ((k, trained._translated(translators["float32"], table[k], "float32")) for k in range(1, 5))
    ]
    assert found == pytest.approx(np.mean(each), abs=1e-3), "the first four that are large enough"
    assert "difference_to_float32" not in translators["float32"].notes
    assert ("float32 it is" in caplog.text) == (wanted == "float32")


def test_without_images_to_compare_auto_is_exact(make_cut, tmp_path, has_it) -> None:
    translator = load_generator(make_cut(), _resources(make_cut(), tmp_path))
    assert translator.notes == {"precision": "float32"}


def test_statistics_of_norms_stay_in_32_bits() -> None:
    """Rounded to bfloat16, as torch has it, the means would shift whole maps."""
    network = nn.Sequential(nn.InstanceNorm2d(3))
    norm = WholeImageTranslator(network, MULTIPLE, MINIMUM, torch.device("cpu"), None, "bfloat16").network
    x = (torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0)) + 3).bfloat16()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        found = norm(x).double()
    exact = x.double()
    exact = (exact - exact.mean((2, 3), keepdim=True)) / exact.var((2, 3), keepdim=True, correction=0).sqrt()
    assert (found - exact).abs().max() < 0.005  # the result's own rounding: 2^-9 of values up to 1.8
    assert found.mean((2, 3)).abs().max() < 5e-4


def test_the_manifest_says_which_and_how_far(make_cut, make_table, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})  # the worker asks for itself
    store = Store(tmp_path / "store")

    def draw(folder: Path) -> None:
        make_table("s", 3).write(folder)

    source = store.build(Recipe("dataset", config={}, inputs={}, code="0"), draw)
    weights = _resources(make_cut(), tmp_path, std=0.02).weights
    given = _with(make_cut(), weights={"path": str(weights), "sha256": file_sha256(weights)})
    made = {
        p: build_translated(_with(given, precision=p), source, source, None, store, HERE)
        for p in ("float32", "bfloat16")
    }
    exact, short = (Manifest.read(made[p].path) for p in made)
    assert (exact.summary["precision"], short.summary["precision"]) == ("float32", "bfloat16")
    assert 0 < short.summary["difference_to_float32"] < 2
    assert "precision" not in exact.config
    assert short.config["precision"] == "bfloat16"
    assert exact.digest != short.digest
