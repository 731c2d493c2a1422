"""A store and a data set that were moved: what was made is found again, and its files open."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.compute.config import ComputeConfig
from tasks.compute.machine import Machine
from tasks.contracts.artifact import Artifact
from tasks.datasets.config import DatasetsConfig, FolderDataset
from tasks.datasets.make_checks import build_checks
from tasks.datasets.make_dataset import build_dataset
from tasks.datasets.table import SampleTable
from tasks.store.store import Store
from tasks.translate.make_translated import build_translated
from tasks.translate.sections.reinhard import Reinhard

TAXONOMY = Path(__file__).parents[2] / "configs" / "taxonomies" / "camvid11.yaml"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for n in range(3):
            for kind, pixels in (("images", rng.integers(0, 255, (24, 32, 3))), ("masks", np.full((24, 32), n))):
                path = tmp_path / "data" / kind / split / f"{split}{n}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels.astype(np.uint8)).save(path)
    (tmp_path / "data" / "images" / "train" / "broken.png").write_bytes(b"")
    return tmp_path / "data"


def chain(data: Path, store: Store) -> list[Artifact]:
    sets = {
        split: FolderDataset(format="folder", name="camvid", root=data, boxes=None, split=split)
        for split in ("train", "val")
    }
    whole = DatasetsConfig(
        taxonomy=TAXONOMY, source=sets["train"], target=sets["val"], benchmark=sets["val"], max_rejected=0.5
    )
    source, target = (build_dataset(config, whole, store) for config in sets.values())
    machine = Machine(ComputeConfig(device="cpu"), store.root)
    checks = build_checks({"source": source, "target": target}, whole, store)
    return [source, target, checks, build_translated(Reinhard(method="reinhard"), source, target, None, store, machine)]


def test_moved_store_and_data_set_are_found_and_open(data: Path, tmp_path: Path) -> None:
    before = chain(data, Store(tmp_path / "store"))
    assert not any(a.cached for a in before)
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    data.rename(tmp_path / "set")
    after = chain(tmp_path / "set", Store(tmp_path / "elsewhere"))
    assert all(a.cached for a in after)
    for artifact in (after[0], after[1], after[3]):
        for sample in SampleTable.read(artifact.path):
            assert sample.image.is_file()
            assert sample.mask is not None
            assert sample.mask.is_relative_to(tmp_path / "set")
            assert sample.mask.is_file()


def test_a_copied_set_is_read_again_but_nothing_below_it_is_made_again(data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    before = chain(data, store)
    for path in sorted(data.rglob("*")):  # other times of change, the same content
        content = path.read_bytes() if path.is_file() else None
        new = tmp_path / "copy" / path.relative_to(data)
        new.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            new.write_bytes(content)
    after = chain(tmp_path / "copy", store)
    assert [a.cached for a in after] == [False, False, True, True]
    assert [a.digest for a in after] == [a.digest for a in before]


def test_no_artifact_names_a_place(data: Path, tmp_path: Path) -> None:
    for artifact in chain(data, Store(tmp_path / "store")):
        for path in artifact.path.rglob("*"):
            if path.is_file():
                assert str(tmp_path).encode() not in path.read_bytes(), path
