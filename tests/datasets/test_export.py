"""Exports, read again: the same pixels, masks and boxes."""

import csv
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from tasks.catalogue.language import speaking
from tasks.datasets.config import CityscapesDataset, FolderDataset, Stored
from tasks.datasets.errors import DatasetError, ItemError
from tasks.datasets.export import Format, export_table
from tasks.datasets.export.cityscapes import instance_ids
from tasks.datasets.images import read_image
from tasks.datasets.masks import read_mask
from tasks.datasets.read import read_dataset
from tasks.datasets.table import Box, Sample, SampleTable, SegmentationClass
from tasks.datasets.taxonomy import DatasetMap
from tests.datasets.writers.cityscapes import FORMAT, LABEL_IDS, write
from tests.datasets.writers.scene import CLASSES, HEIGHT, TAXONOMY, WIDTH, draw
from tests.report.test_korean import foreign

_EXPORTED = {
    "masks": {"kind": "index", "values": {c: [i] for i, c in enumerate(CLASSES)}, "ignore": [255]},
    "boxes": {name: name for name in TAXONOMY.detection},
}
READ_AGAIN = TAXONOMY.model_copy(update={"maps": {**TAXONOMY.maps, "exported": DatasetMap.model_validate(_EXPORTED)}})
COCO = FolderDataset(format="folder", name="exported", root=Path(), boxes="annotations/instances_{split}.json")
YOLO = FolderDataset(format="folder", name="exported", root=Path(), mask_folder=None, boxes="labels/{split}")
CITYSCAPES = CityscapesDataset(format="cityscapes", root=Path(), min_box_pixels=1)
READERS: dict[Format, Stored] = {"coco": COCO, "yolo": YOLO, "cityscapes": CITYSCAPES}
REFUSED: dict[Format, str] = {"yolo": "no boxes", "cityscapes": "no masks"}


@pytest.fixture
def table(tmp_path: Path) -> SampleTable:
    """Four images of two sequences; the first car of all is a group."""
    frames = [draw(n, FORMAT.stuff, FORMAT.things) for n in range(4)]
    car = next(t for t in frames[0].things if t.name == "car")
    frames[0] = replace(frames[0], objects=np.where(frames[0].objects == car.number, 0, frames[0].objects))
    write(tmp_path / "set", frames)
    return read_dataset(FORMAT.config(tmp_path / "set"), TAXONOMY).table


def changed(table: SampleTable, change: Callable[[Sample], Sample], folder: Path | None = None) -> SampleTable:
    return SampleTable.from_samples([change(s) for s in table], table.info, folder or table.folder)


def again(config: Stored, folder: Path, split: str = "train") -> SampleTable:
    result = read_dataset(config.model_copy(update={"root": folder, "split": split}), READ_AGAIN)
    assert result.rejected == []
    return result.table


def mask(table: SampleTable, sample: Sample) -> np.ndarray[Any, Any]:
    assert sample.mask is not None
    assert table.info.encoding is not None
    return read_mask(sample.mask, table.info.encoding)


def assert_same(back: SampleTable, table: SampleTable, masks: bool = True, crowds: bool = True) -> None:
    assert len(back) == len(table)
    for new, old in zip(back, table, strict=True):
        np.testing.assert_array_equal(read_image(new.image), read_image(old.image))
        assert (new.width, new.height, new.split) == (old.width, old.height, old.split)
        assert sorted(new.boxes or (), key=str) == sorted(
            (b for b in old.boxes or () if crowds or not b.crowd), key=str
        )
        if masks:
            np.testing.assert_array_equal(mask(back, new), mask(table, old))


def test_coco(table: SampleTable, tmp_path: Path) -> None:
    summary = export_table(table, tmp_path / "coco", "coco")
    assert (summary.images, summary.masks, summary.boxes, summary.left_out) == (4, 4, 16, {})
    assert_same(again(COCO, tmp_path / "coco"), table)
    content = json.loads((tmp_path / "coco/annotations/instances_train.json").read_text())
    assert content["categories"] == [{"id": n, "name": c} for n, c in enumerate(TAXONOMY.detection, 1)]
    assert [a["id"] for a in content["annotations"]] == list(range(1, 17))
    assert [a["iscrowd"] for a in content["annotations"]].count(1) == 1
    assert all(a["area"] == a["bbox"][2] * a["bbox"][3] for a in content["annotations"])
    classes = json.loads((tmp_path / "coco/classes.json").read_text())
    assert [c["name"] for c in classes] == [*CLASSES, "ignore"]
    assert classes[13] == {"id": 13, "name": "car", "color": [0, 0, 142]}
    assert "4 images, 4 masks, 16 boxes" in (tmp_path / "coco/README.txt").read_text()


@pytest.mark.parametrize("format_", ["coco", "cityscapes", "yolo"])
def test_what_was_written_is_told_in_the_language_that_is_spoken(
    table: SampleTable, tmp_path: Path, format_: Any
) -> None:
    with speaking("ko"):
        summary = export_table(table, tmp_path / "out", format_)
        assert "이미지 4장" in str(summary)
    told = (tmp_path / "out" / "README.txt").read_text(encoding="utf-8")
    assert "있습니다" in told
    assert foreign(told, {table.info.dataset}) == set()


def test_cityscapes(table: SampleTable, tmp_path: Path) -> None:
    summary = export_table(table, tmp_path / "out", "cityscapes")
    assert (summary.images, summary.masks, summary.boxes, summary.left_out) == (4, 4, 15, {})
    back = again(CITYSCAPES, tmp_path / "out")
    assert_same(back, table)
    with (tmp_path / "out/names.csv").open() as stream:
        names = {row["name"]: row["id"] for row in csv.DictReader(stream)}
    assert [names[s.id] for s in back] == [s.id for s in table]
    assert len({s.sequence for s in back}) == 2
    assert [s.sequence == back[0].sequence for s in back] == [s.sequence == table[0].sequence for s in table]
    sample = back[1]
    labels = tmp_path / "out/gtFine/train/cityscapes" / f"{sample.id}_gtFine"
    indices = mask(back, sample)
    np.testing.assert_array_equal(np.asarray(Image.open(f"{labels}_labelTrainIds.png")), indices)
    np.testing.assert_array_equal(np.asarray(Image.open(f"{labels}_labelIds.png")), LABEL_IDS[indices])
    colors = np.array([c.color for c in TAXONOMY.classes])
    np.testing.assert_array_equal(np.asarray(Image.open(f"{labels}_color.png")), colors[indices])
    assert sample.image.read_bytes() == table[1].image.read_bytes()


def test_what_is_ignored_is_unlabeled_in_cityscapes(table: SampleTable, tmp_path: Path) -> None:
    path = table[0].mask
    assert path is not None
    ids = np.asarray(Image.open(path)).copy()
    ids[:3] = 4  # static
    Image.fromarray(ids).save(path)
    export_table(table.take([0]), tmp_path / "out", "cityscapes")
    expected = {"labelIds": 0, "labelTrainIds": 255, "instanceIds": 0, "color": 0}
    for kind, value in expected.items():
        (file,) = (tmp_path / "out/gtFine/train/cityscapes").glob(f"*_{kind}.png")
        assert np.unique(np.asarray(Image.open(file))[:3]).tolist() == [value]


def test_yolo(table: SampleTable, tmp_path: Path) -> None:
    summary = export_table(table, tmp_path / "yolo", "yolo")
    assert (summary.images, summary.boxes) == (4, 15)
    assert summary.left_out == {"groups": 1, "masks": 4}
    assert "left out: 1 boxes of groups" in str(summary)
    assert_same(again(YOLO, tmp_path / "yolo"), table, masks=False, crowds=False)
    assert yaml.safe_load((tmp_path / "yolo/data.yaml").read_text()) == {
        "train": "images/train",
        "names": dict(enumerate(TAXONOMY.detection)),
    }


def test_yolo_comes_back_to_any_place_in_a_large_image(table: SampleTable, tmp_path: Path) -> None:
    boxes = (Box(2, 0, 0, 8191, 1), Box(0, 1233.25, 77.125, 1234.5, 4319), Box(1, 8190, 4319, 8191, 4320))
    large = changed(table.take([0]), lambda s: replace(s, width=8191, height=4320, boxes=boxes))
    export_table(large, tmp_path / "yolo", "yolo")
    (path,) = (tmp_path / "yolo/labels/train").iterdir()
    for line, box in zip(path.read_text().splitlines(), boxes, strict=True):
        category, x, y, w, h = (float(v) for v in line.split())
        edges = [(x - w / 2) * 8191, (y - h / 2) * 4320, (x + w / 2) * 8191, (y + h / 2) * 4320]
        assert category == box.category
        assert edges == pytest.approx([box.x1, box.y1, box.x2, box.y2], abs=1e-5)


def test_a_translated_table(table: SampleTable, tmp_path: Path) -> None:
    """Images relative to the table, in another place and another format than the masks."""
    folder = tmp_path / "translated"
    (folder / "images").mkdir(parents=True)
    for s in table:
        Image.open(s.image).save(folder / "images" / f"{s.id}.jpg", quality=50)
    translated = changed(table, lambda s: replace(s, image=Path(f"images/{s.id}.jpg")), folder)
    translated.write(folder)
    translated = SampleTable.read(folder)
    for format_, config in READERS.items():
        to = tmp_path / format_
        export_table(translated, to, format_)
        assert_same(again(config, to), translated, masks=format_ != "yolo", crowds=format_ != "yolo")
    first = folder / "images" / f"{table[0].id}.jpg"
    assert (tmp_path / "coco/images/train" / first.name).read_bytes() == first.read_bytes()


def test_images_and_masks_in_archives(table: SampleTable, tmp_path: Path) -> None:
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        for s in table:
            assert s.mask is not None
            stream.write(s.image, f"images/{s.id}.png")
            stream.write(s.mask, f"masks/{s.id}.png")
    zipped = changed(
        table, lambda s: replace(s, image=archive / f"images/{s.id}.png", mask=archive / f"masks/{s.id}.png")
    )
    export_table(zipped, tmp_path / "coco", "coco", link=True)
    assert_same(again(COCO, tmp_path / "coco"), table)
    export_table(zipped, tmp_path / "cityscapes", "cityscapes", link=True)
    assert_same(again(CITYSCAPES, tmp_path / "cityscapes"), table)


@pytest.mark.parametrize("format_", ["coco", "yolo", "cityscapes"])
@pytest.mark.parametrize("link", [False, True])
def test_links(table: SampleTable, tmp_path: Path, format_: Format, link: bool) -> None:
    behind = tmp_path / "behind.png"
    table[0].image.rename(behind)
    table[0].image.symlink_to("../../../../behind.png")
    export_table(table, tmp_path / "out", format_, link=link)
    images = sorted(p for p in (tmp_path / "out").rglob("*.png") if not {"gtFine", "masks"} & set(p.parts))
    assert [new.samefile(old.image) for new, old in zip(images, table, strict=True)] == [link] * 4
    assert images[0].read_bytes() == behind.read_bytes()
    assert not images[0].is_symlink()


def test_splits_have_folders_of_their_own(table: SampleTable, tmp_path: Path) -> None:
    two = changed(table, lambda s: replace(s, split="train" if s.sequence == table[0].sequence else "val"))
    parts = {split: table.take([n for n, s in enumerate(two) if s.split == split]) for split in ("train", "val")}
    for format_, config in READERS.items():
        to = tmp_path / format_
        export_table(two, to, format_)
        for split, part in parts.items():
            expected = changed(part, lambda s, split=split: replace(s, split=split))
            assert_same(again(config, to, split), expected, masks=format_ != "yolo", crowds=format_ != "yolo")
    assert yaml.safe_load((tmp_path / "yolo/data.yaml").read_text())["val"] == "images/val"


def test_labels_that_some_images_lack(table: SampleTable, tmp_path: Path) -> None:
    ids = [s.id for s in table]
    some = changed(
        table, lambda s: replace(s, boxes=None) if s.id == ids[1] else replace(s, mask=None) if s.id == ids[2] else s
    )
    coco = export_table(some, tmp_path / "coco", "coco")
    assert (coco.images, coco.masks, coco.boxes) == (4, 3, 12)
    assert coco.left_out == {"unlisted": 1}
    content = json.loads((tmp_path / "coco/annotations/instances_train.json").read_text())
    assert [i["file_name"] for i in content["images"]] == [f"{i}.png" for i in ids if i != ids[1]]
    yolo = export_table(some, tmp_path / "yolo", "yolo")
    assert (yolo.images, yolo.left_out["no_boxes"]) == (3, 1)
    assert {p.stem for p in (tmp_path / "yolo/images/train").iterdir()} == {*ids} - {ids[1]}
    cityscapes = export_table(some, tmp_path / "cityscapes", "cityscapes")
    assert (cityscapes.images, cityscapes.boxes, cityscapes.left_out) == (3, 7, {"no_mask": 1})


def test_boxes_that_cityscapes_cannot_say(table: SampleTable, tmp_path: Path) -> None:
    info = table.info.model_copy(update={"detection": ("person", "car", "traffic sign", "bus")})
    other = SampleTable(table.rows, info, table.folder)
    summary = export_table(other, tmp_path / "out", "cityscapes")
    assert summary.boxes == 11
    assert summary.left_out == {"not_things": 4}
    moved = changed(table, lambda s: replace(s, boxes=(Box(1, 0, 0, 1, 1),)))  # where there is no car
    summary = export_table(moved, tmp_path / "moved", "cityscapes")
    assert summary.boxes == 0
    assert summary.left_out == {"no_pixels": 4}


def test_a_table_without_labels(table: SampleTable, tmp_path: Path) -> None:
    info = table.info.model_copy(update={"boxes_from": None, "encoding": None})
    plain = SampleTable.from_samples([replace(s, boxes=None, mask=None) for s in table], info, table.folder)
    summary = export_table(plain, tmp_path / "coco", "coco")
    assert (summary.images, summary.masks, summary.boxes) == (4, 0, 0)
    assert sorted(p.name for p in (tmp_path / "coco").iterdir()) == ["README.txt", "images"]
    for format_, missing in REFUSED.items():
        with pytest.raises(DatasetError, match=f"cityscapes: has {missing}.* export it as coco"):
            export_table(plain, tmp_path / format_, format_)
        assert not (tmp_path / format_).exists()


def test_classes_that_are_none_of_cityscapes(table: SampleTable, tmp_path: Path) -> None:
    classes = (*table.info.classes[:-2], *(SegmentationClass(name=n, color=(1, 1, 1)) for n in ("puddle", "lane")))
    other = SampleTable(table.rows, table.info.model_copy(update={"classes": classes}), table.folder)
    with pytest.raises(DatasetError, match=r"puddle, lane is no class of Cityscapes.* traffic light"):
        export_table(other, tmp_path / "out", "cityscapes")


def test_what_lies_there_is_left_alone(table: SampleTable, tmp_path: Path) -> None:
    to = tmp_path / "out"
    to.mkdir()
    (to / "mine.txt").write_text("mine")
    with pytest.raises(DatasetError, match=f"{to}: exists already"):
        export_table(table, to, "coco")
    assert [p.name for p in to.iterdir()] == ["mine.txt"]
    with pytest.raises(DatasetError, match=r"mine.txt: exists already"):
        export_table(table, to / "mine.txt", "coco")
    (tmp_path / "new.partial").mkdir()
    with pytest.raises(DatasetError, match=r"new.partial: an export is being written, or was killed"):
        export_table(table, tmp_path / "new", "coco")


def test_an_empty_folder_is_filled(table: SampleTable, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert export_table(table, tmp_path / "out", "coco").images == 4
    with pytest.raises(DatasetError, match="has no images"):
        export_table(table.take([]), tmp_path / "none", "coco")


@pytest.mark.parametrize("format_", ["coco", "yolo", "cityscapes"])
def test_an_error_leaves_nothing_behind(table: SampleTable, tmp_path: Path, format_: Format) -> None:
    table[2].image.unlink()
    with pytest.raises(ItemError, match=f"{table[2].image}: no such file"):
        export_table(table, tmp_path / "below" / "out", format_)
    assert list((tmp_path / "below").iterdir()) == []


def test_instances_of_overlapping_boxes() -> None:
    labels = np.full((HEIGHT, WIDTH), 7, np.uint8)
    labels[10:20, 10:50] = 26
    labels[40:50, 10:20] = 26  # in no box
    labels[12:14, 12:14] = 24
    large, small, other = Box(0, 10, 10, 50, 20), Box(0, 30, 10, 40, 20), Box(1, 0, 0, 96, 64)
    instances, boxes = instance_ids(labels, [(26, large), (26, small), (24, other)])
    assert (instances.dtype, boxes) == (np.uint16, 3)
    assert (instances[10:20, 30:40] == 26000).all()
    assert np.count_nonzero(instances == 26001) == 300 - 4
    assert np.count_nonzero(instances == 24000) == 4
    assert np.count_nonzero(instances == 26) == 100
    np.testing.assert_array_equal(instances[labels == 7], 7)


def test_instances_of_boxes_between_pixels_and_without_any() -> None:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[5:10, 5:10] = 24
    inside, whole = Box(0, 5.5, 5.5, 8.5, 8.5), Box(0, 4, 4, 9.5, 9.5)
    instances, boxes = instance_ids(labels, [(24, inside), (24, Box(0, 50, 50, 60, 60)), (24, whole)])
    assert boxes == 2
    assert (instances[5:9, 5:9] == 24000).all()
    assert np.count_nonzero(instances == 24001) == 25 - 16


def test_a_class_has_a_thousand_instances_at_most() -> None:
    labels = np.full((40, 40), 24, np.uint8)
    boxes = [(24, Box(0, x, y, x + 1, y + 1)) for x in range(40) for y in range(40)]
    instances, count = instance_ids(labels, boxes)
    assert (count, instances.max(), np.count_nonzero(instances == 24)) == (1000, 24999, 600)
