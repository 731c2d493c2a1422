"""Reading BDD100K: what the formats' common tests do not cover."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.catalogue.language import say
from tasks.datasets.config import Bdd100kDataset
from tasks.datasets.errors import DatasetError
from tasks.datasets.read import ReadResult, read_dataset
from tasks.datasets.select import presence
from tasks.datasets.table import Box, SampleTable
from tests.datasets.writers.scene import TAXONOMY

ROAD = 0


def label(category: str, *sides: float) -> dict[str, Any]:
    return {"id": "7", "category": category, "box2d": dict(zip(("x1", "y1", "x2", "y2"), sides, strict=True))}


CAR = label("car", 2, 3, 10, 12)


class Set:
    """A split of images of 60x40, all road."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / "labels" / "det_20" / "det_train.json"
        self.masks = root / "labels" / "sem_seg" / "masks" / "train"
        self.rows: list[Any] = []
        for folder in (self.file.parent, self.masks, self.images("10k"), self.images("100k")):
            folder.mkdir(parents=True)

    def images(self, of: str) -> Path:
        return self.root / "images" / of / "train"

    def boxed(self, name: str, *labels: Any, **row: Any) -> Path:
        self.rows.append({"name": f"{name}.jpg", "labels": list(labels)} | row)
        return self.image(name, "100k")

    def masked(self, name: str) -> Path:
        Image.fromarray(np.full((40, 60), ROAD, np.uint8)).save(self.masks / f"{name}.png")
        return self.image(name, "10k")

    def image(self, name: str, of: str) -> Path:
        path = self.images(of) / f"{name}.jpg"
        Image.new("RGB", (60, 40)).save(path)
        return path

    def read(self, detection: tuple[str, ...] | None = None, **changes: Any) -> ReadResult:
        self.file.write_text(json.dumps(self.rows))
        taxonomy = TAXONOMY.narrowed(detection) if detection else TAXONOMY
        return read_dataset(Bdd100kDataset(format="bdd100k", root=self.root).model_copy(update=changes), taxonomy)


@pytest.fixture
def split(tmp_path: Path) -> Set:
    return Set(tmp_path)


def test_boxes_and_masks_on_different_images(split: Set, tmp_path: Path) -> None:
    split.boxed("a", CAR)
    split.masked("b")
    split.masked("c")
    both = split.boxed("c", CAR)
    result = split.read()
    assert result.rejected == []
    table = SampleTable.read(result.table.write(tmp_path))
    box = (Box(1, 2, 3, 11, 13),)
    rows = [(s.id, s.mask and s.mask.name, s.boxes) for s in table]
    assert rows == [("a", None, box), ("b", "b.png", None), ("c", "c.png", box)]
    assert [s.class_pixels and s.class_pixels[ROAD] for s in table] == [None, 2400, 2400]
    assert table[2].image == both
    assert [s.id for s in table.labelled("boxes")] == ["a", "c"]
    assert [s.id for s in table.labelled("masks")] == ["b", "c"]
    # A stratified draw sees both kinds: the car is class 1 of the detection classes.
    shown = presence(table)
    assert shown[:, ROAD].tolist() == [False, True, True]
    assert shown[:, len(table.info.classes) + 1].tolist() == [True, False, True]


@pytest.mark.parametrize(("labels", "ids"), [(("boxes",), ["a"]), (("masks",), ["b"])])
def test_one_kind_of_labels(split: Set, labels: tuple[str, ...], ids: list[str]) -> None:
    split.boxed("a", CAR)
    split.masked("b")
    result = split.read(labels=labels)
    assert [s.id for s in result.table] == ids
    assert (result.rejected, result.table.info.has_boxes) == ([], labels == ("boxes",))


@pytest.mark.parametrize("name", ["det_v2_train_release.json", "bdd100k_labels_images_train.json"])
def test_the_names_of_earlier_years(split: Set, name: str) -> None:
    area = {"id": 2, "category": "drivable area", "poly2d": [{"vertices": [[0, 0]], "types": "L", "closed": True}]}
    labels = [label(n, 2, 3, 10, 12) for n in ("person", "bike", "motor", "van")]
    split.boxed("a", area, *labels)
    split.file.parent.rmdir()
    split.file = split.root / "labels" / name
    result = split.read(("car", "person", "bicycle", "motorcycle"), labels=("boxes",))
    assert result.rejected == []
    assert [box.category for box in result.table[0].boxes or ()] == [1, 2, 3, 0]


def test_regions_to_ignore(split: Set) -> None:
    names = ("other person", "other vehicle", "trailer")
    split.boxed("a", CAR, *(label(name, 2, 3, 10, 12) for name in names))
    boxes = split.read(labels=("boxes",)).table[0].boxes
    assert [(b.category, b.crowd) for b in boxes or ()] == [(1, False), (0, True), (1, True), (2, True)]
    boxes = split.read(("truck",), labels=("boxes",)).table[0].boxes
    assert [(b.category, b.crowd) for b in boxes or ()] == [(0, True)]


def test_the_last_column_and_row_lie_inside(split: Set) -> None:
    split.boxed("a", label("car", 0, 0, 59, 39), label("car", 5, 6, 5, 6), label("car", 50.5, 30, 70, 39.5))
    boxes = split.read(labels=("boxes",)).table[0].boxes
    assert boxes == (Box(1, 0, 0, 60, 40), Box(1, 5, 6, 6, 7), Box(1, 50.5, 30, 60, 40))


def test_images_without_objects(split: Set) -> None:
    split.boxed("a", labels=None)
    split.boxed("b")
    split.boxed("c")
    del split.rows[2]["labels"]
    split.boxed("d", CAR, attributes={"weather": "rainy", "scene": "tunnel", "timeofday": "night", "more": 1})
    result = split.read(labels=("boxes",))
    assert [s.boxes for s in result.table] == [(), (), (), (Box(1, 2, 3, 11, 13),)]
    assert [s.extra for s in result.table][2:] == [{}, {"weather": "rainy", "scene": "tunnel", "timeofday": "night"}]


def test_what_lacks_its_partner(split: Set) -> None:
    split.boxed("row").unlink()
    split.masked("mask").unlink()
    boxless, maskless = split.image("boxless", "100k"), split.image("maskless", "10k")
    split.boxed("good", CAR)
    result = split.read()
    assert [s.id for s in result.table] == ["good"]
    reasons = {r.file: say(r.finding) for r in result.rejected}
    assert {r.cause for r in result.rejected} == {"paired"}
    assert set(reasons) == {split.file, split.masks / "mask.png", boxless, maskless}
    assert reasons[split.file].startswith("label without image: no row.jpg in ")
    assert reasons[boxless].startswith("image without label: ")
    assert f"{split.file} does not list it" in reasons[boxless]
    assert f"no {split.masks / 'maskless'}.png" in reasons[maskless]


def test_rows_that_mean_no_image(split: Set) -> None:
    split.boxed("a", CAR)
    split.boxed("twice", CAR)
    split.boxed("twice", CAR)
    split.boxed("unsure", CAR)
    split.boxed("unsure")
    split.boxed("b", labels=3)
    split.rows += [{"labels": []}, {"name": 5}, "text", None]
    result = split.read(labels=("boxes",))
    assert [(s.id, len(s.boxes or ())) for s in result.table] == [("a", 1), ("twice", 1)]
    assert result.images == 8  # a repeated row is none
    causes = {say(r.finding): r.cause for r in result.rejected}
    assert {r.finding.code for r in result.rejected} == {
        "data.rows_merged",
        "data.rows_contradict",
        "data.row_without_name",
        "data.labels_no_list",
    }
    assert {r.file for r in result.rejected} == {split.file, split.images("100k") / "unsure.jpg"}
    assert causes == {
        "1 rows of frames repeat another row word for word and count once, the first of them twice": "unique",
        "2 rows of unsure contradict each other: keep the right one": "unique",
        "b: its labels are no list": "decodable",
        **{f"row {n} has no name": "named" for n in (6, 7, 8, 9)},
    }


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (label("spaceship", 1, 2, 3, 4), "category 'spaceship' is not in the taxonomy's maps.bdd100k.boxes"),
        ({"id": 1, "box2d": CAR["box2d"]}, "has no category"),
        ({"category": ["car"], "box2d": CAR["box2d"]}, "has no category"),
        ({"category": "car", "box2d": None}, "is not the four numbers"),
        (label("car", 1, 2, float("nan"), 4), "is not the four numbers"),
        (label("car", 1, 2, 10**400, 4), "is not the four numbers"),
        (label("car", 9, 2, 8, 4), "has no area"),
        (label("car", 60, 2, 70, 4), "lies outside"),
        (5, "has no category"),
    ],
)
def test_a_malformed_label(split: Set, wrong: Any, reason: str) -> None:
    split.boxed("a", CAR, wrong)
    result = split.read(labels=("boxes",))
    assert result.table[0].boxes == (Box(1, 2, 3, 11, 13),)
    assert [(r.file, r.cause, r.kind) for r in result.rejected] == [(split.file, "boxes", "box")]
    assert say(result.rejected[0].finding).startswith("label 1")
    assert reason in say(result.rejected[0].finding)


def test_the_same_name_twice_in_a_set(split: Set) -> None:
    split.boxed("a", CAR)
    again = split.images("100k") / "trainA" / "a.jpg"
    again.parent.mkdir()
    Image.new("RGB", (60, 40)).save(again)
    result = split.read(labels=("boxes",))
    assert len(result.table) == 1
    assert [(r.file, r.cause) for r in result.rejected] == [(again, "unique")]


def test_missing_files(split: Set) -> None:
    split.boxed("a", CAR)
    with pytest.raises(DatasetError, match=r"no such file: .*det_val\.json, .*det_v2_val_.*images_val\.json"):
        split.read(split="val")
    with pytest.raises(DatasetError, match=r"masks/val: no such folder; .*'masks' in labels"):
        split.read(split="val", labels=("masks",))
    split.rows = {"frames": []}  # type: ignore[assignment]
    with pytest.raises(DatasetError, match=r"det_train\.json: .*a list of frames"):
        split.read()


def first_form(name: str, *objects: Any) -> dict[str, Any]:
    """A frame as the first files of 2018 have it."""
    return {"name": name, "attributes": {"scene": "tunnel"}, "frames": [{"timestamp": 10000, "objects": list(objects)}]}


LANE = {"id": 3, "category": "lane/road curb", "poly2d": [[1, 2, "L"], [3, 4, "L"]]}
AREA = {"id": 4, "category": "area/drivable", "poly2d": [[1, 2, "L"], [3, 4, "L"]]}


def test_the_first_form_in_a_list(split: Set) -> None:
    split.image("a", "100k")
    split.rows = [first_form("a", CAR, LANE, AREA)]
    result = split.read(labels=("boxes",))
    assert result.rejected == []
    assert [(s.boxes, s.extra) for s in result.table] == [((Box(1, 2, 3, 11, 13),), {"scene": "tunnel"})]


def test_one_file_an_image(split: Set) -> None:
    folder = split.root / "labels" / "100k" / "train"
    folder.mkdir(parents=True)
    for name in "abcd":
        split.image(name, "100k")
    for name, content in {
        "a": json.dumps(first_form("a", CAR)),
        "b": json.dumps(first_form("b")),
        "c": json.dumps(first_form("a", CAR)),
        "d": "{",
    }.items():
        (folder / f"{name}.json").write_text(content)
    split.file.parent.rmdir()
    config = Bdd100kDataset(format="bdd100k", root=split.root, labels=("boxes",))
    result = read_dataset(config, TAXONOMY)
    assert [(s.id, s.boxes) for s in result.table] == [("a", (Box(1, 2, 3, 11, 13),)), ("b", ())]
    labels = {r.file.name: (r.cause, r.finding.code) for r in result.rejected if r.file.suffix == ".json"}
    assert labels == {"c.json": ("named", "data.bdd100k_name"), "d.json": ("decodable", "data.no_json")}
    images = {r.file.name: r.cause for r in result.rejected if r.file.suffix == ".jpg"}
    assert images == {"c.jpg": "paired", "d.jpg": "paired"}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"objects": [CAR]}, "data.bdd100k_unknown"),
        ({"annotations": [CAR], "timestamp": 1}, "data.bdd100k_unknown"),
        ({"frames": []}, "data.bdd100k_frames"),
        ({"frames": [{"objects": []}, {"objects": []}]}, "data.bdd100k_frames"),
        ({"frames": [{"labels": [CAR]}]}, "data.bdd100k_frames"),
        ({"frames": [{"objects": {}}]}, "data.labels_no_list"),
    ],
)
def test_a_form_that_is_not_known_is_not_empty(split: Set, row: dict[str, Any], code: str) -> None:
    split.boxed("a", CAR)
    split.image("b", "100k")
    split.rows.append({"name": "b.jpg"} | row)
    result = split.read(labels=("boxes",))
    assert [s.id for s in result.table] == ["a"]
    assert [r.finding.code for r in result.rejected] == [code]
