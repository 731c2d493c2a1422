"""Any one file of a valid set damaged: every other sample stays as it was, and the touched one is equal or told.

What a file says may change without being wrong, such as a digit of a box; then its own samples may change, and only
they. A PNG has checksums, so that its pixels may not.
"""

import io
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tasks.datasets.errors import DatasetError
from tasks.datasets.read import ReadResult, read_dataset
from tests.datasets.test_formats import FORMATS
from tests.datasets.writers.scene import TAXONOMY, Format, draw

CASES, COUNT = 500, 3
# One of each form; the others are these in other folders.
LIKE = ("bdd100k-boxes", "folder-sequences", "morai, linear, without instances", "morai33", "shift rate")
CHOSEN = [f for f in FORMATS if f.name not in (*LIKE, "virtual_kitti archives")]
PICTURES = (".png", ".jpg")
# What decoding changes without changing what the image shows, and what a file's bytes say of it.
BYTES = {"sha256", "mask_sha256", "phash"}
# Its lines are of two cameras: a digit makes one the other's.
OTHERS = ("virtual_kitti",)
Row = dict[str, Any]


@dataclass
class Damage:
    """What was done to a file.

    Attributes:
        kind: what.
        file: the file, as it was named before.
        new: the file that is there instead, or beside it; None where it has its old name.
        exact: whether its samples may not change, but for ``free``; else what it says may be another thing.
        free: how its samples may differ.
    """

    kind: str
    file: Path
    new: Path | None = None
    exact: bool = True
    free: set[str] = field(default_factory=lambda: set(BYTES))


@dataclass
class Set:
    """A set in a folder, and what it is read as."""

    format: Format = field(repr=False)
    root: Path
    whole: ReadResult | None = field(default=None, repr=False)
    rows: dict[str, Row] = field(default_factory=dict, repr=False)
    owners: dict[Path, set[str]] = field(default_factory=dict, repr=False)

    def read(self) -> ReadResult:
        return read_dataset(self.format.config(self.root), TAXONOMY, self.root.with_name("table"))

    def files(self) -> list[Path]:
        return sorted(p for p in self.root.rglob("*") if p.is_file())


def rows_of(result: ReadResult) -> dict[str, Row]:
    return {row["id"]: row for row in result.table.rows.to_pylist()}


def written(format_: Format, folder: Path) -> Set:
    """The set, and which samples each of its files belongs to: those that it changes to empty it, or to delete it."""
    set_ = Set(format_, folder / "set")
    format_.write(set_.root, [draw(n, format_.stuff, format_.things) for n in range(COUNT)])
    set_.whole = set_.read()
    set_.rows = rows_of(set_.whole)
    assert len(set_.rows) == COUNT
    for path in set_.files():
        content = path.read_bytes()
        path.write_bytes(b"")
        changed = changed_rows(set_)
        path.unlink()
        set_.owners[path] = changed | changed_rows(set_)
        path.write_bytes(content)
    return set_


def changed_rows(set_: Set) -> set[str]:
    try:
        left = rows_of(set_.read())
    except DatasetError:
        left = {}
    return {i for i, row in set_.rows.items() if left.get(i) != row}


@pytest.fixture(scope="module", params=CHOSEN, ids=lambda f: f.name)
def valid(request: pytest.FixtureRequest) -> Iterator[Set]:
    folder = Path(tempfile.mkdtemp())
    yield written(request.param, folder)
    shutil.rmtree(folder)


def flip(data: st.DataObject, path: Path) -> Damage:
    """Some bytes become others."""
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        # Headers and ends matter most.
        at = data.draw(st.one_of(st.integers(0, min(63, len(content) - 1)), st.integers(0, len(content) - 1)))
        content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    return Damage("flip", path, exact=path.suffix == ".png")


def truncate(data: st.DataObject, path: Path) -> Damage:
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(1, len(content) - 1))])
    return Damage("truncate", path, exact=path.suffix in PICTURES)


def empty(data: st.DataObject, path: Path) -> Damage:
    path.write_bytes(b"")
    return Damage("empty", path, exact=path.suffix != ".txt")  # an empty list of objects says that there are none


NAMES: dict[str, Callable[[Path], str]] = {
    "odd": lambda p: f"odd{p.suffix}",
    "longer": lambda p: f"{p.stem}x{p.suffix}",
    "copy": lambda p: f"{p.stem} (1){p.suffix}",
    "capitals": lambda p: p.name.upper(),
    "suffix": lambda p: f"{p.stem}.tiff",
    "bare": lambda p: p.stem,
    "twice": lambda p: f"{p.name}{p.suffix}",
    "digit": lambda p: p.name.replace("0", "9", 1),
    "hangul": lambda p: f"도로{p.suffix}",
    "line": lambda p: f"a\nb{p.suffix}",
}


def named(data: st.DataObject, path: Path) -> Path:
    new = path.with_name(NAMES[data.draw(st.sampled_from(sorted(NAMES)))](path))
    return path.with_name(f"{path.stem}y{path.suffix}") if new.exists() else new


def rename(data: st.DataObject, path: Path) -> Damage:
    new = path.rename(named(data, path))
    return Damage("rename", path, new, exact=path.suffix in PICTURES, free={"image", "mask"})


def duplicate(data: st.DataObject, path: Path) -> Damage:
    new = named(data, path)
    shutil.copyfile(path, new)
    return Damage("duplicate", path, new, free={"image", "mask"})  # either of the two may be the one that is read


def encode(data: st.DataObject, path: Path) -> Damage:
    """The same text in another encoding, the same picture in another form."""
    if path.suffix in PICTURES:
        return _redraw(data, path)
    if path.suffix == ".zip":
        path.write_bytes(path.read_bytes() + b"\0" * data.draw(st.integers(1, 9)))
        return Damage("encode", path)
    text, form = (
        path.read_text(),
        data.draw(st.sampled_from(["utf-16", "utf-8-sig", "utf-32", "utf-16-le", "crlf", "cr"])),
    )
    ends = {"crlf": "\r\n", "cr": "\r"}
    path.write_bytes(text.replace("\n", ends[form]).encode() if form in ends else text.encode(form))
    return Damage(f"encode {form}", path)


def _redraw(data: st.DataObject, path: Path) -> Damage:
    image = Image.open(path)
    image.load()
    form = data.draw(st.sampled_from(["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "RGBA", "16 bits", "wide"]))
    stream = io.BytesIO()
    if form == "RGBA":
        image.convert("RGBA").save(stream, "PNG")
    elif form == "16 bits":
        array = np.asarray(image)
        Image.fromarray((array[..., 0] if array.ndim == 3 else array).astype(np.uint16)).save(stream, "PNG")
    elif form == "wide":
        image.resize((image.width + 1, image.height), Image.Resampling.NEAREST).save(stream, "PNG")
    else:
        image = image.convert("RGB") if form == "JPEG" and image.mode not in ("L", "RGB") else image
        image = image.convert("RGB") if form in ("WEBP", "BMP", "GIF") and image.mode.startswith("I") else image
        image.save(stream, form, **({"lossless": True} if form == "WEBP" else {}))
    path.write_bytes(stream.getvalue())
    return Damage(f"encode {form}", path, exact=form != "wide")


KINDS = (flip, truncate, empty, rename, duplicate, encode)


def differing(old: Row, new: Row) -> set[str]:
    return {name for name in old if old[name] != new[name]}


def told(damage: Damage, sample: Row, result: ReadResult) -> bool:
    """Whether something is said of the file, or of what belongs to its sample."""
    words = " ".join(f"{r.file} {r.finding}" for r in result.rejected)
    files = [
        damage.file,
        *([damage.new] if damage.new else []),
        *(Path(sample[k]) for k in ("image", "mask") if sample[k]),
    ]
    names = [name for file in files for name in (file.name, file.stem, repr(file.name)[1:-1])]
    return any(name in words for name in (*names, sample["id"]))


def accounted(result: ReadResult | None) -> int:
    """How many boxes something became of, if only that they are of another class."""
    return result.counts.boxes.listed if result is not None and result.counts.boxes is not None else 0


def check(set_: Set, damage: Damage) -> None:
    """What must hold of a set one of whose files was damaged so."""
    owners = set_.owners[damage.file]
    try:
        result, stopped = set_.read(), ""
    except DatasetError as error:
        result, stopped = None, str(error)
    if result is None:
        assert owners == set_.rows.keys(), f"{damage}: one file of {len(owners)} samples stops the reading: {stopped}"
        assert damage.file.parent.name in stopped or damage.file.name in stopped
        return
    counts, rows = result.counts, rows_of(result)
    assert (counts.images.lost, counts.boxes.lost if counts.boxes else 0) == (0, 0)
    # Whole lines may be cut off unseen, but what is there may not be passed over.
    lines = damage.kind not in ("truncate", "empty") and set_.format.name not in OTHERS
    if lines and counts.boxes is not None and not result.rejected:
        assert accounted(result) >= accounted(set_.whole), f"{damage}: boxes are gone unsaid"
    for id_, old in set_.rows.items():
        new = rows.pop(id_, None)
        changed = differing(old, new) if new is not None else set()
        if id_ not in owners:
            assert new == old, f"{damage}: {id_} was not touched, but differs in {changed or 'all'}"
        elif new is None:
            assert told(damage, old, result), f"{damage}: {id_} is lost unsaid"
        elif damage.exact and not any(r.kind == "box" for r in result.rejected):
            assert changed <= damage.free or told(damage, old, result), f"{damage}: {changed} of {id_} changed unsaid"
    # What is new can only be the file of a new name.
    assert len(rows) <= (damage.new is not None), f"{damage}: {rows.keys()} came from nowhere"


@settings(
    max_examples=CASES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_one_damaged_file(valid: Set, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(valid.owners)))
    content = path.read_bytes()
    damage = data.draw(st.sampled_from(KINDS))(data, path)
    try:
        check(valid, damage)
    finally:
        if damage.new is not None:
            damage.new.unlink(missing_ok=True)
        path.write_bytes(content)
