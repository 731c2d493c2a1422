"""Boxes in YOLO's text files, and everything that can be wrong with them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.catalogue.language import say
from tasks.contracts.finding import Finding
from tasks.datasets.config import FolderDataset
from tasks.datasets.errors import DatasetError
from tasks.datasets.read import ReadResult, read_dataset
from tasks.datasets.table import Box
from tasks.datasets.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load(Path(__file__).parents[2] / "configs" / "taxonomies" / "camvid11.yaml")
WIDTH, HEIGHT = 40, 30


class Yolo:
    """Three images, of which the last has no text file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for n in range(3):
            self.image(n).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (WIDTH, HEIGHT)).save(self.image(n))
        self.text(0).parent.mkdir(parents=True)
        self.text(0).write_text("1 0.5 0.5 0.25 0.2\n")
        self.text(1).write_text("")
        self.names("names: [car, pedestrian]")

    def image(self, n: int) -> Path:
        return self.root / "images" / "train" / f"drive_{n}.jpg"

    def text(self, n: int) -> Path:
        return self.root / "labels" / "train" / f"drive_{n}.txt"

    def names(self, text: str) -> None:
        (self.root / "data.yaml").write_text(text)

    def read(self, **changes: Any) -> ReadResult:
        options = {"mask_folder": None, "boxes": "labels/{split}"} | changes
        return read_dataset(FolderDataset(format="folder", name="camvid", root=self.root, **options), TAXONOMY)

    def boxes(self, text: str, **changes: Any) -> tuple[Box, ...] | None:
        self.text(0).write_text(text)
        result = self.read(**changes)
        assert result.rejected == []
        return result.table[0].boxes


@pytest.fixture
def yolo(tmp_path: Path) -> Yolo:
    return Yolo(tmp_path)


def test_a_missing_or_empty_text_means_no_objects(yolo: Yolo) -> None:
    result = yolo.read()
    assert result.rejected == []
    assert [s.boxes for s in result.table] == [(Box(1, 15, 12, 25, 18),), (), ()]
    assert result.table.info.boxes_from == "annotated"


def test_polygons_give_their_bounding_box(yolo: Yolo) -> None:
    row = "0 0.1 0.1 0.5 0.2 0.25 0.9\n"
    assert yolo.boxes(row) == (Box(0, 4, 3, 20, 27),)
    assert yolo.boxes("0 0.1 0.1 0.5 0.2 0.25 0.9 0.2 0.3") == (Box(0, 4, 3, 20, 27),)


@pytest.mark.parametrize("side", [96, 1242, 1920, 4096])
def test_six_decimals_hold_every_pixel(yolo: Yolo, side: int) -> None:
    Image.new("L", (side, side)).save(yolo.image(0))
    rng = np.random.default_rng(side)
    boxes, rows = [], []
    for x1, y1, w, h in zip(*rng.integers(1, side // 2, (4, 50)).tolist(), strict=True):
        boxes.append(Box(0, x1, y1, x1 + w, y1 + h))
        rows.append("0 " + " ".join(f"{v / side:.6f}" for v in (x1 + w / 2, y1 + h / 2, w, h)))
    assert yolo.boxes("\n".join(rows)) == tuple(boxes)


def test_parts_of_a_pixel_stay(yolo: Yolo) -> None:
    assert yolo.boxes("0 0.5 0.5 0.2525 0.25") == (Box(0, pytest.approx(14.95), 11.25, pytest.approx(25.05), 18.75),)


def test_boxes_that_stick_out_are_clipped(yolo: Yolo) -> None:
    assert yolo.boxes("0 0.05 0.5 0.2 0.2") == (Box(0, 0, 12, 6, 18),)
    assert yolo.boxes("0 0.5 0.5 1.0099 1.0") == (Box(0, 0, 0, 40, 30),)


@pytest.mark.parametrize(
    "names",
    ["names: [tree, car]", "names: {0: tree, 1: car}", "nc: 2\nnames:\n  1: car\n  7: tree\n", ("tree", "car")],
)
def test_class_names(yolo: Yolo, names: str | tuple[str, ...]) -> None:
    inline = {"yolo_names": names} if isinstance(names, tuple) else {}
    if isinstance(names, str):
        yolo.names(names)
    assert yolo.boxes("1 0.5 0.5 0.25 0.2", **inline) == (Box(0, 15, 12, 25, 18),)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("2 0.5 0.5 0.2 0.2", "class 2 is not among the 2 classes"),
        ("-1 0.5 0.5 0.2 0.2", "class -1 is not among the 2 classes"),
        ("0.5 0.5 0.5 0.2 0.2", "class 0.5 is not among the 2 classes"),
        ("0 0.5 0.5 0.2", "has 4 fields instead of 5"),
        ("0 0.5 0.5 0.2 0.2 0.93", "has 6 fields instead of 5"),
        ("0 0.1 0.1 0.5 0.2 0.25 0.9 0.3", "has 8 fields instead of 5"),
        ("car 0.5 0.5 0.2 0.2", "is not made of numbers: 'car 0.5"),
        ("0 20 15 10 6", "has values that are no share of the image, 0 to 1: '0 20"),
        ("0 0.5 0.5 0.2 -0.2", "has values that are no share of the image"),
        ("0 0.5 nan 0.2 0.2", "has values that are no share of the image"),
        ("0 0.5 0.5 0.2 0", "has no area"),
    ],
)
def test_a_bad_row_goes_alone(yolo: Yolo, bad: str, reason: str) -> None:
    yolo.text(0).write_text(f"0 0.5 0.5 0.25 0.2\n\n{bad}\n")
    result = yolo.read()
    assert result.table[0].boxes == (Box(0, 15, 12, 25, 18),)
    assert [(r.file, r.cause, r.kind) for r in result.rejected] == [(yolo.text(0), "boxes", "box")]
    assert (result.rejected[0].finding.code, result.rejected[0].finding.values["line"]) == ("data.in_line", 3)
    assert reason in say(result.rejected[0].finding)


def test_a_class_that_the_taxonomy_does_not_know(yolo: Yolo) -> None:
    yolo.names("names: [car, tram]")
    (rejected,) = yolo.read().rejected
    why = Finding.of("data.unknown_class", name="tram", key="maps.camvid.boxes")
    assert rejected.finding == Finding.of("data.in_line", line=1, why=why)
    assert say(rejected.finding) == "line 1: class 'tram' is not in the taxonomy's maps.camvid.boxes"


def test_a_text_without_image(yolo: Yolo) -> None:
    odd = yolo.text(7)
    odd.write_text("0 0.5 0.5 0.25 0.2")
    (odd.parent / "classes.txt").write_text("car\npedestrian\n")  # what labelling tools put there
    result = yolo.read()
    assert len(result.table) == 3
    assert [(r.file, r.cause) for r in result.rejected] == [(odd, "paired")]
    assert result.rejected[0].finding.code == "data.label_without_image"


def test_something_that_is_no_text(yolo: Yolo) -> None:
    yolo.text(0).write_bytes(b"\xff\xfe\x00")
    result = yolo.read()
    assert [s.id for s in result.table] == ["drive_1", "drive_2"]
    assert [(r.file, r.cause) for r in result.rejected] == [(yolo.text(0), "decodable")]


def test_texts_beside_the_images(yolo: Yolo) -> None:
    yolo.text(0).rename(yolo.image(0).with_suffix(".txt"))
    result = yolo.read(boxes="images/{split}")
    assert result.rejected == []
    assert result.table[0].boxes == (Box(1, 15, 12, 25, 18),)


def test_a_folder_of_other_texts_stops_at_once(yolo: Yolo) -> None:
    for n in (0, 1):
        yolo.text(n).rename(yolo.text(n + 7))
    with pytest.raises(
        DatasetError, match=r"labels/train: holds no drive_0\.txt, nor one of any other of the 3 images"
    ):
        yolo.read()
    with pytest.raises(DatasetError, match=r"boxes/train: no such folder"):
        yolo.read(boxes="boxes/{split}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("names: [car", "is not YAML"),
        ("nc: 2", "names: a list of class names"),
        ("names: {car: 0}", "names: a list of class names"),
        ("just text", "names: a list of class names"),
        (None, "cannot be read"),
    ],
)
def test_class_names_that_cannot_be_read(yolo: Yolo, text: str | None, reason: str) -> None:
    if text is None:
        (yolo.root / "data.yaml").unlink()
    else:
        yolo.names(text)
    with pytest.raises(DatasetError, match=rf"data\.yaml: {reason}"):
        yolo.read()


@pytest.mark.parametrize("name", ["drive_2.json", "drive_2", "drive_2.xml"])
def test_labels_in_another_form_are_not_no_objects(yolo: Yolo, name: str) -> None:
    other = yolo.text(2).with_name(name)
    other.write_text("1 0.5 0.5 0.25 0.2\n")
    result = yolo.read()
    assert [s.id for s in result.table] == ["drive_0", "drive_1"]
    found = Finding.of("data.other_name", form="drive_2.txt")
    assert [(r.file, r.finding) for r in result.rejected] == [(other, found)]
    yolo.text(2).write_text("")
    assert yolo.read().rejected == []  # what lies beside a text file is a tool's
