"""Counts that add up, in every format: nothing that a set has is lost without a word."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.catalogue.language import speaking
from tasks.contracts.dataset_counts import BoxCounts, DatasetCounts, ImageCounts
from tasks.datasets.config import FolderDataset, KittiDataset
from tasks.datasets.overview.numbers import overview_of
from tasks.datasets.overview.page import write_overview
from tasks.datasets.read import ReadResult, read_dataset
from tasks.report.words import sums
from tests.datasets.test_formats import BAD, COUNT, FORMATS
from tests.datasets.writers.scene import TAXONOMY, Format, Frame, draw

PEOPLE = TAXONOMY.narrowed(("person",))
MORE = {"kitti-object": 1}  # lines that the writer adds to each image: of classes that no taxonomy has


def written(format_: Format, root: Path) -> tuple[list[Frame], Any]:
    frames = [draw(n, format_.stuff, format_.things) for n in range(COUNT)]
    return frames, format_.write(root, frames)


def adds_up(result: ReadResult) -> BoxCounts:
    """The boxes' counts (all 0 where the set has none), after checking the sums and what they are sums of."""
    images, boxes = result.counts.images, result.counts.boxes
    rejected = [r.kind for r in result.rejected]
    assert (images.lost, images.read, images.rejected) == (0, len(result.table), rejected.count("image"))
    if boxes is None:
        assert all(s.boxes is None for s in result.table)
        return BoxCounts.model_validate(dict.fromkeys(BoxCounts.model_fields, 0))
    assert (boxes.lost, boxes.rejected) == (0, rejected.count("box"))
    assert boxes.kept == sum(len(s.boxes or ()) for s in result.table)
    return boxes


@pytest.mark.parametrize("format_", FORMATS, ids=lambda f: f.name)
def test_of_a_good_set(format_: Format, tmp_path: Path) -> None:
    frames, _ = written(format_, tmp_path)
    result = read_dataset(format_.config(tmp_path), TAXONOMY, tmp_path / "table")
    assert result.counts.images == ImageCounts(found=COUNT, read=COUNT, rejected=0, out=0)
    things, more = sum(len(f.things) for f in frames), COUNT * MORE.get(format_.name, 0)
    boxes = adds_up(result)
    assert (boxes.listed, boxes.kept, boxes.other) == (things + more, things, more)


@pytest.mark.parametrize("format_", FORMATS, ids=lambda f: f.name)
def test_of_a_damaged_set_of_which_some_is_asked_for(format_: Format, tmp_path: Path) -> None:
    frames, set_ = written(format_, tmp_path)
    image = set_.files[BAD].image
    broken = image.is_file()  # not in an archive
    if broken:
        image.write_bytes(image.read_bytes()[:60])
    if format_.spoil_box is not None:
        format_.spoil_box(set_.files[0])
    if format_.folder is not None:
        (format_.folder(tmp_path) / "self").symlink_to("self")
    config = format_.config(tmp_path).model_copy(update={"images": 2, "draw": "stratified"})
    taxonomy = PEOPLE if any(t.name == "person" for t in frames[0].things) else TAXONOMY
    result = read_dataset(config, taxonomy, tmp_path / "table")
    boxes = adds_up(result)
    loops, read = int(format_.folder is not None), COUNT - broken
    assert result.counts.images == ImageCounts(found=COUNT + loops, read=2, rejected=broken + loops, out=read - 2)
    assert boxes.rejected == (format_.spoil_box is not None)
    if config.format in ("camvid", "gta5"):  # a region of pixels is an object only where its class is asked for
        assert (boxes.other, boxes.listed) == (0, read)
    elif boxes.listed:
        assert boxes.listed == read * (len(frames[0].things) + MORE.get(format_.name, 0))
        assert boxes.other > 0 or taxonomy is TAXONOMY


@pytest.mark.parametrize("format_", FORMATS, ids=lambda f: f.name)
def test_what_is_not_asked_for_is_out_and_not_lost(format_: Format, tmp_path: Path) -> None:
    _, set_ = written(format_, tmp_path)
    for changes, out in (({"include": set_.files[1].id}, COUNT - 1), ({"images": 3}, 1)):
        result = read_dataset(format_.config(tmp_path).model_copy(update=changes), TAXONOMY, tmp_path / "table")
        assert result.counts.images == ImageCounts(found=COUNT, read=COUNT - out, rejected=0, out=out)
        adds_up(result)


def test_repeated_annotations_are_counted_once_and_told(tmp_path: Path) -> None:
    format_ = next(f for f in FORMATS if f.name == "folder-coco")
    _, set_ = written(format_, tmp_path)
    content = json.loads(set_.json.read_text())
    first = content["annotations"][0]
    content["images"].append(content["images"][0] | {"id": 99})
    content["annotations"] += [first, first, first | {"id": 99, "image_id": 99}]
    set_.json.write_text(json.dumps(content))
    boxes = adds_up(read_dataset(format_.config(tmp_path), TAXONOMY))
    assert (boxes.listed, boxes.kept, boxes.merged) == (19, 16, 3)


def test_repeated_objects_of_nuimages(tmp_path: Path) -> None:
    format_ = next(f for f in FORMATS if f.name == "nuimages")
    _, set_ = written(format_, tmp_path)
    rows = json.loads(set_.json.read_text())
    set_.json.write_text(json.dumps([*rows, rows[0], rows[0], rows[5]]))
    boxes = adds_up(read_dataset(format_.config(tmp_path), TAXONOMY, tmp_path / "table"))
    assert (boxes.listed, boxes.kept, boxes.merged) == (19, 16, 3)


def test_a_region_of_every_class_counts_once_a_class(tmp_path: Path) -> None:
    _, set_ = written(next(f for f in FORMATS if f.name == "kitti-object"), tmp_path)
    with set_.files[0].labels.open("a") as stream:
        stream.write("DontCare -1 -1 -10 1.00 2.00 9.00 9.00 -1 -1 -1 -1000 -1000 -1000 -10\n")
    result = read_dataset(KittiDataset(format="kitti", root=tmp_path, labels="object"), TAXONOMY)
    boxes = adds_up(result)
    assert (boxes.listed, boxes.kept, boxes.other) == (16 + len(TAXONOMY.detection), 12 + len(TAXONOMY.detection), 4)


def test_an_odd_file_and_a_further_label(tmp_path: Path) -> None:
    _, set_ = written(next(f for f in FORMATS if f.name == "folder-yolo"), tmp_path)
    mask = set_.files[0].mask
    mask.with_name("000_x_L.png").write_bytes(mask.read_bytes())  # a further label: nothing that should be an image
    set_.files[0].image.with_name("odd.gif").write_bytes(b"")  # what should be one
    config = FolderDataset(
        format="folder", name="camvid32", root=tmp_path, mask_suffix="_L", boxes="labels/{split}"
    ).model_copy(update={"shares": None})
    result = read_dataset(config, TAXONOMY)
    assert result.counts.images == ImageCounts(found=5, read=4, rejected=1, out=0)
    assert {r.kind for r in result.rejected} == {"row", "image"}


COUNTS = DatasetCounts(
    images=ImageCounts(found=1009, read=1000, rejected=2, out=7),
    boxes=BoxCounts(listed=2020, kept=2000, rejected=5, other=4, hidden=3, merged=2, out=6),
)


def test_the_overview_shows_the_sums(tmp_path: Path) -> None:
    format_ = FORMATS[0]
    written(format_, tmp_path)
    table = read_dataset(format_.config(tmp_path), TAXONOMY).table
    write_overview(tmp_path / "a.html", [overview_of(table, "source", counts=COUNTS)], "Sets")
    page = (tmp_path / "a.html").read_text()
    assert "1,009 = 1,000 read + 2 rejected + 7 of other splits or not drawn" in page
    told = "5 rejected + 4 of other classes + 3 hidden + 2 repeated + 6 of images not drawn"
    assert f"2,020 = 2,000 kept + {told}" in page


def test_the_report_says_the_sums() -> None:
    assert sums(COUNTS) == (
        "images: 1,009 found = 1,000 read + 2 rejected + 7 left out on purpose; boxes: 2,020 listed = 2,000 kept + "
        "5 rejected + 4 of other classes + 3 hidden + 2 repeated + 6 of images not drawn"
    )
    with speaking("ko"):
        assert sums(COUNTS.model_copy(update={"boxes": None})) == (
            "이미지: 발견 1,009 = 읽음 1,000 + 제외 2 + 의도적으로 뺌 7"
        )
