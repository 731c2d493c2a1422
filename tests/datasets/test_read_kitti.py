"""Reading KITTI's semantics and its objects."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.catalogue.language import say
from tasks.contracts.finding import Finding
from tasks.datasets.config import KittiDataset
from tasks.datasets.errors import DatasetError
from tasks.datasets.read import ReadResult, read_dataset
from tasks.datasets.select import presence
from tasks.datasets.table import Box
from tasks.datasets.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load(Path(__file__).parents[2] / "configs" / "taxonomies" / "cityscapes19.yaml")
REST = "1.5 1.6 3.9 1.8 1.5 8.4 0.01"


def line(kind: str, *box: object) -> str:
    return f"{kind} 0.00 1 -1.57 {' '.join(map(str, box))} {REST}"


class Kitti:
    """Images of 60x40 of both benchmarks."""

    def __init__(self, root: Path) -> None:
        self.training = root / "training"
        for folder in ("image_2", "semantic", "instance", "label_2"):
            (self.training / folder).mkdir(parents=True)

    def file(self, folder: str, name: str) -> Path:
        return self.training / folder / name

    def semantic(self, ids: np.ndarray[Any, Any], name: str = "000004_10.png") -> None:
        Image.new("RGB", ids.shape[::-1]).save(self.file("image_2", name))
        Image.fromarray((ids // 256).astype(np.uint8)).save(self.file("semantic", name))
        Image.fromarray(ids.astype(np.uint16)).save(self.file("instance", name))

    def object(self, *lines: str, name: str = "000004") -> None:
        Image.new("RGB", (60, 40)).save(self.file("image_2", f"{name}.png"))
        self.file("label_2", f"{name}.txt").write_text("\n".join(lines))

    def read(self, labels: str) -> ReadResult:
        config = KittiDataset(format="kitti", root=self.training.parent, labels=labels)  # type: ignore[arg-type]
        return read_dataset(config, TAXONOMY)


@pytest.fixture
def kitti(tmp_path: Path) -> Kitti:
    return Kitti(tmp_path)


def road() -> np.ndarray[Any, Any]:
    return np.full((40, 60), 7 * 256)


def test_objects_and_what_was_not_told_apart(kitti: Kitti) -> None:
    ids = road()
    ids[2:10, 3:9] = 26 * 256 + 1
    ids[5:12, 20:30] = 26 * 256 + 2
    ids[20:30, 1:5] = 24 * 256  # persons, in two pieces
    ids[20:30, 40:48] = 24 * 256
    ids[30:40, 50:60] = 11 * 256 + 1  # KITTI numbers buildings as well
    ids[0:2, 50:55] = 28 * 256 + 1  # a bus of ten pixels
    kitti.semantic(ids)
    result = kitti.read("semantic")
    assert result.rejected == []
    assert result.hidden == 1
    assert result.table.info.boxes_from == "instances"
    sample = result.table[0]
    assert (sample.id, sample.sequence) == ("000004_10", None)
    assert set(sample.boxes or ()) == {
        Box(1, 3, 2, 9, 10),
        Box(1, 20, 5, 30, 12),
        Box(0, 1, 20, 5, 30, crowd=True),
        Box(0, 40, 20, 48, 30, crowd=True),
    }


def test_sizes_vary(kitti: Kitti) -> None:
    kitti.semantic(road())
    kitti.semantic(road()[:-1, :-1], "000005_10.png")
    assert [(s.width, s.height) for s in kitti.read("semantic").table] == [(60, 40), (59, 39)]


def test_an_instance_image_of_8_bits(kitti: Kitti) -> None:
    kitti.semantic(road())
    path = kitti.file("instance", "000004_10.png")
    Image.fromarray(np.full((40, 60), 26, np.uint8)).save(path)
    rejected = kitti.read("semantic").rejected
    assert [(r.file, r.cause) for r in rejected] == [(path, "decodable")]
    assert rejected[0].finding == Finding.of("data.no_instance_image")


@pytest.mark.parametrize("missing", ["image_2", "semantic", "instance"])
def test_a_missing_file(kitti: Kitti, missing: str) -> None:
    kitti.semantic(road())
    path = kitti.file(missing, "000004_10.png")
    path.unlink()
    rejected = kitti.read("semantic").rejected
    assert [r.cause for r in rejected] == ["paired"]
    assert rejected[0].finding.values["missing"] == Finding.of("data.no_file", file=path)
    assert rejected[0].file == kitti.file("semantic" if missing == "image_2" else "image_2", "000004_10.png")


def test_types_and_dont_care(kitti: Kitti) -> None:
    kitti.object(
        line("Car", 1, 2, 11.5, 12),
        line("Van", 20, 2, 30, 12),
        line("Truck", 30, 2, 40, 12),
        line("Pedestrian", 40, 2, 44, 12),
        line("Person_sitting", 45, 2, 49, 12),
        line("Cyclist", 50, 2, 54, 12),
        line("Tram", 50, 20, 59, 40),
        line("Misc", 1, 20, 9, 40),
        "DontCare -1 -1 -10 50.00 30.00 70.00 38.00 -1 -1 -1 -1000 -1000 -1000 -10",
    )
    result = kitti.read("object")
    assert result.rejected == []
    table = result.table
    assert (table.info.dataset, table.info.boxes_from, table.info.encoding) == ("kitti_object", "annotated", None)
    assert table.info.impossible_boxes == ("bus",)
    assert table[0].boxes == (
        Box(1, 1, 2, 11.5, 12),
        Box(1, 20, 2, 30, 12),
        Box(2, 30, 2, 40, 12),
        Box(0, 40, 2, 44, 12),
        Box(0, 45, 2, 49, 12),
        *(Box(n, 50, 30, 60, 38, crowd=True) for n in range(len(table.info.detection))),
    )
    assert (len(table.info.detection), table[0].extra) == (4, {})
    boxes = slice(len(table.info.classes), None)
    assert presence(table)[0, boxes].tolist() == [True, True, True, True]
    assert presence(table, crowds=False)[0, boxes].tolist() == [True, True, True, False]  # a draw looks for real ones


def test_an_image_without_objects(kitti: Kitti) -> None:
    kitti.object()
    sample = kitti.read("object").table[0]
    assert (sample.boxes, sample.extra) == ((), {})


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line("Car", 1, 2, 9, 9) + " 0.87", "has 16 fields instead of 15 (the last is a detector's score)"),
        ("0 2 " + line("Car", 1, 2, 9, 9), "has 17 fields instead of 15 (KITTI's tracking labels have so many)"),
        ("Car 0 0 0 1 2 9 9", "has 8 fields instead of 15: 'Car 0 0"),
        (line("Car", 1, 2, "wide", 9), "the box is not four numbers: '1 2 wide 9'"),
        (line("Car", 1, 2, "nan", 9), "the box is not finite"),
        (line("Car", 9, 2, 1, 9), "has no area"),
        (line("Car", 70, 2, 80, 9), "lies outside its image of 60x40"),
        (line("Zebra", 1, 2, 9, 9), "type 'Zebra' is not in the taxonomy's maps.kitti_object.boxes"),
    ],
)
def test_a_bad_line_goes_alone(kitti: Kitti, bad: str, reason: str) -> None:
    kitti.object(line("Car", 5, 5, 9, 9), bad)
    result = kitti.read("object")
    assert result.table[0].boxes == (Box(1, 5, 5, 9, 9),)
    assert [(r.file, r.cause, r.kind) for r in result.rejected] == [
        (kitti.file("label_2", "000004.txt"), "boxes", "box")
    ]
    assert (result.rejected[0].finding.code, result.rejected[0].finding.values["line"]) == ("data.in_line", 2)
    assert reason in say(result.rejected[0].finding)


def test_labels_that_are_missing_or_no_text(kitti: Kitti) -> None:
    for name in ("000004", "000005", "000006"):
        kitti.object(name=name)
    label = kitti.file("label_2", "000004.txt")
    label.write_bytes(b"\xff\xfe\x00")
    kitti.file("label_2", "000005.txt").unlink()
    result = kitti.read("object")
    assert [s.id for s in result.table] == ["000006"]
    codes = {r.file: r.finding.code for r in result.rejected}
    assert codes == {label: "data.no_text", kitti.file("image_2", "000005.png"): "data.image_without_label"}


def test_both_benchmarks_in_one_folder(kitti: Kitti) -> None:
    kitti.semantic(road())
    Image.new("RGB", (60, 40)).save(kitti.file("image_2", "000004_11.png"))  # the second frame of stereo and flow
    kitti.object(line("Car", 5, 5, 9, 9))
    for labels, id_ in (("semantic", "000004_10"), ("object", "000004")):
        result = kitti.read(labels)
        assert [s.id for s in result.table] == [id_]
        assert result.rejected == []


def test_missing_labels_stop_at_once(kitti: Kitti) -> None:
    kitti.object()
    kitti.file("label_2", "000004.txt").unlink()
    kitti.file("label_2", "").rmdir()
    with pytest.raises(DatasetError, match=r"label_2: no such folder; files <6 digits>\.txt were looked for there"):
        kitti.read("object")
