"""Every format by round trip, and every format with everything that can be wrong with its files."""

import importlib
import os
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tests.datasets.writers
from tasks.catalogue.language import say
from tasks.datasets.errors import DatasetError
from tasks.datasets.masks import read_mask
from tasks.datasets.read import ReadResult, read_dataset
from tasks.store.digest import file_sha256
from tests.datasets.writers.scene import HEIGHT, TAXONOMY, WIDTH, Format, Frame, Written, draw

COUNT = 4
BAD = 2  # the frame that is damaged


def formats() -> list[Format]:
    """What every module beside ``scene`` calls ``FORMAT`` or lists as ``FORMATS``."""
    found: list[Format] = []
    for module in pkgutil.iter_modules(tests.datasets.writers.__path__):
        content = importlib.import_module(f"tests.datasets.writers.{module.name}")
        found += getattr(content, "FORMATS", [content.FORMAT] if hasattr(content, "FORMAT") else [])
    return found


FORMATS = formats()


@dataclass
class Case:
    format: Format
    root: Path
    frames: list[Frame]
    written: Written

    def read(self) -> ReadResult:
        return read_dataset(self.format.config(self.root), TAXONOMY, self.root / "table")

    def rest_is_kept(self, result: ReadResult, but: int | None = BAD) -> None:
        ids = [f.id for n, f in enumerate(self.written.files) if n != but]
        assert [s.id for s in result.table] == sorted(ids)


@pytest.fixture(params=FORMATS, ids=lambda f: f.name)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    format_: Format = request.param
    frames = [draw(n, format_.stuff, format_.things) for n in range(COUNT)]
    return Case(format_, tmp_path, frames, format_.write(tmp_path, frames))


def test_round_trip(case: Case) -> None:
    result = case.read()
    assert result.rejected == []
    table = result.table
    case.rest_is_kept(result, but=None)
    of_frame = {files.id: n for n, files in enumerate(case.written.files)}
    for sample in table:
        frame, files = case.frames[of_frame[sample.id]], case.written.files[of_frame[sample.id]]
        assert (sample.width, sample.height, sample.split) == (WIDTH, HEIGHT, "train")
        assert sample.image == files.image
        if files.image.is_file():  # not in an archive
            assert sample.sha256 == file_sha256(files.image)
        assert (sample.sequence is not None) == case.format.sequences
        if case.format.stuff:
            assert table.info.encoding is not None
            assert sample.mask is not None
            np.testing.assert_array_equal(read_mask(sample.mask, table.info.encoding), frame.classes)
            counts = np.bincount(frame.classes.ravel(), minlength=len(table.info.classes))
            assert sample.class_pixels == tuple(counts.tolist())
        else:
            assert (sample.mask, sample.class_pixels, table.info.encoding) == (None, None, None)
        if case.format.things:
            assert sample.boxes is not None
            assert set(sample.boxes) == frame.boxes()
            assert len(sample.boxes) == len(frame.things)
        else:
            assert not sample.boxes
    possible = {c.name for c in table.info.classes} - set(table.info.impossible)
    assert {*case.format.stuff, *case.format.things} <= possible or not case.format.stuff
    assert set(case.format.things) <= set(table.info.detection) - set(table.info.impossible_boxes)


def test_reading_twice_gives_the_same(case: Case) -> None:
    assert case.read().table.rows.equals(case.read().table.rows)


def on_disk(path: Path | None) -> Path:
    if path is None or not path.is_file():
        pytest.skip("the format has no such file of its own")
    return path


@pytest.mark.parametrize("keep", [0, 60])
def test_a_truncated_image(case: Case, keep: int) -> None:
    path = on_disk(case.written.files[BAD].image)
    path.write_bytes(path.read_bytes()[:keep])
    result = case.read()
    case.rest_is_kept(result)
    assert [(r.file, r.cause) for r in result.rejected] == [(path, "decodable")]


def test_a_truncated_mask(case: Case) -> None:
    path = on_disk(case.written.files[BAD].mask)
    path.write_bytes(path.read_bytes()[:60])
    result = case.read()
    case.rest_is_kept(result)
    assert [(r.file, r.cause) for r in result.rejected] == [(path, "decodable")]


def test_a_mask_of_another_size(case: Case) -> None:
    path = on_disk(case.written.files[BAD].mask)
    image = Image.open(path)
    image.crop((0, 0, WIDTH - 1, HEIGHT)).save(path)
    result = case.read()
    case.rest_is_kept(result)
    assert [(r.file, r.cause) for r in result.rejected] == [(path, "size")]
    found = result.rejected[0].finding
    assert (found.code, found.values["width"], found.values["height"]) == ("data.other_size", WIDTH - 1, HEIGHT)


def test_an_unknown_colour_or_id(case: Case) -> None:
    if case.format.spoil_mask is None:
        pytest.skip("the format's masks are not files")
    files = case.written.files[BAD]
    case.format.spoil_mask(files)
    result = case.read()
    case.rest_is_kept(result)
    assert [(r.file, r.cause) for r in result.rejected] == [(files.mask, "classes")]
    assert result.rejected[0].finding.code in ("data.unknown_ids", "data.unknown_colours")
    assert "(6 pixels)" in say(result.rejected[0].finding)


def mask_of_ids(case: Case) -> Path:
    path = on_disk(case.written.files[BAD].mask)
    encoding = TAXONOMY.encoding(case.format.config(case.root).map_name)
    if encoding is None or encoding.kind == "color" or encoding.first_channel:
        pytest.skip("several channels that differ are what the format has")
    return path


def test_a_colour_picture_where_ids_are_expected(case: Case) -> None:
    path = mask_of_ids(case)
    cars = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    cars[20:40, 30:60] = (0, 0, 142)  # Cityscapes' colour of cars, whose first channel is 0 as all the others' are
    Image.fromarray(cars).save(path)
    result = case.read()
    case.rest_is_kept(result)
    code = "gta5_colours" if case.format.name == "gta5" else "colour_picture"
    assert [(r.file, r.finding.code) for r in result.rejected] == [(path, f"data.{code}")]


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_ids_in_equal_channels_are_these_ids(case: Case, mode: str) -> None:
    if case.format.name == "gta5":
        pytest.skip("palette images alone")
    path, before = mask_of_ids(case), case.read().table.rows
    Image.fromarray(np.asarray(Image.open(path))).convert(mode).save(path)
    result = case.read()
    assert result.rejected == []
    assert result.table.rows.drop("mask_sha256").equals(before.drop("mask_sha256"))


def loud(path: Path) -> Path:
    """The file with its extension in capitals, as some cameras and Windows programs write them."""
    return path.rename(path.with_suffix(path.suffix.upper()))


def test_extensions_in_capitals(case: Case) -> None:
    if case.format.name in ("nuimages", "folder-coco", "folder-sequences"):
        pytest.skip("a list says how its files are named")
    before = case.read().table.rows
    files = {p for f in case.written.files for p in (f.image, f.mask, f.labels) if p is not None and p.is_file()}
    for path in files - {case.written.json}:
        if path.suffix != ".zip":
            loud(path)
    result = case.read()
    assert result.rejected == []
    columns = [name for name in before.column_names if name not in ("image", "mask")]
    assert result.table.rows.select(columns).equals(before.select(columns))


def test_a_name_in_small_letters_and_in_capitals(case: Case) -> None:
    image = on_disk(case.written.files[BAD].image)
    if case.format.name in ("nuimages", "folder-coco", "folder-sequences"):
        pytest.skip("a list says how its files are named")
    image.with_suffix(image.suffix.upper()).write_bytes(image.read_bytes())
    result = case.read()
    case.rest_is_kept(result, but=None)
    assert [r.cause for r in result.rejected] == ["unique"]


def test_a_malformed_box(case: Case) -> None:
    if case.format.spoil_box is None:
        pytest.skip("the format's boxes come from pixels")
    files = case.written.files[BAD]
    case.format.spoil_box(files)
    result = case.read()
    case.rest_is_kept(result, but=None)
    assert [(r.file, r.cause, r.kind) for r in result.rejected] == [(files.labels, "boxes", "box")]
    good = {s.id: len(s.boxes or ()) for s in result.table}
    assert good[files.id] == len(case.frames[BAD].things) - 1


def test_invalid_json(case: Case) -> None:
    path = on_disk(case.written.json)
    path.write_text(path.read_text()[:-20])
    with pytest.raises(DatasetError, match=path.name):
        case.read()


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '[{"a": 1, "a": 2}]',
        '{"name": "\\ud800"}',
        '[{"token": "1", "a": "\\uDC00"}]',
        "[" + "9" * 5000 + "]",
        "null",
        "7",
        '"text"',
        "",
    ],
    ids=lambda c: c[:12],
)
def test_json_of_another_kind(case: Case, content: str) -> None:
    path = on_disk(case.written.json)
    path.write_text(content)
    with pytest.raises(DatasetError, match=path.name):
        case.read()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
def test_json_in_another_encoding(case: Case, encoding: str) -> None:
    path = on_disk(case.written.json)
    before = case.read().table.rows
    path.write_bytes(path.read_text().encode(encoding))
    result = case.read()
    assert result.rejected == []
    assert result.table.rows.equals(before)


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_a_missing_partner(case: Case, kind: str) -> None:
    path = on_disk(getattr(case.written.files[BAD], kind))
    path.unlink()
    result = case.read()
    case.rest_is_kept(result)
    assert len(result.rejected) == 1
    assert result.rejected[0].cause == "paired"
    assert path.stem in f"{result.rejected[0].file} {say(result.rejected[0].finding)}"


def test_a_name_outside_the_pattern(case: Case) -> None:
    odd = case.written.odd
    if odd is None:
        pytest.skip("the format takes any name")
    odd.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(case.frames[0].image).save(odd)
    result = case.read()
    case.rest_is_kept(result, but=None)
    assert [(r.file, r.cause) for r in result.rejected] == [(odd, "named")]


@pytest.mark.parametrize("part", ["image", "mask", "labels"])
@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_what_is_no_file_of_the_set_is_listed(
    case: Case, part: str, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = on_disk(getattr(case.written.files[BAD], part))
    if sum(getattr(files, part) == path for files in case.written.files) > 1:
        pytest.skip("the file is of several images")
    outside = path.rename(tmp_path_factory.mktemp("outside") / path.name)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(outside)
    result = case.read()
    case.rest_is_kept(result)
    assert len(result.rejected) == 1
    stem = case.written.files[BAD].image.stem
    told = f"{result.rejected[0].file} {say(result.rejected[0].finding)}"
    assert path.stem in told or stem in told


def folder_of(case: Case) -> Path:
    if case.format.folder is None:
        pytest.skip("the format's files are listed, not looked for")
    return case.format.folder(case.root)


def test_a_loop_of_links(case: Case) -> None:
    folder = folder_of(case)
    (folder / "loop").symlink_to(folder)
    (folder / "self").symlink_to("self")
    result = case.read()
    case.rest_is_kept(result, but=None)
    assert {(r.file, r.cause) for r in result.rejected} == {(folder / n, "found") for n in ("loop", "self")}


def test_an_unreadable_folder(case: Case, forbid: Callable[[Path], None]) -> None:
    folder = folder_of(case)
    (folder / "secret").mkdir()
    forbid(folder / "secret")
    result = case.read()
    case.rest_is_kept(result, but=None)
    assert [(r.file, r.cause) for r in result.rejected] == [(folder / "secret", "found")]
    forbid(folder)
    with pytest.raises(DatasetError, match=str(folder)):
        case.read()


@pytest.fixture
def forbid(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Make a folder unreadable; permissions alone do not stop the superuser."""
    forbidden: set[str] = set()
    scandir = os.scandir

    def guarded(path: os.PathLike[str] | str = ".") -> object:
        if os.fspath(path) in forbidden:
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    return lambda folder: forbidden.add(str(folder))
