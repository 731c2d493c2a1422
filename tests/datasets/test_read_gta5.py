"""Reading GTA5."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.contracts.finding import Finding
from tasks.datasets.config import Gta5Dataset
from tasks.datasets.masks import read_mask
from tasks.datasets.read import ReadResult, read_dataset
from tasks.datasets.table import Box
from tasks.datasets.taxonomy import Taxonomy
from tests.datasets.writers.gta5 import save_label

TAXONOMY = Taxonomy.load(Path(__file__).parents[2] / "configs" / "taxonomies" / "cityscapes19.yaml")
ROAD, POLE, CAR, PLATE, POLE_GROUP = 7, 17, 26, 34, 18


class Gta5:
    """Frames of 60x40, all road."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ids = np.full((40, 60), ROAD, np.uint8)
        for name in ("images", "labels"):
            (root / name).mkdir()

    def save(self, number: int = 1, color: tuple[int, int, int] | None = None) -> tuple[Path, Path]:
        image, label = (self.root / name / f"{number:05d}.png" for name in ("images", "labels"))
        noise = np.random.default_rng(number).integers(0, 256, (40, 60, 3), np.uint8)
        Image.fromarray(noise if color is None else np.full_like(noise, color)).save(image)
        save_label(label, self.ids)
        return image, label

    def read(self, **changes: Any) -> ReadResult:
        return read_dataset(Gta5Dataset(format="gta5", root=self.root, **changes), TAXONOMY)


@pytest.fixture
def gta5(tmp_path: Path) -> Gta5:
    return Gta5(tmp_path)


def test_a_palette_label_is_read_by_index(gta5: Gta5) -> None:
    gta5.ids[:, 20:30] = POLE
    gta5.ids[:, 30:40] = POLE_GROUP  # of the pole's colour in Cityscapes, but no class
    gta5.ids[5:9, 3:8] = PLATE
    _, label = gta5.save()
    result = gta5.read()
    assert result.rejected == []
    assert Image.open(label).mode == "P"
    assert result.table.info.encoding is not None
    indices = read_mask(label, result.table.info.encoding)
    names = [c.name for c in TAXONOMY.classes]
    assert [names[indices[0, x]] for x in (0, 20)] == ["road", "pole"]
    assert (indices[0, 30], indices[5, 3]) == (255, 255)


def test_boxes_are_connected_pixels(gta5: Gta5) -> None:
    gta5.ids[2:10, 3:9] = CAR
    gta5.ids[10:20, 9:15] = CAR  # touches it at a corner
    gta5.ids[30:33, 40:45] = CAR
    gta5.save()
    result = gta5.read()
    assert result.table[0].boxes == (Box(1, 3, 2, 15, 20),)
    assert result.hidden == 1
    assert result.table.info.boxes_from == "components"
    assert Box(1, 40, 30, 45, 33) in (gta5.read(min_box_pixels=15).table[0].boxes or ())


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_labels_converted_to_colours_are_refused(gta5: Gta5, mode: str) -> None:
    gta5.save(1)
    _, label = gta5.save(2)
    Image.open(label).convert(mode).save(label)
    result = gta5.read()
    assert [s.id for s in result.table] == ["00001"]
    assert [(r.file, r.cause) for r in result.rejected] == [(label, "decodable")]
    assert result.rejected[0].finding == Finding.of("data.gta5_colours")


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255)])
def test_an_image_of_one_colour_is_listed(gta5: Gta5, color: tuple[int, int, int]) -> None:
    gta5.save(1)
    image, _ = gta5.save(15188, color)
    result = gta5.read()
    assert [s.id for s in result.table] == ["00001"]
    assert [(r.file, r.cause) for r in result.rejected] == [(image, "decodable")]
    assert result.rejected[0].finding == Finding.of("data.one_colour", colour=",".join(map(str, color)))


def test_a_small_file_that_shows_something_is_kept(gta5: Gta5) -> None:
    image, _ = gta5.save(1, (0, 0, 0))
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[39, 59, 1] = 1
    Image.fromarray(pixels).save(image)
    assert len(gta5.read().table) == 1


@pytest.mark.parametrize("name", ["images/1.png", "images/000001.png", "labels/00002.jpg", "labels/part/00003.png"])
def test_names_outside_the_pattern(gta5: Gta5, name: str) -> None:
    image, _ = gta5.save()
    odd = gta5.root / name
    odd.parent.mkdir(exist_ok=True)
    odd.write_bytes(image.read_bytes())
    result = gta5.read()
    assert len(result.table) == 1
    folder = name.split("/")[0]
    assert [(r.file, r.cause) for r in result.rejected] == [(odd, "named")]
    assert result.rejected[0].finding == Finding.of("data.other_name", form=f"{folder}/<5 digits>.png")


def test_shares_divide_frames(gta5: Gta5) -> None:
    for number in range(1, 11):
        gta5.save(number)
    shares = {"train": 0.7, "val": 0.3}
    splits = {split: {s.id for s in gta5.read(split=split, shares=shares).table} for split in shares}
    assert {split: len(ids) for split, ids in splits.items()} == {"train": 7, "val": 3}
    assert len(splits["train"] | splits["val"]) == 10


def test_labels_that_tools_made_of_the_labels_are_passed_over(gta5: Gta5) -> None:
    image, label = gta5.save()
    before = gta5.read()
    label.with_name("00001_labelTrainIds.png").write_bytes(label.read_bytes())
    result = gta5.read()
    assert (result.rejected, result.images) == ([], 1)
    assert result.table.rows.equals(before.table.rows)
    image.with_name("00001_labelTrainIds.png").write_bytes(label.read_bytes())
    assert [r.cause for r in gta5.read().rejected] == ["named"]  # among the images it is out of place
