import subprocess
import sys
from pathlib import Path

import pytest

from tasks.compute.config import ComputeConfig
from tasks.contracts.artifact import Artifact
from tasks.datasets.table import SampleTable
from tasks.store.code import closure
from tasks.store.digest import file_sha256
from tasks.store.manifest import Manifest, StoreError
from tasks.store.recipe import Recipe
from tasks.store.store import Store
from tasks.translate.make_translated import build_translated
from tasks.translate.sections.fda import Fda
from tasks.translate.sections.identity import Identity
from tasks.translate.stage import train_translator, translate
from tests.workers import HERE

CPU = ComputeConfig(device="cpu")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def datasets(store: Store, make_table) -> tuple[Artifact, Artifact]:
    def build(name: str) -> Artifact:
        def make(folder: Path) -> None:
            make_table(name, 3).write(folder)

        return store.build(Recipe("dataset", config={"name": name}, inputs={}, code="0"), make)

    return build("source"), build("target")


def test_train_then_translate_then_find(store, datasets, make_cut) -> None:
    config = make_cut()
    trained = train_translator.fn(config, *datasets, CPU, store)
    assert {f.path for f in Manifest.read(trained.path).files} >= {"weights.safetensors", "card.json", "log.jsonl"}
    assert Manifest.read(trained.path).summary["iterations"] == 6
    assert Manifest.read(trained.path).summary["iterations_per_second"] > 0
    result = translate.fn(config, *datasets, trained, CPU, store)
    summary = Manifest.read(result.path).summary
    assert (summary["translator"], summary["images"]) == ("cut", 3)
    assert summary["images_per_second"] > 0
    assert {f.path.partition("/")[0] for f in Manifest.read(result.path).files} == {"images", "samples.parquet"}
    assert set(Manifest.read(result.path).inputs) == {"source", "translator"}
    assert len(SampleTable.read(result.path)) == 3
    renamed = config.model_copy(update={"name": "other"})
    assert train_translator.fn(renamed, *datasets, CPU, store).cached
    assert translate.fn(renamed, *datasets, trained, CPU, store).cached


def test_the_same_training_has_the_same_digest(store, datasets, make_cut, tmp_path) -> None:
    trained = [
        train_translator.fn(make_cut(iterations=3), *datasets, CPU, where)
        for where in (store, Store(tmp_path / "elsewhere"))
    ]
    assert not any(artifact.cached for artifact in trained)
    assert trained[0].digest == trained[1].digest
    assert not trained[0].file("told.json").exists()


def test_given_weights_replace_training(store, datasets, make_cut) -> None:
    config = make_cut()
    trained = train_translator.fn(config, *datasets, CPU, store)
    path = trained.file("weights.safetensors")
    given = config.model_copy(update={"weights": {"path": str(path), "sha256": file_sha256(path)}})
    given = type(config).model_validate(given.model_dump(warnings=False))
    with pytest.raises(ValueError, match="nothing to train"):
        train_translator.fn(given, *datasets, CPU, store)
    a = build_translated(given, *datasets, None, store, HERE)
    b = build_translated(config, *datasets, trained, store, HERE)
    assert a.digest == b.digest
    assert a.key != b.key


@pytest.mark.parametrize("missing", [True, False])
def test_wrong_weights_are_named(store, datasets, make_cut, tmp_path, missing) -> None:
    path = tmp_path / "w.safetensors"
    if not missing:
        path.write_bytes(b"other")
    plain = make_cut().model_dump() | {"weights": {"path": path, "sha256": "a" * 64}}
    what = "there is no such file" if missing else f"its SHA-256 is {file_sha256(path)}"
    with pytest.raises(StoreError, match=f"w.safetensors with SHA-256 {'a' * 64}: {what}"):
        build_translated(type(make_cut()).model_validate(plain), *datasets, None, store, HERE)


def test_untrained_method_is_an_error(store, datasets, make_cut) -> None:
    with pytest.raises(StoreError, match="run train_translator first"):
        build_translated(make_cut(), *datasets, None, store, HERE)


def test_inputs_are_what_the_method_uses(store, datasets) -> None:
    same = build_translated(Identity(method="identity"), *datasets, None, store, HERE)
    assert set(Manifest.read(same.path).inputs) == {"source"}
    fda = build_translated(Fda(method="fda", beta=0.1), *datasets, None, store, HERE)
    assert set(Manifest.read(fda.path).inputs) == {"source", "target"}
    assert fda.digest != same.digest


@pytest.mark.parametrize("method", ["identity", "reinhard", "fda", "images", "command"])
def test_methods_without_a_network_neither_load_nor_depend_on_one(method) -> None:
    names = "tasks.translate.apply_worker", f"tasks.translate.methods.{method}"
    code = f"import sys, {', '.join(names)}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    assert not [name for name in closure("tasks.translate.make_translated", *names) if ".networks." in name]


def test_importing_the_stage_does_not_import_torch() -> None:
    code = "import sys, tasks.translate.stage, tasks.translate.config; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
