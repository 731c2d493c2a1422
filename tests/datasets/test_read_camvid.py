"""Reading CamVid as published."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.catalogue.language import say
from tasks.datasets.config import CamvidDataset
from tasks.datasets.errors import DatasetError
from tasks.datasets.read import ReadResult, read_dataset
from tasks.datasets.table import Box
from tasks.datasets.taxonomy import Taxonomy

TAXONOMIES = Path(__file__).parents[2] / "configs" / "taxonomies"
NAMES = ("0001TP_006690", "0016E5_00390", "Seq05VD_f00000", "Seq05VD_f00030")
ROAD, CAR, SUV, TRUCK_BUS, BICYCLIST = (
    (128, 64, 128),
    (64, 0, 128),
    (64, 128, 192),
    (192, 128, 192),
    (0, 128, 192),
)


class Camvid:
    """Four images of 60x40."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("701_StillsRaw_full", "LabeledApproved_full"):
            (root / folder).mkdir()
        self.colors = np.full((40, 60, 3), ROAD, np.uint8)
        for name in NAMES:
            Image.new("RGB", (60, 40)).save(self.image(name))
            self.save(name)

    def image(self, name: str) -> Path:
        return self.root / "701_StillsRaw_full" / f"{name}.png"

    def mask(self, name: str) -> Path:
        return self.root / "LabeledApproved_full" / f"{name}_L.png"

    def save(self, name: str) -> None:
        Image.fromarray(self.colors).save(self.mask(name))

    def read(self, taxonomy: str = "camvid11", **changes: Any) -> ReadResult:
        config = CamvidDataset(format="camvid", root=self.root).model_copy(update=changes)
        return read_dataset(config, Taxonomy.load(TAXONOMIES / f"{taxonomy}.yaml"))


@pytest.fixture
def camvid(tmp_path: Path) -> Camvid:
    return Camvid(tmp_path)


@pytest.mark.parametrize("taxonomy", ["camvid11", "cityscapes19"])
def test_the_maps_hold_all_32_colours(taxonomy: str) -> None:
    encoding = Taxonomy.load(TAXONOMIES / f"{taxonomy}.yaml").encoding("camvid32")
    assert encoding is not None
    assert len(encoding.indices) == 32
    assert {c >> 16 for c in encoding.indices} | {c & 255 for c in encoding.indices} == {0, 64, 128, 192}


def test_sequences_and_boxes_of_11_classes(camvid: Camvid) -> None:
    camvid.colors[2:10, 3:9] = CAR
    camvid.colors[10:14, 9:20] = SUV  # touches it at a corner, and is a car too: one box
    camvid.colors[20:30, 20:30] = BICYCLIST
    camvid.colors[0:2, 50:55] = CAR  # ten pixels
    camvid.save(NAMES[0])
    result = camvid.read()
    assert result.rejected == []
    assert [s.sequence for s in result.table] == ["0001TP", "0016E5", "Seq05VD", "Seq05VD"]
    assert set(result.table[0].boxes or ()) == {Box(0, 3, 2, 20, 14), Box(2, 20, 20, 30, 30)}
    assert result.hidden == 1
    assert result.table.info.boxes_from == "components"


def test_what_cityscapes_tells_apart_is_ignored(camvid: Camvid) -> None:
    camvid.colors[2:10, 3:9] = CAR
    camvid.colors[2:10, 20:29] = TRUCK_BUS
    camvid.colors[20:30, 20:30] = BICYCLIST
    camvid.save(NAMES[0])
    table = camvid.read("cityscapes19").table
    assert table[0].boxes == (Box(1, 3, 2, 9, 10),)
    assert table[0].class_pixels is not None
    assert sum(table[0].class_pixels) == 60 * 40 - 8 * 9 - 10 * 10
    assert table.info.impossible_boxes == ("truck", "bus")
    assert {"rider", "bicycle", "terrain"} <= set(table.info.impossible)


def test_a_list_of_names(camvid: Camvid) -> None:
    text = f"\ufeff{NAMES[2]}\n\n  \nCamVid/train/{NAMES[0]}.png CamVid/trainannot/{NAMES[0]}.png\r\n{NAMES[2]}\n"
    (camvid.root / "train.txt").write_text(text, encoding="utf-8")
    Image.new("RGB", (60, 40)).save(camvid.image("holiday"))  # not asked for
    result = camvid.read(list="{split}.txt")
    assert [s.id for s in result.table] == [NAMES[0], NAMES[2]]
    assert result.rejected == []


def test_a_listed_name_without_files(camvid: Camvid) -> None:
    (camvid.root / "train.txt").write_text(f"{NAMES[0]}\n{NAMES[1]}\n0001TP_999999\nholiday\n")
    camvid.mask(NAMES[1]).unlink()
    result = camvid.read(list="train.txt")
    assert [s.id for s in result.table] == [NAMES[0]]
    rejected = {r.file: (r.cause, say(r.finding)) for r in result.rejected}
    assert rejected.keys() == {camvid.image(n) for n in (NAMES[1], "0001TP_999999", "holiday")}
    assert rejected[camvid.image(NAMES[1])] == ("paired", f"image without label: no {camvid.mask(NAMES[1])}")
    assert rejected[camvid.image("0001TP_999999")][1].startswith(f"listed in {camvid.root / 'train.txt'} without image")
    assert rejected[camvid.image("holiday")][0] == "named"


def test_a_missing_or_empty_list_stops_at_once(camvid: Camvid) -> None:
    with pytest.raises(DatasetError, match=r"val\.txt: cannot be read as text .*names of the split were looked for"):
        camvid.read(list="{split}.txt", split="val")
    (camvid.root / "train.txt").write_text("\n")
    with pytest.raises(DatasetError, match=r"split 'train' of camvid is empty: nothing in .*train\.txt"):
        camvid.read(list="{split}.txt")


def test_labels_without_image_and_odd_names(camvid: Camvid) -> None:
    camvid.image(NAMES[0]).unlink()
    odd = camvid.mask("holiday")
    Image.new("RGB", (60, 40)).save(odd)
    other = camvid.image(NAMES[1]).with_suffix(".jpg")
    Image.new("RGB", (60, 40)).save(other)
    result = camvid.read()
    assert {(r.file, r.cause) for r in result.rejected} == {
        (camvid.mask(NAMES[0]), "paired"),
        (odd, "named"),
        (other, "named"),
    }
    assert len(result.table) == 3


def test_images_and_labels_in_one_folder(camvid: Camvid) -> None:
    for name in NAMES:
        camvid.mask(name).rename(camvid.image(f"{name}_L"))
    result = camvid.read(mask_folder="701_StillsRaw_full")
    assert [s.id for s in result.table] == list(NAMES)
    assert result.rejected == []
