"""Reading Cityscapes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.catalogue.language import say
from tasks.contracts.finding import Finding
from tasks.datasets.config import CityscapesDataset
from tasks.datasets.errors import DatasetError
from tasks.datasets.read import ReadResult, read_dataset
from tasks.datasets.table import Box
from tasks.datasets.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load(Path(__file__).parents[2] / "configs" / "taxonomies" / "cityscapes19.yaml")
NAME = "ulm_000001_000019"


class Frame:
    """One frame of 60x40, all road."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.image = root / "leftImg8bit" / "train" / "ulm" / f"{NAME}_leftImg8bit.png"
        self.labels = root / "gtFine" / "train" / "ulm" / f"{NAME}_gtFine_labelIds.png"
        self.instances = root / "gtFine" / "train" / "ulm" / f"{NAME}_gtFine_instanceIds.png"
        self.ids = np.full((40, 60), 7, np.uint16)

    def save(self) -> None:
        for path in (self.image, self.labels):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 40)).save(self.image)
        labels = np.where(self.ids >= 1000, self.ids // 1000, self.ids)
        Image.fromarray(labels.astype(np.uint8)).save(self.labels)
        Image.fromarray(self.ids).save(self.instances)

    def read(self, **changes: Any) -> ReadResult:
        return read_dataset(CityscapesDataset(format="cityscapes", root=self.root).model_copy(update=changes), TAXONOMY)


@pytest.fixture
def frame(tmp_path: Path) -> Frame:
    return Frame(tmp_path)


def test_things_groups_and_stuff(frame: Frame) -> None:
    frame.ids[2:10, 3:9] = 26000  # the first car
    frame.ids[5:12, 20:30] = 26001
    frame.ids[20:30, 1:5] = 24  # a group of persons, in two pieces
    frame.ids[20:30, 40:48] = 24
    frame.ids[32:38, 10:20] = 33001  # a bicycle: none of the detection classes
    frame.ids[0:2, 50:55] = 28003  # a bus of ten pixels
    frame.save()
    result = frame.read()
    sample = result.table[0]
    assert (sample.id, sample.extra) == (NAME, {"city": "ulm"})
    assert set(sample.boxes) == {
        Box(1, 3, 2, 9, 10),
        Box(1, 20, 5, 30, 12),
        Box(0, 1, 20, 5, 30, crowd=True),
        Box(0, 40, 20, 48, 30, crowd=True),
    }
    assert result.hidden == 1
    assert Box(3, 50, 0, 55, 2) in frame.read(min_box_pixels=10).table[0].boxes


@pytest.mark.parametrize("missing", ["image", "labels", "instances"])
def test_a_missing_file(frame: Frame, missing: str) -> None:
    frame.save()
    path: Path = getattr(frame, missing)
    path.unlink()
    result = frame.read()
    assert len(result.table) == 0
    assert len(result.rejected) == 1
    named = frame.labels if missing == "image" else frame.image
    assert result.rejected[0].file == named
    code = "data.label_without_image" if missing == "image" else "data.image_without_label"
    assert result.rejected[0].finding == Finding.of(code, missing=Finding.of("data.no_file", file=path))


def test_instances_of_another_size_or_broken(frame: Frame) -> None:
    frame.save()
    Image.fromarray(frame.ids[:, :-1]).save(frame.instances)
    sizes = Finding.of("data.other_size", width=59, height=40, image_width=60, image_height=40)
    assert [(r.file, r.finding) for r in frame.read().rejected] == [(frame.instances, sizes)]
    frame.instances.write_bytes(frame.instances.read_bytes()[:60])
    assert frame.read().rejected[0].finding.code == "data.not_decodable"


def test_instances_that_are_a_picture_or_cut_to_8_bits(frame: Frame) -> None:
    frame.save()
    for pixels in (np.zeros((40, 60, 3), np.uint8), np.asarray(Image.open(frame.instances)).astype(np.uint8)):
        Image.fromarray(pixels).save(frame.instances)
        found = frame.read().rejected
        assert [(r.file, r.finding.code) for r in found] == [(frame.instances, "data.no_instance_image")]


def test_an_id_that_cityscapes_does_not_have(frame: Frame) -> None:
    frame.ids[0, :4] = 99
    frame.save()
    assert [(r.file, say(r.finding)) for r in frame.read().rejected] == [(frame.labels, "unknown ids: 99 (4 pixels)")]


def test_missing_split(frame: Frame) -> None:
    frame.save()
    with pytest.raises(DatasetError, match=r"leftImg8bit/val: no such folder; images <city>/\*_leftImg8bit\.png"):
        frame.read(split="val")
