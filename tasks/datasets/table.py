"""The sample table: one row an image. Every reader produces it, every stage consumes it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from tasks.contracts import Labels
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.naming import path_text, text_path, unusable
from tasks.store import atomic_path, content_digest, place_of, remember_place, store_of

TABLE = "samples.parquet"  # the table's file name in every artifact that holds one
BoxSource = Literal["annotated", "instances", "components", "predicted"]

_META = b"sim2real"
_ROOT = "@root/"  # what a path under the data set's root begins with
_BOX = pa.struct(
    [
        ("category", pa.int16()),
        ("x1", pa.float32()),
        ("y1", pa.float32()),
        ("x2", pa.float32()),
        ("y2", pa.float32()),
        ("crowd", pa.bool_()),
    ]
)
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("image", pa.string()),
        ("mask", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("split", pa.string()),
        ("sequence", pa.string()),
        ("sha256", pa.string()),
        ("mask_sha256", pa.string()),
        ("phash", pa.uint64()),
        ("class_pixels", pa.list_(pa.int32())),
        ("boxes", pa.list_(_BOX)),
        ("extra", pa.string()),
    ]
)
_PLAIN = ("id", "width", "height", "split", "sequence", "sha256", "mask_sha256", "phash")  # kept as they are
_CHUNK = 1 << 16  # samples that are taken apart at a time, so that a million need not be there at once


@dataclass(frozen=True, slots=True)
class Box:
    """An object's box in pixels: ``x1 <= x < x2``, ``y1 <= y < y2``, origin at the image's top left corner.

    ``category`` is an index into the table's detection classes; ``crowd`` marks a group (COCO ``iscrowd``).
    """

    category: int
    x1: float
    y1: float
    x2: float
    y2: float
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of the table: an image with its labels.

    Attributes:
        id: unique in its data set, usable as a file name; the same before and after translation.
        image: the image's file.
        mask: the label image in the data set's own encoding, or None where the set has no masks.
        width, height: the image's size in pixels.
        sequence: the drive that it is a frame of; None where the data set has no drives.
        sha256, mask_sha256: of the files' bytes.
        phash: the image's perceptual hash, 64 bits: alike images differ in few of them.
        class_pixels: the mask's pixels of each segmentation class; None without a mask.
        boxes: the objects of the detection classes; None where the image is not labelled with boxes.
        extra: what else the format knows (weather, camera), JSON-like.
    """

    id: str
    image: Path
    mask: Path | None
    width: int
    height: int
    split: str
    sha256: str
    mask_sha256: str | None
    boxes: tuple[Box, ...] | None
    extra: dict[str, Any] = field(default_factory=dict)
    sequence: str | None = None
    phash: int | None = None
    class_pixels: tuple[int, ...] | None = None


class SegmentationClass(BaseModel):
    """A class of the taxonomy with the RGB colour (0-255) it is drawn in."""

    model_config = ConfigDict(frozen=True)

    name: str
    color: tuple[int, int, int]


class TableInfo(BaseModel):
    """What holds for all rows of a table.

    Attributes:
        dataset: the data set's name, for people.
        classes: the segmentation classes; a decoded mask's value is an index into them, or 255 for ignore.
        detection: the detection classes; a box's ``category`` is an index into them.
        encoding: how the mask files are decoded to those indices; None where the set has no masks.
        boxes_from: how its boxes come about: drawn by annotators or known to the simulator (``annotated``), around the
            visible pixels of instances (``instances``), around connected pixels of a class, so that what touches is
            one (``components``), by a trained model (``predicted``); None where the set is not labelled with boxes.
        impossible: the segmentation classes that no label of the set can become: it does not tell them apart.
        impossible_boxes: the detection classes that no box of the set can have.
        root: by what name the store knows where the data set's files lie: a digest of what they are; None without one.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    classes: tuple[SegmentationClass, ...]
    detection: tuple[str, ...]
    encoding: MaskEncoding | None
    boxes_from: BoxSource | None
    impossible: tuple[str, ...] = ()
    impossible_boxes: tuple[str, ...] = ()
    root: str | None = None

    @property
    def has_boxes(self) -> bool:
        """Whether the set is labelled with boxes at all (an image without objects has none either way)."""
        return self.boxes_from is not None


class SampleTable:
    """A sample table in memory: an Arrow table plus its ``TableInfo``.

    On disk it is one parquet file. What lies in the table's own store is named from the table's folder, and what lies
    under the data set's root from that (``@root/...``); where the root is, the store knows (``place_of``). So a store
    or a data set that was moved still works. Other paths are absolute.

    Attributes:
        folder: where relative paths start.
        root: the data set's root; None where it is not known, or there is none.
    """

    def __init__(self, rows: pa.Table, info: TableInfo, folder: Path, root: Path | None = None) -> None:
        self.rows = rows
        self.info = info
        self.folder = folder
        self.root = root

    @classmethod
    def from_samples(
        cls, samples: Iterable[Sample], info: TableInfo, folder: Path, root: Path | None = None
    ) -> SampleTable:
        """Make a table of samples; ``folder`` is where relative paths start, and ``root`` the data set's."""
        rest = iter(samples)
        batches = []
        while chunk := list(islice(rest, _CHUNK)):
            batches.append(_to_batch(chunk))
        return cls(pa.Table.from_batches(batches, SCHEMA), info, folder, root)

    @staticmethod
    def read_info(folder: Path) -> TableInfo:
        """What holds for all rows of an artifact's table, without reading them."""
        return TableInfo.model_validate_json((pq.read_schema(folder / TABLE).metadata or {})[_META])

    @classmethod
    def read(cls, path: Path) -> SampleTable:
        """Read a table from its parquet file, or from ``samples.parquet`` of an artifact's folder.

        Raises:
            ValueError: the file is not a sample table, or an id or split of it cannot be a file's name.
        """
        path = path / TABLE if path.is_dir() else path
        rows = pq.read_table(path)
        text = (rows.schema.metadata or {}).get(_META)
        if text is None or not rows.schema.equals(SCHEMA):
            raise ValueError(f"{path} is not a sample table: columns {rows.schema.names}, expected {SCHEMA.names}")
        info = TableInfo.model_validate_json(text)
        if (name := unusable(rows)) is not None:
            raise ValueError(
                f"{path} has the id or split {name}, which cannot be a file's name: read the data set again"
            )
        return cls(rows, info, path.parent, place_of(path.parent, info.root) if info.root else None)

    def write(self, folder: Path) -> Path:
        """Write ``samples.parquet`` into ``folder``; returns its path."""
        path = folder / TABLE
        rows, info = self._movable(folder)
        with atomic_path(path) as temporary:
            pq.write_table(rows.replace_schema_metadata({_META: info.model_dump_json().encode()}), temporary)
        return path

    def _movable(self, folder: Path) -> tuple[pa.Table, TableInfo]:
        """The rows and the info as they are written into a folder: see the class."""
        rows, store = self.rows, store_of(folder)
        starts = _starts(folder.absolute(), store, self.root) if store is not None else []
        for name in ("image", "mask"):
            paths = (None if t is None else text_path(t) for t in rows[name].to_pylist())
            texts = [None if p is None else path_text(self._named(p, folder, starts)) for p in paths]
            rows = rows.set_column(rows.schema.get_field_index(name), SCHEMA.field(name), pa.array(texts, pa.string()))
        if store is None or self.root is None:
            return rows, self.info
        known = self.info.root or content_digest(
            [rows[n].to_pylist() for n in ("image", "sha256", "mask", "mask_sha256")]
        )
        remember_place(folder, known, self.root)
        return rows, self.info.model_copy(update={"root": known})

    def _named(self, text: str, folder: Path, starts: list[tuple[str, str]]) -> str:
        if not starts:  # in no store
            return text if text.startswith("/") or self.folder == folder else str(self.place(text))
        if text.startswith(_ROOT):
            return text
        path = os.path.normpath(f"{self.folder.absolute()}/{text}" if not text.startswith("/") else text)
        return next((name + path[len(start) :] for start, name in starts if path.startswith(start)), path)

    def place(self, text: str) -> Path:
        """The file that a row's ``image`` or ``mask`` names.

        Raises:
            ValueError: it lies under the data set's root, and where that is, is not known; or leads out of there.
        """
        text = text_path(text)
        if not text.startswith(_ROOT):
            path = self.folder / text
            return Path(os.path.normpath(path)) if ".." in path.parts else path
        if self.root is None:
            raise ValueError(
                f"{self.folder}: this store does not know where {self.info.dataset} lies: run a pipeline that reads it"
            )
        path = self.root / text.removeprefix(_ROOT)
        if ".." in path.parts[len(self.root.parts) :] or not path.is_relative_to(self.root):
            raise ValueError(f"{self.folder}: the table names {text!r}, outside of {self.info.dataset}: read it again")
        return path

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def __getitem__(self, index: int) -> Sample:
        return self._sample(self.rows.slice(index, 1).to_pylist()[0])

    def __iter__(self) -> Iterator[Sample]:
        for batch in self.rows.to_batches(max_chunksize=1024):
            for row in batch.to_pylist():
                yield self._sample(row)

    def take(self, indices: Iterable[int]) -> SampleTable:
        """The rows at these positions, in this order."""
        return self.having(self.rows.take(pa.array(list(indices), pa.int64())))

    def sizes(self) -> Counter[tuple[int, int]]:
        """(Width, height) in pixels -> how many images have it."""
        return Counter(zip(self.rows["width"].to_pylist(), self.rows["height"].to_pylist(), strict=True))

    def labelled(self, labels: Labels) -> SampleTable:
        """The rows that have such labels: in some sets, boxes and masks are on different images."""
        column = self.rows["boxes" if labels == "boxes" else "mask"]
        return self if not column.null_count else self.having(self.rows.filter(column.is_valid()))

    def having(self, rows: pa.Table) -> SampleTable:
        """The same table with other rows."""
        return SampleTable(rows, self.info, self.folder, self.root)

    def _sample(self, row: dict[str, Any]) -> Sample:
        return Sample(
            **{k: row[k] for k in _PLAIN},
            image=self.place(row["image"]),
            mask=self.place(row["mask"]) if row["mask"] is not None else None,
            class_pixels=tuple(row["class_pixels"]) if row["class_pixels"] is not None else None,
            boxes=tuple(Box(**b) for b in row["boxes"]) if row["boxes"] is not None else None,
            extra=json.loads(row["extra"]),
        )


def _starts(folder: Path, store: Path, root: Path | None) -> list[tuple[str, str]]:
    """What a path in a store's table may begin with, and how that is written; text, as there may be a million paths."""
    places = [(folder, ""), (store, f"{os.path.relpath(store, folder)}/"), *([(root, _ROOT)] if root else [])]
    return [(f"{os.path.normpath(place).rstrip('/')}/", name) for place, name in places]


def _to_batch(samples: list[Sample]) -> pa.RecordBatch:
    values: dict[str, list[Any]] = {
        **{name: [getattr(s, name) for s in samples] for name in (*_PLAIN, "class_pixels")},
        "image": [path_text(s.image.as_posix()) for s in samples],
        "mask": [path_text(s.mask.as_posix()) if s.mask is not None else None for s in samples],
        "boxes": [[_to_row(b) for b in s.boxes] if s.boxes is not None else None for s in samples],
        "extra": [json.dumps(s.extra, sort_keys=True) for s in samples],
    }
    return pa.RecordBatch.from_pydict(values, schema=SCHEMA)


def _to_row(box: Box) -> dict[str, Any]:
    return {name: getattr(box, name) for name in Box.__slots__}
