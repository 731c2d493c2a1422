"""Reading SHIFT: what every format must survive is in test_formats.py; here are its layouts, labels and archives."""

import json
import multiprocessing
import os
import shutil
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.catalogue.language import say
from tasks.contracts.finding import Finding
from tasks.datasets.config import ShiftDataset
from tasks.datasets.errors import DatasetError
from tasks.datasets.files import files_below, read_bytes
from tasks.datasets.read import ReadResult, read_dataset
from tasks.datasets.table import Box
from tests.datasets.writers.scene import CLASSES, HEIGHT, TAXONOMY, WIDTH, Written, draw
from tests.datasets.writers.shift import encoded, put, tagged, write

VIEW = "discrete/images/train/front"
STUFF = CLASSES[:11]
FRAMES = [draw(n, STUFF, ["person", "car"]) for n in range(4)]
SEQUENCE, NAME = "000c-a4f0", "00000020_img_front.jpg"  # of the third frame
ID = "000c-a4f0__00000020"


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., ReadResult]:
    return lambda **options: read_dataset(ShiftDataset(format="shift", root=tmp_path, **options), TAXONOMY)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return write(tmp_path, FRAMES, VIEW)


@pytest.fixture
def zipped(tmp_path: Path) -> Written:
    return write(tmp_path, FRAMES, VIEW, ".zip")


def change(file: Path | None, edit: Callable[[dict[str, Any]], Any]) -> None:
    """Edit what det_2d.json says of the third frame."""
    assert file is not None
    content = json.loads(file.read_text())
    edit(content["frames"][2])
    file.write_text(json.dumps(content))


def rejected(result: ReadResult) -> list[tuple[Path, str]]:
    return [(r.file, r.cause) for r in result.rejected]


def box(category: Any, x1: Any, y1: Any, x2: Any, y2: Any) -> dict[str, Any]:
    return {"id": "7", "category": category, "box2d": {"x1": x1, "y1": y1, "x2": x2, "y2": y2}}


def test_sides_lie_inside_the_box_and_categories_are_their_own(
    written: Written, read: Callable[..., ReadResult]
) -> None:
    labels = [box("truck", 3, 4, 3, 4), box("bus", 90, 60, 200, 90.5), box("bicycle", 1, 2, 9, 9)]
    change(written.json, lambda frame: frame.update(labels=labels))
    result = read()
    assert result.rejected == []
    sample = {s.id: s for s in result.table}[ID]
    assert sample.boxes == (Box(2, 3, 4, 4, 5), Box(3, 90, 60, WIDTH, HEIGHT))
    assert sample.extra == {"weather_coarse": "rainy", "timeofday_coarse": "night"}
    assert sample.sequence == SEQUENCE


@pytest.mark.parametrize("labels", [None, []])
def test_a_frame_without_labels_shows_no_objects(
    written: Written, read: Callable[..., ReadResult], labels: list[Any] | None
) -> None:
    change(written.json, lambda frame: frame.update(labels=labels, attributes=None))
    result = read()
    assert result.rejected == []
    assert [(s.boxes, s.extra) for s in result.table if s.id == ID] == [((), {})]


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("car", "label 0 of 000c-a4f0/00000020: Input should be a valid dictionary"),
        (box("tram", 1, 2, 3, 4), "label 7 of 000c-a4f0/00000020: category 'tram' is not in the taxonomy's maps.shift"),
        (box(["car"], 1, 2, 3, 4), "category: Input should be a valid string"),
        ({"category": "car", "box2d": None}, "label 0 of 000c-a4f0/00000020: box2d: Input should be"),
        (box("car", 1, 2, float("nan"), 4), "box2d.x2: Input should be a finite number"),
        (box("car", 5, 2, 3, 4), "has no area"),
        (box("car", 96, 2, 99, 4), "lies outside its image of 96x64"),
    ],
)
def test_a_malformed_label(written: Written, read: Callable[..., ReadResult], label: Any, reason: str) -> None:
    change(written.json, lambda frame: frame.update(labels=[label, box("car", 1, 2, 3, 4)]))
    result = read()
    assert rejected(result) == [(written.json, "boxes")]
    assert reason in say(result.rejected[0].finding)
    assert [s.boxes for s in result.table if s.id == ID] == [(Box(1, 1, 2, 4, 5),)]


def test_frames_that_are_odd_or_missing(written: Written, read: Callable[..., ReadResult]) -> None:
    assert written.json is not None
    frames = json.loads(written.json.read_text())["frames"]
    frames[2]["name"] = "00000020_img_left_45.jpg"
    frames += [frames[0], {"name": "00000099_img_front.jpg", "videoName": SEQUENCE}]
    written.json.write_text(json.dumps(frames))  # a bare list is of the format too
    result = read()
    assert len(result.table) == 3
    reasons = {(r.file, r.cause): say(r.finding) for r in result.rejected}
    image = written.files[2].image
    assert reasons.keys() == {(written.json, c) for c in ("named", "unique", "paired")} | {(image, "paired")}
    assert "00000020_img_left_45.jpg" in reasons[written.json, "named"]
    assert "1 rows of frames repeat" in reasons[written.json, "unique"]
    assert "000c-a4f0/00000000" in reasons[written.json, "unique"]
    assert f"img/{SEQUENCE}/00000099_img_front.jpg" in reasons[written.json, "paired"]
    assert f"{written.json} does not list it" in reasons[image, "paired"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{}", "frames: Field required"),
        ("7", "frames: Input should be a valid list"),
        ('[{"name": "a"}]', "frames.0.videoName: Field required"),
    ],
)
def test_a_file_of_another_form(written: Written, read: Callable[..., ReadResult], content: str, reason: str) -> None:
    assert written.json is not None
    written.json.write_text(content)
    with pytest.raises(DatasetError, match=f"det_2d.json: is no Scalabel file: .*{reason}"):
        read()


def test_a_kind_of_label_that_is_absent_as_a_whole(
    written: Written, tmp_path: Path, read: Callable[..., ReadResult]
) -> None:
    folder = tmp_path / VIEW
    (folder / "det_2d.json").rename(folder / "kept.json")
    masks = read().table
    assert (masks.info.boxes_from, {s.boxes for s in masks}, len(masks)) == (None, {None}, 4)
    assert masks[0].mask is not None
    shutil.rmtree(folder / "semseg")
    with pytest.raises(DatasetError, match=r"has no labels: neither semseg, semseg\.zip nor det_2d\.json"):
        read()
    (folder / "kept.json").rename(folder / "det_2d.json")
    boxes = read().table
    assert (boxes.info.encoding, {s.mask for s in boxes}, len(boxes)) == (None, {None}, 4)
    assert all(s.boxes for s in boxes)


def test_grey_masks_and_masks_with_alpha(written: Written, read: Callable[..., ReadResult]) -> None:
    before = read().table
    tags = tagged(FRAMES[0])
    assert written.files[0].mask is not None
    assert written.files[1].mask is not None
    written.files[0].mask.write_bytes(encoded(tags[..., 0], "png"))
    alpha = np.dstack([tagged(FRAMES[1]), np.zeros((HEIGHT, WIDTH), np.uint8)])
    written.files[1].mask.write_bytes(encoded(alpha, "png"))
    assert [s.class_pixels for s in read().table] == [s.class_pixels for s in before]


def test_tags_of_later_versions_of_carla(written: Written, read: Callable[..., ReadResult]) -> None:
    for frame, files in zip(FRAMES, written.files, strict=True):
        assert files.mask is not None
        files.mask.write_bytes(encoded((frame.classes + 1).astype(np.uint8), "png"))  # train id + 1
    result = read(labels="carla_0914")
    assert result.rejected == []
    counts = [np.bincount(f.classes.ravel(), minlength=len(CLASSES)) for f in FRAMES]
    by_id = {s.id: s for s in result.table}
    assert [by_id[f.id].class_pixels for f in written.files] == [tuple(c.tolist()) for c in counts]
    assert by_id[ID].boxes


def test_rates_and_both_orders_of_folders(tmp_path: Path, read: Callable[..., ReadResult]) -> None:
    options = {"kind": "continuous"}
    write(tmp_path, FRAMES[:2], "continuous/images/1x/train/front")
    assert len(read(**options).table) == 2
    write(tmp_path, FRAMES, "continuous/10x/images/train/front")
    with pytest.raises(
        DatasetError, match=r"more than once: .*10x/images/train/front, .*images/1x/train/front; .*rate"
    ):
        read(**options)
    assert len(read(**options, rate="10x").table) == 4
    assert len(read(**options, rate="1x").table) == 2
    with pytest.raises(DatasetError, match=r"images/100x/train/front: no such folder; there is .*1x"):
        read(**options, rate="100x")
    with pytest.raises(DatasetError, match=r"images/\[<rate>/\]val/front: no such folder$"):
        read(**options, split="val")


@pytest.mark.parametrize("name", ["img.tar", "img.hdf5", "img_decompressed.tar", "semseg.hdf5"])
def test_containers_that_cannot_be_read(
    written: Written, tmp_path: Path, read: Callable[..., ReadResult], name: str
) -> None:
    folder = tmp_path / VIEW
    kind = name[: 3 if name.startswith("img") else 6]
    (folder / kind).rename(folder / "elsewhere")
    (folder / name).touch()
    with pytest.raises(DatasetError, match=rf"{name}: cannot be read; {kind} is read from .*shift_dev.io"):
        read()
    (folder / name).unlink()
    if kind == "img":
        with pytest.raises(DatasetError, match=r"img: no such folder, and no img\.zip"):
            read()


def test_frames_as_the_dev_kit_decompresses_them(
    zipped: Written, tmp_path: Path, read: Callable[..., ReadResult]
) -> None:
    (tmp_path / VIEW / "img.zip").rename(tmp_path / VIEW / "img_decompressed.zip")
    assert len(read().table) == 4


def test_an_archive_may_be_called_in_capitals(zipped: Written, tmp_path: Path) -> None:
    place = tmp_path / VIEW / "img.zip"
    capital = place.rename(place.with_name("IMG.ZIP"))
    inside = f"{SEQUENCE}/{NAME}"
    assert capital / inside in files_below(capital, Finding.of("data.not_regular")).files
    assert read_bytes(capital / inside).startswith(b"\xff\xd8")


@pytest.mark.parametrize("kind", ["pipe", "link to nowhere"])
def test_boxes_that_are_no_file_are_not_a_view_without_boxes(
    written: Written, read: Callable[..., ReadResult], kind: str
) -> None:
    assert written.json is not None
    written.json.unlink()
    if kind == "pipe":
        os.mkfifo(written.json)
    else:
        written.json.symlink_to("gone.json")
    with pytest.raises(DatasetError, match=r"det_2d\.json"):
        read()


def test_damaged_files_in_an_archive(zipped: Written, tmp_path: Path, read: Callable[..., ReadResult]) -> None:
    images, masks = tmp_path / VIEW / "img.zip", tmp_path / VIEW / "semseg.zip"
    of = {n: "/".join(f.image.parts[-2:]) for n, f in enumerate(zipped.files)}
    put(images, of[0], encoded(FRAMES[0].image, "jpeg")[:60])
    narrow = encoded(tagged(FRAMES[1])[:, :-1], "png")
    put(masks, of[1].replace("img", "semseg").replace("jpg", "png"), narrow)
    put(images, "00ff-a4f0/1.jpg", b"")
    put(images, "__MACOSX/00ff-a4f0/._1.jpg", b"")
    result = read()
    assert [s.id for s in result.table] == [ID, zipped.files[3].id]
    assert set(rejected(result)) == {
        (zipped.files[0].image, "decodable"),
        (zipped.files[1].mask, "size"),
        (images / "00ff-a4f0/1.jpg", "named"),
    }


@pytest.mark.parametrize("kind", ["img", "semseg"])
def test_a_missing_partner_in_an_archive(
    zipped: Written, tmp_path: Path, read: Callable[..., ReadResult], kind: str
) -> None:
    path = tmp_path / VIEW / f"{kind}.zip"
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    path.unlink()
    for name, content in members.items():
        if "00000020" not in name:
            put(path, name, content)
    result = read()
    assert len(result.table) == 3
    left, gone = zipped.files[2].image, zipped.files[2].mask
    left, gone = (left, gone) if kind == "semseg" else (gone, left)
    assert rejected(result) == [(left, "paired")]
    assert result.rejected[0].finding.values["missing"] == Finding.of("data.no_file", file=gone)


def test_a_frame_that_an_archive_holds_twice(zipped: Written, tmp_path: Path, read: Callable[..., ReadResult]) -> None:
    images = tmp_path / VIEW / "img.zip"
    put(images, f"more/{SEQUENCE}/{NAME}", encoded(FRAMES[0].image, "jpeg"))
    result = read()
    assert len(result.table) == 4
    assert rejected(result) == [(images / "more" / SEQUENCE / NAME, "unique")]


def test_an_archive_whose_bytes_changed(zipped: Written, tmp_path: Path, read: Callable[..., ReadResult]) -> None:
    path = tmp_path / VIEW / "img.zip"
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{SEQUENCE}/{NAME}")
    content = bytearray(path.read_bytes())
    content[info.header_offset + 200] ^= 255
    path.write_bytes(content)
    result = read()
    assert rejected(result) == [(zipped.files[2].image, "found")]
    found = result.rejected[0].finding
    assert isinstance(found.values["problem"], Finding)
    assert (found.code, found.values["problem"].code) == ("data.not_readable", "data.damaged_archive")


def cut(content: bytes) -> bytes:
    return content[:-30]


def later_version(content: bytes) -> bytes:
    """The central directory asks for a version of the format that there is not."""
    at = content.index(b"PK\x01\x02") + 6
    return content[:at] + b"\xff\xff" + content[at + 2 :]


@pytest.mark.parametrize("spoil", [cut, later_version, lambda content: b"", lambda content: b"<html>"])
def test_an_archive_that_is_none(
    zipped: Written, tmp_path: Path, read: Callable[..., ReadResult], spoil: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / VIEW / "semseg.zip"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DatasetError, match=r"semseg\.zip: cannot be read as a zip archive"):
        read()


def test_an_archive_that_lacks_its_beginning(zipped: Written, tmp_path: Path, read: Callable[..., ReadResult]) -> None:
    path = tmp_path / VIEW / "img.zip"
    path.write_bytes(path.read_bytes()[3000:])
    result = read()
    assert rejected(result) == [(zipped.files[0].image, "found")]
    assert len(result.table) == 3


def test_an_archive_that_is_replaced_is_read_anew(
    zipped: Written, tmp_path: Path, read: Callable[..., ReadResult]
) -> None:
    before = {s.id: s.sha256 for s in read().table}
    put(tmp_path / VIEW / "img.zip", f"{SEQUENCE}/{NAME}", encoded(np.zeros((HEIGHT, WIDTH, 3), np.uint8), "jpeg"))
    result = read()
    assert result.rejected == []
    assert [s.id for s in result.table if s.sha256 != before[s.id]] == [ID]


def contents(zipped: Written) -> list[bytes]:
    return [read_bytes(files.image) for files in zipped.files for _ in range(50)]


def test_many_threads_read_one_archive(zipped: Written) -> None:
    expected = contents(zipped)
    with ThreadPoolExecutor(16) as pool:
        assert all(found == expected for found in pool.map(contents, [zipped] * 32))


def test_a_forked_process_reads_an_archive_that_its_parent_reads(zipped: Written) -> None:
    expected = contents(zipped)
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=lambda: [exit(9) for _ in range(5) if contents(zipped) != expected]) for _ in "ab"]
    for process in processes:
        process.start()
    same = [contents(zipped) == expected for _ in range(5)]
    for process in processes:
        process.join(20)
    assert all(same)
    assert [process.exitcode for process in processes] == [0, 0]


def test_frames_that_contradict_each_other(written: Written, read: Callable[..., ReadResult]) -> None:
    assert written.json is not None
    content = json.loads(written.json.read_text())
    content["frames"].append(content["frames"][2] | {"labels": []})
    written.json.write_text(json.dumps(content))
    result = read()
    assert len(result.table) == 3
    assert rejected(result) == [(written.files[2].image, "unique")]
    assert result.rejected[0].finding == Finding.of("data.rows_contradict", key=f"{SEQUENCE}/00000020", n=2)


def test_a_frame_whose_labels_are_in_another_form(written: Written, read: Callable[..., ReadResult]) -> None:
    change(written.json, lambda frame: frame.update(objects=frame.pop("labels")))
    result = read()
    assert [(r.file.name, r.finding.code, r.finding.values["keys"]) for r in result.rejected] == [
        (NAME, "data.scalabel_unknown", "objects")
    ]
    change(written.json, lambda frame: frame.pop("objects"))
    assert {s.id: s.boxes for s in read().table}[ID] == ()
