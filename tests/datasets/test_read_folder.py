"""Reading a plain folder, and everything that can be wrong with one."""

import codecs
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.catalogue.language import say, speaking
from tasks.contracts.finding import Finding, Value
from tasks.datasets.config import FolderDataset
from tasks.datasets.errors import DatasetError
from tasks.datasets.images import SUFFIXES
from tasks.datasets.masks import read_mask
from tasks.datasets.read import ReadResult, check_share, read_dataset
from tasks.datasets.readers.coco_file import CocoAnnotation, CocoFile
from tasks.datasets.table import Box
from tasks.datasets.taxonomy import Taxonomy, TaxonomyError
from tasks.store.digest import file_sha256

TAXONOMY = Taxonomy.load(Path(__file__).parents[2] / "configs" / "taxonomies" / "camvid11.yaml")
WIDTH, HEIGHT = 40, 30


def annotation(number: int, image: int, box: list[Any], category: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "image_id": image, "category_id": category, "bbox": box} | more


class Folder:
    """A small data set of four images that a test damages."""

    def __init__(self, root: Path) -> None:
        self.root = root
        rng = np.random.default_rng(0)
        self.coco: dict[str, Any] = {
            "images": [],
            "annotations": [annotation(1, 0, [1, 2, 10, 5]), annotation(2, 1, [0, 0, 40, 30], 2, iscrowd=1)],
            "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "pedestrian"}],
        }
        for n in range(4):
            pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
            self.image(n).parent.mkdir(parents=True, exist_ok=True)
            self.mask(n).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(self.image(n))
            self.write_mask(n, rng.integers(0, 12, (HEIGHT, WIDTH)))
            self.coco["images"].append({"id": n, "file_name": f"drive_{n}.png", "width": WIDTH, "height": HEIGHT})
        self.save()

    def image(self, n: int) -> Path:
        return self.root / "images" / "train" / f"drive_{n}.png"

    def mask(self, n: int) -> Path:
        return self.root / "masks" / "train" / f"drive_{n}.png"

    def write_mask(self, n: int, values: np.ndarray[Any, Any]) -> None:
        Image.fromarray(values.astype(np.uint8)).save(self.mask(n))

    def save(self) -> None:
        (self.root / "boxes_train.json").write_text(json.dumps(self.coco))

    def read(self, **changes: Any) -> ReadResult:
        config = FolderDataset(format="folder", name="camvid", root=self.root).model_copy(update=changes)
        return read_dataset(config, TAXONOMY)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def only(result: ReadResult, file: Path, images: int = 3) -> Finding:
    """What the single rejection is for, after checking which file it names and how many images are left."""
    assert len(result.table) == images
    assert [r.file for r in result.rejected] == [file]
    return result.rejected[0].finding


def alone(kind: str, code: str, **values: Value) -> Finding:
    """That an image or a label lacks its partner."""
    return Finding.of(f"data.{kind}", missing=Finding.of(f"data.{code}", **values))


def test_a_good_folder(folder: Folder) -> None:
    result = folder.read()
    assert result.rejected == []
    assert result.images == 4
    assert result.boxes == 2
    table = result.table
    assert [s.id for s in table] == [f"drive_{n}" for n in range(4)]
    assert table[0].boxes == (Box(0, 1, 2, 11, 7),)
    assert table[1].boxes == (Box(1, 0, 0, 40, 30, crowd=True),)
    first = table[0]
    assert (first.width, first.height, first.split) == (WIDTH, HEIGHT, "train")
    assert first.sha256 == file_sha256(folder.image(0))
    assert first.mask_sha256 == file_sha256(folder.mask(0))
    assert first.mask is not None
    assert table.info.encoding is not None
    raw = np.asarray(Image.open(folder.mask(0)))
    np.testing.assert_array_equal(read_mask(first.mask, table.info.encoding), np.where(raw == 11, 255, raw))


def test_file_names_from_the_root_and_extras(folder: Folder) -> None:
    for row in folder.coco["images"]:
        row["file_name"] = f"images/train/{row['file_name']}"
        row["weather"] = "hazy"
    folder.save()
    result = folder.read()
    assert len(result.table) == 4
    assert result.table[0].extra == {"weather": "hazy"}


def test_without_boxes_and_without_masks(folder: Folder) -> None:
    info = folder.read(boxes=None).table.info
    assert not info.has_boxes
    assert info.encoding is not None
    table = folder.read(mask_folder=None).table
    assert table.info.has_boxes
    assert table.info.encoding is None
    assert table[0].mask is None


def test_images_in_subfolders_have_distinct_ids(folder: Folder) -> None:
    for kind in ("images", "masks"):
        sub = folder.root / kind / "train" / "night"
        sub.mkdir()
        (sub / "drive_0.png").write_bytes((folder.root / kind / "train" / "drive_0.png").read_bytes())
    assert [s.id for s in folder.read(boxes=None).table][-1] == "night__drive_0"


def test_transparent_and_tiny_images_are_left_out(folder: Folder) -> None:
    pixels = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    Image.fromarray(pixels).save(folder.image(1))  # simulators save alpha that says nothing
    pixels[0, 0, 3] = 0
    Image.fromarray(pixels).save(folder.image(2))
    assert only(folder.read(), folder.image(2)).code == "data.see_through"
    folder.image(2).unlink()
    Image.new("RGB", (WIDTH, 15)).save(folder.image(2))
    assert only(folder.read(), folder.image(2)) == Finding.of("data.too_small", width=WIDTH, height=15, least=16)
    found = folder.read(min_side=HEIGHT + 1)
    assert (len(found.table), {r.cause for r in found.rejected}) == (0, {"size"})


def test_truncated_image(folder: Folder) -> None:
    folder.image(2).write_bytes(folder.image(2).read_bytes()[:500])
    found = only(folder.read(), folder.image(2))
    assert (found.code, list(found.values)) == ("data.not_decodable", ["problem"])
    assert say(found).startswith("cannot be decoded (it ends before it is complete")


def test_empty_image(folder: Folder) -> None:
    folder.image(2).write_bytes(b"")
    assert only(folder.read(), folder.image(2)) == Finding.of("data.empty")


def test_something_that_is_no_image(folder: Folder) -> None:
    folder.image(2).write_text("<html>404</html>")
    assert only(folder.read(), folder.image(2)) == Finding.of("data.unknown_format")


def test_truncated_mask(folder: Folder) -> None:
    folder.mask(2).write_bytes(folder.mask(2).read_bytes()[:80])
    assert only(folder.read(), folder.mask(2)).code == "data.not_decodable"


def test_image_without_label(folder: Folder) -> None:
    folder.mask(2).unlink()
    found = only(folder.read(), folder.image(2))
    assert found == alone("image_without_label", "no_file", file=folder.mask(2))
    assert say(found) == f"image without label: no {folder.mask(2)}"
    with speaking("ko"):
        assert say(found) == f"레이블 없는 이미지: {folder.mask(2)} 없음"


def test_label_without_image(folder: Folder) -> None:
    folder.image(2).unlink()
    result = folder.read()
    assert len(result.table) == 3
    found = {r.file: r.finding for r in result.rejected}
    image = folder.image(2).with_suffix("")
    assert found == {folder.mask(2): alone("label_without_image", "no_file_of", file=image, suffixes=SUFFIXES)}


def test_listed_without_image_where_there_are_no_masks(folder: Folder) -> None:
    folder.image(2).unlink()
    result = folder.read(mask_folder=None)
    assert len(result.table) == 3
    boxes = folder.root / "boxes_train.json"
    assert result.rejected[0].finding == alone("label_without_image", "listed_only", file=boxes)
    assert "drive_2" in str(result.rejected[0].file)


def test_image_that_the_boxes_do_not_list(folder: Folder) -> None:
    del folder.coco["images"][2]
    folder.save()
    boxes = folder.root / "boxes_train.json"
    assert only(folder.read(), folder.image(2)) == alone("image_without_label", "not_listed", file=boxes)


def test_mask_of_another_size(folder: Folder) -> None:
    folder.write_mask(2, np.zeros((HEIGHT, WIDTH - 1)))
    found = only(folder.read(), folder.mask(2))
    assert found == Finding.of("data.other_size", width=39, height=30, image_width=40, image_height=30)
    assert say(found) == "is 39x30, but its image 40x30"


def test_listed_size_is_wrong(folder: Folder) -> None:
    folder.coco["images"][2]["width"] = 99
    folder.save()
    boxes = folder.root / "boxes_train.json"
    expected = Finding.of("data.size_listed", size="40x30", file=boxes, listed="99x30")
    assert only(folder.read(), folder.image(2)) == expected


def test_unknown_ids_are_counted(folder: Folder) -> None:
    values = np.zeros((HEIGHT, WIDTH))
    values[0, :3], values[1, :5] = 77, 200
    folder.write_mask(2, values)
    found = only(folder.read(), folder.mask(2))
    counts = tuple(Finding.of("data.value_pixels", value=v, n=n) for v, n in (("200", 5), ("77", 3)))
    assert found == Finding.of("data.unknown_ids", values=counts, more="")
    assert say(found) == "unknown ids: 200 (5 pixels); 77 (3 pixels)"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (annotation(9, 2, [50, 2, 5, 5]), "lies outside its image of 40x30"),
        (annotation(9, 2, [5, 2, 0, 5]), "has no area"),
        (annotation(9, 2, [5, 2, -3, 5]), "has no area"),
        (annotation(9, 2, [5, 2, 3]), "bbox: List should have at least 4 items"),
        (annotation(9, 2, [5, 2, 3, "wide"]), "bbox.3: "),
        (annotation(9, 2, [5, 2, 3, float("nan")]), "bbox.3: "),
        (annotation(9, 2, [5, 2, 3, 3], 44), "category_id 44 is not among"),
        ({"id": 9, "image_id": 2, "category_id": 1}, "bbox: Field required"),
    ],
)
def test_a_bad_box_goes_alone(folder: Folder, bad: dict[str, Any], reason: str) -> None:
    folder.coco["annotations"] += [bad, annotation(10, 2, [5, 5, 4, 4])]
    folder.save()
    result = folder.read()
    text = say(only(result, folder.root / "boxes_train.json", images=4))
    assert text.startswith("annotation 9 of drive_2.png: ")
    assert reason in text
    assert result.table[2].boxes == (Box(0, 5, 5, 9, 9),)
    assert result.boxes == 4


def test_a_box_that_sticks_out_is_clipped(folder: Folder) -> None:
    folder.coco["annotations"] += [annotation(8, 2, [-3, 25, 10, 10]), annotation(9, 2, [35, -2, 10, 10])]
    folder.save()
    assert folder.read().table[2].boxes == (Box(0, 0, 25, 7, 30), Box(0, 35, 0, 40, 8))


def test_a_category_that_the_taxonomy_does_not_know(folder: Folder) -> None:
    folder.coco["categories"][0]["name"] = "tram"
    folder.save()
    found = only(folder.read(), folder.root / "boxes_train.json", images=4)
    assert found.values["why"] == Finding.of("data.unknown_category", name="tram", key="maps.camvid.boxes")


def test_annotations_of_an_image_that_is_not_listed(folder: Folder) -> None:
    folder.coco["annotations"].append(annotation(9, 1234, [1, 1, 2, 2]))
    folder.save()
    found = only(folder.read(), folder.root / "boxes_train.json", images=4)
    assert found == Finding.of("data.annotations_alone", n=1, id=1234)


def test_two_images_of_one_name(folder: Folder) -> None:
    double = folder.image(2).with_suffix(".jpg")
    Image.open(folder.image(2)).save(double)
    result = folder.read(boxes=None)
    assert len(result.table) == 4
    assert [(r.finding.code, r.finding.values["id"]) for r in result.rejected] == [("data.same_id", "drive_2")]
    assert say(result.rejected[0].finding).startswith("has the same id 'drive_2' as ")


def test_boxes_that_are_no_json_stop_at_once(folder: Folder) -> None:
    (folder.root / "boxes_train.json").write_text('{"images": [')
    with pytest.raises(DatasetError, match=r"boxes_train\.json: is not JSON: Expecting value"):
        folder.read()
    (folder.root / "boxes_train.json").write_text('{"images": [], "annotations": []}')
    with pytest.raises(DatasetError, match=r"categories: Field required"):
        folder.read()


def test_missing_places_stop_at_once(folder: Folder) -> None:
    with pytest.raises(DatasetError, match=r"images/val: no such folder; images"):
        folder.read(split="val")
    with pytest.raises(DatasetError, match=r"none_train\.json: no such file"):
        folder.read(boxes="none_{split}.json")
    with pytest.raises(TaxonomyError, match=r"no maps\.kitti"):
        folder.read(name="kitti")


def test_an_empty_split_stops_at_once(folder: Folder) -> None:
    (folder.root / "images" / "test").mkdir()
    with pytest.raises(DatasetError, match=r"split 'test' of folder is empty: nothing in .*images/test"):
        folder.read(split="test", mask_folder=None, boxes=None)


def test_subset(folder: Folder) -> None:
    def ids(**changes: Any) -> list[str]:
        return [s.id for s in folder.read(**changes).table]

    assert ids(include="*_[13]") == ["drive_1", "drive_3"]
    assert ids(images=2) == ids(images=2) == sorted(ids(images=2))
    assert len(ids(images=2)) == 2
    assert {tuple(ids(images=2, seed=s)) for s in range(8)} != {tuple(ids(images=2))}
    assert len(ids(images=99)) == 4
    with pytest.raises(DatasetError, match=r"include 'night\*' matches none of 4 ids in .*, such as drive_0"):
        folder.read(include="night*")


def test_what_is_excluded_is_not_rejected(folder: Folder) -> None:
    folder.mask(2).unlink()
    assert folder.read(include="drive_[013]").rejected == []


def test_share_of_rejected(folder: Folder) -> None:
    folder.image(2).write_bytes(b"")
    result = folder.read()
    check_share(result, 0.25)
    with pytest.raises(DatasetError, match=r"1 of 4 images were rejected.*0\.2 allows:\n.*drive_2.png: is empty"):
        check_share(result, 0.2)


def test_share_of_rejected_boxes_counts_apart(folder: Folder) -> None:
    folder.coco["annotations"] += [annotation(n, 2, [99, 99, 1, 1]) for n in (8, 9)]
    folder.save()
    result = folder.read()
    check_share(result, 0.5)
    with pytest.raises(DatasetError, match="2 of 4 boxes were rejected"):
        check_share(result, 0.4)


def test_nothing_left_is_an_error_whatever_the_share(folder: Folder) -> None:
    for n in range(4):
        folder.image(n).write_bytes(b"")
    with pytest.raises(DatasetError, match="4 of 4 images"):
        check_share(folder.read(), 1.0)


def test_sequences_by_name(folder: Folder) -> None:
    folder.image(2).rename(folder.image(2).with_name("night_2.png"))
    folder.mask(2).rename(folder.mask(2).with_name("night_2.png"))
    result = folder.read(boxes=None, sequence="^(drive|night)_")
    assert [s.sequence for s in result.table] == ["drive", "drive", "drive", "night"]
    result = folder.read(boxes=None, sequence="^(drive)?")
    odd = folder.image(2).with_name("night_2.png")
    assert [(r.file, r.cause) for r in result.rejected] == [(odd, "named")]
    assert result.rejected[0].finding == Finding.of("data.no_sequence", pattern="^(drive)?", id="night_2")
    assert len(result.table) == 3


def test_a_wrong_expression_of_sequences_stops_at_once(folder: Folder) -> None:
    with pytest.raises(DatasetError, match=r"sequence '\(drive' is no regular expression: missing \)"):
        folder.read(sequence="(drive")
    with pytest.raises(DatasetError, match=r"sequence 'drive' has no group"):
        folder.read(sequence="drive")


def test_masks_with_a_suffix_beside_the_images(folder: Folder) -> None:
    for n in range(4):
        folder.mask(n).rename(folder.image(n).with_name(f"drive_{n}_L.png"))
    folder.image(3).with_name("drive_3_L.png").unlink()
    result = folder.read(mask_folder="images/{split}", mask_suffix="_L")
    missing = folder.image(3).with_name("drive_3_L.png")
    assert only(result, folder.image(3)) == alone("image_without_label", "no_file", file=missing)
    assert [s.mask.name for s in result.table if s.mask] == [f"drive_{n}_L.png" for n in range(3)]


def test_listed_with_a_place_of_another_machine(folder: Folder) -> None:
    folder.coco["images"][2]["file_name"] = "/data/drive_2.png"
    folder.save()
    rejected = {str(r.file): r.finding for r in folder.read().rejected}
    boxes = str(folder.root / "boxes_train.json")
    assert rejected.keys() == {boxes, str(folder.image(2))}
    assert say(rejected[boxes]).startswith("row id 2 of images: the name '/data/drive_2.png' leads out of ")


def told_of_rows(result: ReadResult) -> list[tuple[str, Value, Value]]:
    """Table, number of repeated rows and their first, where nothing else was left out."""
    assert {(r.finding.code, r.kind, r.cause) for r in result.rejected} == {("data.rows_merged", "row", "unique")}
    return [tuple(r.finding.values[k] for k in ("table", "n", "first")) for r in result.rejected]  # type: ignore[misc]


def test_repeated_rows_are_one_and_lose_nothing(folder: Folder) -> None:
    for table in ("images", "categories", "annotations"):
        folder.coco[table].append(dict(folder.coco[table][0]))
    folder.save()
    result = folder.read()
    assert sorted(told_of_rows(result)) == [("annotations", 1, "1"), ("categories", 1, "1"), ("images", 1, "0")]
    assert [s.boxes for s in result.table][:2] == [(Box(0, 1, 2, 11, 7),), (Box(1, 0, 0, 40, 30, crowd=True),)]
    assert (result.images, result.boxes) == (4, 2)
    check_share(result, 0)


def test_an_image_under_two_ids_has_the_boxes_of_both(folder: Folder) -> None:
    folder.coco["images"].append(folder.coco["images"][0] | {"id": 9})
    folder.coco["annotations"] += [annotation(3, 9, [1, 2, 10, 5]), annotation(4, 9, [3, 3, 2, 2])]
    folder.save()
    result = folder.read()
    assert told_of_rows(result) == [("images", 1, "9")]
    assert result.table[0].boxes == (Box(0, 1, 2, 11, 7), Box(0, 3, 3, 5, 5))


@pytest.mark.parametrize("change", [{"width": 7}, {"id": 9, "width": 7}, {"weather": "hazy"}])
def test_rows_of_an_image_that_contradict_each_other(folder: Folder, change: dict[str, Any]) -> None:
    folder.coco["images"].append(folder.coco["images"][0] | change)
    folder.save()
    assert only(folder.read(), folder.image(0)).code == "data.rows_contradict"


def test_two_images_of_one_id(folder: Folder) -> None:
    folder.coco["images"][1]["id"] = 0
    folder.save()
    rejected = {r.file.name: r.finding.code for r in folder.read().rejected if r.file.suffix == ".png"}
    assert rejected == dict.fromkeys(("drive_0.png", "drive_1.png"), "data.rows_contradict")


def test_two_categories_of_one_id(folder: Folder) -> None:
    folder.coco["categories"].append({"id": 1, "name": "pedestrian"})
    folder.save()
    result = folder.read()
    assert [s.boxes for s in result.table][:2] == [(), (Box(1, 0, 0, 40, 30, crowd=True),)]
    why = Finding.of("data.category_contradicts", id=1, names="car, pedestrian")
    assert [r.finding.values["why"] for r in result.rejected] == [why]


def test_an_annotation_whose_image_is_no_id(folder: Folder) -> None:
    folder.coco["annotations"].append(annotation(9, 0, [1, 1, 2, 2]) | {"image_id": []})
    folder.save()
    assert only(folder.read(), folder.root / "boxes_train.json", 4) == Finding.of(
        "data.annotations_alone", n=1, id=None
    )


def test_boxes_with_a_byte_order_mark(folder: Folder) -> None:
    boxes = folder.root / "boxes_train.json"
    boxes.write_bytes(codecs.BOM_UTF8 + boxes.read_bytes())
    result = folder.read()
    assert (result.rejected, result.boxes) == ([], 2)


def reread(folder: Folder, old: Path, name: str) -> None:
    """Move an image of the set, and list it under another name."""
    row = next(r for r in folder.coco["images"] if r["file_name"] == old.name)
    row["file_name"] = name
    folder.save()


def test_a_listed_tiff_is_read(folder: Folder) -> None:
    Image.open(folder.image(0)).save(folder.image(0).with_suffix(".tif"))
    folder.image(0).unlink()
    reread(folder, folder.image(0), "drive_0.tif")
    result = folder.read()
    assert result.rejected == []
    assert (result.table[0].image.name, result.table[0].boxes) == ("drive_0.tif", (Box(0, 1, 2, 11, 7),))


@pytest.mark.parametrize("suffix", [".gif", ".npy"])
def test_a_listed_file_of_another_form_is_told(folder: Folder, suffix: str) -> None:
    other = folder.image(0).rename(folder.image(0).with_suffix(suffix))
    reread(folder, folder.image(0), other.name)
    result = folder.read()
    assert len(result.table) == 3
    codes = {r.file: r.finding.code for r in result.rejected}
    assert codes[other] in ("data.other_suffix", "data.listed_unread")
    assert codes[folder.mask(0)] == "data.label_without_image"


def test_a_picture_of_another_form_is_told_without_a_list_too(folder: Folder) -> None:
    other = folder.image(0).rename(folder.image(0).with_suffix(".GIF"))
    folder.mask(0).unlink()
    assert only(folder.read(boxes=None), other) == Finding.of("data.other_suffix", suffixes=SUFFIXES)


@pytest.mark.parametrize(
    "name",
    [
        r"images\train\drive_0.png",
        r"..\train\drive_0.png",
        "images/../images/train/drive_0.png",
        "../train/drive_0.png",
        "./drive_0.png",
        "./images/train/drive_0.png",
    ],
)
def test_names_that_lead_into_the_folder_are_followed(folder: Folder, name: str) -> None:
    reread(folder, folder.image(0), name)
    result = folder.read()
    assert result.rejected == []
    assert result.table[0].boxes == (Box(0, 1, 2, 11, 7),)


def test_names_may_start_at_the_list(folder: Folder) -> None:
    (folder.root / "annotations").mkdir()
    for n, row in enumerate(folder.coco["images"]):
        row["file_name"] = f"../images/train/{folder.image(n).name}"
    folder.save()
    (folder.root / "boxes_train.json").rename(folder.root / "annotations" / "train.json")
    result = folder.read(boxes="annotations/{split}.json")
    assert (result.rejected, result.boxes) == ([], 2)


def test_a_back_slash_of_the_name_itself(folder: Folder) -> None:
    for path in (folder.image(0), folder.mask(0)):
        path.rename(path.with_name(r"dri\ve.png"))
    reread(folder, folder.image(0), r"dri\ve.png")
    result = folder.read()
    assert result.rejected == []
    assert {s.id: s.boxes for s in result.table}[r"dri\ve"] == (Box(0, 1, 2, 11, 7),)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name_empty"),
        ("/", "name_empty"),
        ("../../../etc/passwd", "name_outside"),
        ("/etc/passwd", "name_outside"),
        (r"..\..\..\etc\passwd", "name_outside"),
        ("../val/drive_0.png", "name_outside"),
        (None, "other_form"),
        ([], "other_form"),
    ],
)
def test_a_name_that_leads_elsewhere_goes_alone(folder: Folder, name: Any, code: str) -> None:
    reread(folder, folder.image(0), name)
    result = folder.read()
    assert len(result.table) == 3
    boxes = folder.root / "boxes_train.json"
    told = [r.finding.values["why"] for r in result.rejected if r.finding.code == "data.image_row"]
    assert [f.code for f in told if isinstance(f, Finding)] == [f"data.{code}"]
    rest = {(r.file, r.finding.code) for r in result.rejected if r.finding.code != "data.image_row"}
    # A row without a name lists no image: its annotations are told apart.
    alone = {(boxes, "data.annotations_alone")} if code == "other_form" else set()
    assert rest == {(folder.image(0), "data.image_without_label")} | alone


@pytest.mark.parametrize("name", ["x" * 256 + ".png", "\0.png", "a/" * 3000 + "b.png", "\n"])
def test_a_name_that_no_file_can_have_is_told(folder: Folder, name: str) -> None:
    reread(folder, folder.image(0), name)
    result = folder.read()
    assert len(result.table) == 3
    codes = sorted(r.finding.code for r in result.rejected)
    assert codes == ["data.image_without_label", "data.label_without_image"]


@pytest.mark.parametrize("id_", [True, None, [], {}, 1.5, float("nan")])
def test_an_image_whose_id_is_none(folder: Folder, id_: Any) -> None:
    folder.coco["images"][0]["id"] = id_
    folder.save()
    result = folder.read()
    assert len(result.table) == 3
    codes = sorted(r.finding.code for r in result.rejected)
    assert codes == ["data.annotations_alone", "data.image_row", "data.image_without_label"]


def test_ids_that_went_through_a_table_of_numbers(folder: Folder) -> None:
    for row in folder.coco["images"]:
        row["id"] = float(row["id"])
    for row in folder.coco["annotations"]:
        row |= {"image_id": float(row["image_id"]), "category_id": float(row["category_id"])}
    folder.save()
    result = folder.read()
    assert (result.rejected, result.boxes) == ([], 2)


@pytest.mark.parametrize(
    "bad",
    [
        *("text", None, [], {}, {"image_id": 2}),
        annotation(9, 2, [True, True, 5, 5]),
        annotation(9, 2, [5, 5, 4, float("inf")]),
        annotation(9, 2, [5, 5, 4, 10**400]),
        annotation(9, 2, [5, 5, 4, 4], True),  # type: ignore[arg-type]
        annotation(9, 2, [5, 5, 4, 4], []),  # type: ignore[arg-type]
        annotation(9, 2, {"x": 1}),  # type: ignore[arg-type]
        annotation(9, True, [5, 5, 4, 4]),
    ],
)
def test_an_annotation_of_any_form_goes_alone(folder: Folder, bad: Any) -> None:
    before = folder.read().table.rows
    folder.coco["annotations"].append(bad)
    folder.save()
    result = folder.read()
    assert [r.file for r in result.rejected] == [folder.root / "boxes_train.json"]
    assert result.table.rows.equals(before)


def test_extras_of_an_image_are_kept_whole(folder: Folder) -> None:
    extra = {"region": {"image_id": 7, "bbox": [1, 2, 3, 4], "depth": 3}, "gps": [1.5, None]}
    folder.coco["images"][0] |= extra
    folder.save()
    assert folder.read().table[0].extra == extra


def test_outlines_are_not_kept(folder: Folder) -> None:
    for row in folder.coco["annotations"]:
        row["segmentation"] = [[0.5] * 100]
    folder.save()
    content = CocoFile.load(folder.root / "boxes_train.json")
    assert content.annotations[0] == [CocoAnnotation(1, 0, 1, (1, 2, 10, 5), None)]


def with_suffixes(folder: Folder) -> None:
    """As IDD-Lite has it, with a second kind of labels."""
    for n in range(4):
        folder.image(n).rename(folder.image(n).with_name(f"drive_{n}_image.png"))
        folder.mask(n).rename(folder.mask(n).with_name(f"drive_{n}_label.png"))
        Image.new("L", (WIDTH, HEIGHT)).save(folder.mask(n).with_name(f"drive_{n}_inst_label.png"))
        folder.coco["images"][n]["file_name"] = f"drive_{n}_image.png"
    folder.save()


def test_images_and_masks_that_differ_by_a_word(folder: Folder) -> None:
    before = folder.read().table.rows
    with_suffixes(folder)
    result = folder.read(image_suffix="_image", mask_suffix="_label")
    names = ("id", "boxes", "sha256", "mask_sha256", "class_pixels")
    assert result.table.rows.select(names).equals(before.select(names))
    told = [(r.file.name, r.finding.code, r.kind) for r in result.rejected]
    assert told == [(f"drive_{n}_inst_label.png", "data.further_label", "row") for n in range(4)]
    assert result.images == 4


def test_words_that_images_have_in_the_folder_of_their_masks(folder: Folder) -> None:
    with_suffixes(folder)
    for path in (folder.root / "masks" / "train").iterdir():
        if "inst" in path.name:
            path.unlink()
        else:
            path.rename(folder.root / "images" / "train" / path.name)
    (folder.root / "images" / "train" / "notes.png").write_bytes(b"")
    result = folder.read(mask_folder="images/{split}", image_suffix="_image", mask_suffix="_label")
    assert [s.id for s in result.table] == [f"drive_{n}" for n in range(4)]
    assert [(r.file.name, r.finding.code) for r in result.rejected] == [("notes.png", "data.other_name")]


def test_an_image_or_a_mask_alone_among_those_with_words(folder: Folder) -> None:
    with_suffixes(folder)
    folder.mask(1).with_name("drive_1_label.png").unlink()
    folder.mask(1).with_name("drive_1_inst_label.png").unlink()
    folder.image(2).with_name("drive_2_image.png").unlink()
    for n in (0, 2, 3):
        folder.mask(n).with_name(f"drive_{n}_inst_label.png").unlink()
    result = folder.read(boxes=None, image_suffix="_image", mask_suffix="_label")
    assert [s.id for s in result.table] == ["drive_0", "drive_3"]
    assert {r.file.name: say(r.finding).split("/")[-1] for r in result.rejected} == {
        "drive_1_image.png": "drive_1_label.png",
        "drive_2_label.png": f"drive_2_image with any of {', '.join(SUFFIXES)}",
    }
