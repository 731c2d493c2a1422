"""The dataset artifact: what is in it, and when it is found again."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.contracts.finding import Finding
from tasks.datasets.config import DatasetsConfig, FolderDataset, SampleDataset
from tasks.datasets.errors import DatasetError, Rejection
from tasks.datasets.make_dataset import build_dataset, read_counts
from tasks.datasets.rejected import read_rejected
from tasks.datasets.stage import read
from tasks.datasets.table import SampleTable
from tasks.store.manifest import Manifest, StoreError
from tasks.store.store import Store

TAXONOMIES = Path(__file__).parents[2] / "configs" / "taxonomies"
SAMPLE = SampleDataset(format="sample", side="real", count=4, width=96, height=64)


def section(taxonomy: Path = TAXONOMIES / "cityscapes19.yaml", max_rejected: float = 0.05) -> DatasetsConfig:
    return DatasetsConfig(taxonomy=taxonomy, source=SAMPLE, target=SAMPLE, benchmark=SAMPLE, max_rejected=max_rejected)


def camvid(max_rejected: float = 0.05) -> DatasetsConfig:
    return section(TAXONOMIES / "camvid11.yaml", max_rejected)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> FolderDataset:
    for n in range(4):
        for kind in ("images", "masks"):
            path = tmp_path / "set" / kind / "train" / f"{n}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((18, 19), n, np.uint8)).save(path)
    return FolderDataset(format="folder", name="camvid", root=tmp_path / "set", boxes=None)


@pytest.mark.parametrize("side", ["simulated", "real"])
def test_the_sample_becomes_a_table(store: Store, side: str) -> None:
    config = SAMPLE.model_copy(update={"side": side})
    artifact = read.fn("source", config, section(), store)
    table = SampleTable.read(artifact.path)
    assert len(table) == 4
    assert table[0].image.is_file()
    assert table[0].mask is not None
    assert table[0].mask.is_file()
    summary = Manifest.read(artifact.path).summary
    assert (summary["images"], summary["rejected"], summary["split"]) == (4, 0, "train")
    counts = read_counts(artifact)
    assert counts is not None
    assert counts.boxes is not None
    assert (counts.images.found, counts.images.read, counts.boxes.lost) == (4, 4, 0)
    assert counts.boxes.kept == sum(summary["boxes"].values())
    assert (summary["dataset"], summary["taxonomy"]) == (f"sample, {side}", "cityscapes19")
    assert sum(summary["boxes"].values()) == sum(len(s.boxes) for s in table) > 0
    assert artifact.file("rejected.csv").read_text().strip() == "file,cause,kind,code,values"
    assert Manifest.read(artifact.path).inputs["sample"].kind == "sample"
    assert build_dataset(config, section(), store).cached


def test_a_sample_survives_the_move_of_its_store(store: Store, tmp_path: Path) -> None:
    artifact = build_dataset(SAMPLE, section(), store)
    store.root.rename(tmp_path / "moved")
    moved = SampleTable.read(tmp_path / "moved" / "dataset" / artifact.key)
    assert all(s.image.is_file() for s in moved)


def test_a_root_with_dots_leaves_no_absolute_path(
    folder: FolderDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    dotted = folder.model_copy(update={"root": Path("../set")})
    artifact = build_dataset(dotted, camvid(), Store(Path("../store")))
    table = SampleTable.read(artifact.path)
    assert table.rows["image"].to_pylist() == [f"@root/images/train/{n}.png" for n in range(4)]
    assert table.rows["mask"].to_pylist() == [f"@root/masks/train/{n}.png" for n in range(4)]
    assert all(s.image.is_file() for s in table)
    again = artifact.path.parent / "again"  # a later artifact that names the same files, and some of its own store
    again.mkdir()
    SampleTable.from_samples(table, table.info, artifact.path, table.root).write(again)
    assert SampleTable.read(again).rows["image"][0].as_py() == "@root/images/train/0.png"
    made = [replace(s, image=artifact.path / "made" / s.image.name) for s in table]
    SampleTable.from_samples(made, table.info, artifact.path, table.root).write(again)
    assert SampleTable.read(again).rows["image"][0].as_py() == f"../../dataset/{artifact.key}/made/0.png"


def test_splits_of_the_sample_are_different(store: Store) -> None:
    tables = [build_dataset(SAMPLE.model_copy(update={"split": s}), section(), store) for s in ("train", "val")]
    a, b = ({s.sha256 for s in SampleTable.read(t.path)} for t in tables)
    assert len(a) == len(b) == 4
    assert not a & b


def test_a_changed_file_is_read_again(store: Store, folder: FolderDataset) -> None:
    first = build_dataset(folder, camvid(), store)
    assert not first.cached
    assert build_dataset(folder, camvid(), store).cached
    path = folder.root / "masks" / "train" / "2.png"
    Image.fromarray(np.full((18, 19), 7, np.uint8)).save(path)
    second = build_dataset(folder, camvid(), store)
    assert not second.cached
    assert second.digest != first.digest
    os.utime(path, ns=(1, 1))
    third = build_dataset(folder, camvid(), store)
    assert not third.cached
    assert third.digest == second.digest


def test_another_splits_files_do_not_count(store: Store, folder: FolderDataset) -> None:
    build_dataset(folder, camvid(), store)
    (folder.root / "images" / "val").mkdir()
    (folder.root / "images" / "val" / "0.png").write_bytes(b"x")
    assert build_dataset(folder, camvid(), store).cached


def test_a_changed_taxonomy_is_read_again(store: Store, folder: FolderDataset, tmp_path: Path) -> None:
    text = (TAXONOMIES / "camvid11.yaml").read_text()
    shutil.copytree(TAXONOMIES / "camvid11", tmp_path / "t")
    (tmp_path / "t.yaml").write_text(text + "# a comment changes nothing\n")
    build_dataset(folder, camvid(), store)
    assert build_dataset(folder, section(tmp_path / "t.yaml"), store).cached
    (tmp_path / "t" / "minisim.yaml").write_text(
        (TAXONOMIES / "camvid11" / "minisim.yaml").read_text().replace("truck: car", "truck: null")
    )
    assert not build_dataset(folder, section(tmp_path / "t.yaml"), store).cached


def test_too_many_rejected_leaves_the_list_and_no_artifact(store: Store, folder: FolderDataset) -> None:
    (folder.root / "masks" / "train" / "2.png").unlink()
    with pytest.raises(DatasetError, match=r"1 of 4 images were rejected") as caught:
        build_dataset(folder, camvid(), store)
    listed = Path(str(caught.value).rsplit("all of them: ", 1)[1])
    image, missing = Path("images/train/2.png"), Finding.of("data.no_file", file="masks/train/2.png")
    left_out = Finding.of("data.image_without_label", missing=missing)
    assert read_rejected(listed) == [Rejection(image, left_out, "paired")]
    assert str(folder.root) not in listed.read_text()
    assert list(store.artifacts()) == []
    with pytest.raises(StoreError):
        store.get("dataset", "0")
    artifact = build_dataset(folder, camvid(max_rejected=0.25), store)
    assert Manifest.read(artifact.path).summary["rejected"] == 1
    assert Manifest.read(artifact.path).summary["boxes"] is None
