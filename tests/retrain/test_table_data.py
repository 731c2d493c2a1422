"""Sample tables as OpenMMLab's data sets: partial labels, and images inside archives."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mmcv.transforms import Compose

from tasks.contracts.artifact import Artifact
from tasks.datasets.images import read_image
from tasks.datasets.table import SampleTable
from tasks.retrain.data import LoadTableImage, TableDetDataset, TableSegDataset
from tasks.retrain.suitable import TrainingError, check_images


def changed(squares: Artifact, folder: Path, **columns: object) -> Path:
    """The squares, of which all but the first two lack labels as the columns say."""
    table = SampleTable.read(squares.path)
    samples = [s if n < 2 else replace(s, **columns) for n, s in enumerate(table)]
    SampleTable.from_samples(samples, table.info, folder).write(folder)
    return folder


def test_each_task_sees_the_images_that_have_its_labels(squares: Artifact, tmp_path: Path) -> None:
    folder = changed(squares, tmp_path, boxes=None)
    assert len(TableDetDataset(table=str(folder), pipeline=[])) == 2
    assert len(TableSegDataset(table=str(folder), pipeline=[])) == 8
    folder = changed(squares, tmp_path, mask=None, mask_sha256=None)
    assert len(TableDetDataset(table=str(folder), pipeline=[])) == 8
    assert len(TableSegDataset(table=str(folder), pipeline=[])) == 2


def test_an_image_without_objects_is_seen_and_one_without_labels_is_not(squares: Artifact, tmp_path: Path) -> None:
    assert len(TableDetDataset(table=str(changed(squares, tmp_path, boxes=())), pipeline=[])) == 8


def test_a_task_without_any_label_is_refused(squares: Artifact, tmp_path: Path) -> None:
    table = SampleTable.read(squares.path)
    bare = [replace(s, boxes=None) for s in table]
    check_images("segmentation", SampleTable.from_samples(bare, table.info, tmp_path))
    with pytest.raises(TrainingError, match="detection needs boxes"):
        check_images("detection", SampleTable.from_samples(bare, table.info, tmp_path))


def test_images_are_loaded_from_an_archive(squares: Artifact, tmp_path: Path) -> None:
    image = SampleTable.read(squares.path)[0].image
    with zipfile.ZipFile(tmp_path / "img.zip", "w") as archive:
        archive.write(image, "drive/0.png")
    load = Compose([LoadTableImage()])
    loaded = load({"img_path": str(tmp_path / "img.zip" / "drive" / "0.png")})
    np.testing.assert_array_equal(loaded["img"][..., ::-1], read_image(image))
    assert loaded["img_shape"] == loaded["ori_shape"] == (64, 64)
