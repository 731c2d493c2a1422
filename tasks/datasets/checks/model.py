"""What the checks of data sets look at, and what they find."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tasks.contracts import Artifact
from tasks.datasets.errors import Rejection
from tasks.datasets.read import REJECTED
from tasks.datasets.table import SampleTable
from tasks.store import Manifest

MAX_LISTED, MAX_EXAMPLES = 50, 6
# 31 of 63 frequencies of a picture are above their median; where there is nothing to see, most are equal to it.
_FEWEST_BITS = 30


class CheckExample(BaseModel):
    """One picture, or two that belong side by side."""

    model_config = ConfigDict(frozen=True)

    caption: str
    images: tuple[Path, ...]


class Check(BaseModel):
    """The outcome of one check.

    Attributes:
        name: what was checked, such as ``decodable``.
        role: the data set, ``source``, ``target`` or ``benchmark``, or two of them, ``target / benchmark``.
        severity: what it means where it did not pass; after an ``error`` nothing should be trained.
        measured: what was found, in ``unit``: a share from 0 to 1, a count, or a ratio (``times``).
        threshold: the largest value that passes; of ``empty``, the smallest.
        message: one sentence for people: what, how much, what to do.
        examples: some of what was found.
        listed: some of the files, ids or classes found; the message says how many there are in all.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    role: str
    severity: Literal["error", "warning"]
    passed: bool
    measured: float
    threshold: float
    message: str
    examples: tuple[CheckExample, ...] = ()
    listed: tuple[str, ...] = ()
    unit: Literal["share", "count", "times"] = "share"

    def text(self) -> str:
        """The outcome as one line of a log."""
        return f"{self.role}, {self.name}: {self.message}"


@dataclass(frozen=True)
class CheckedSet:
    """A data set as it was read.

    Attributes:
        table: the usable images.
        rejected: what was left out.
        images: how many images were looked at.
        boxes: how many boxes were looked at.
    """

    table: SampleTable
    rejected: list[Rejection]
    images: int
    boxes: int

    @classmethod
    def of(cls, dataset: Artifact) -> CheckedSet:
        """Read a ``dataset`` artifact."""
        with dataset.file(REJECTED).open(newline="", encoding="utf-8") as stream:
            rejected = [_rejection(**row) for row in csv.DictReader(stream)]
        summary = Manifest.read(dataset.path).summary
        return cls(SampleTable.read(dataset.path), rejected, summary["seen_images"], summary["seen_boxes"])

    @cached_property
    def _root(self) -> str:
        """The folder that all files of the set are below."""
        paths = [str(r.file) for r in self.rejected]
        for name in ("image", "mask"):
            ends = pc.min_max(self.table.rows[name]).as_py()  # what they have in common, all in between have
            paths += [str(self.table.place(end)) for end in ends.values() if end is not None]
        folders = [os.path.dirname(os.path.normpath(p)) for p in paths if os.path.isabs(p)]  # noqa: PTH117, PTH120 - "..", many
        return os.path.commonpath(folders).rstrip("/") if folders else ""

    def short(self, text: str) -> str:
        """A text whose paths start at the set's own folder."""
        return text.replace(f"{self._root}/", "") if self._root else text

    def ids(self, rows: NDArray[np.int64]) -> list[str]:
        """The ids of some rows."""
        return [str(i) for i in self.table.rows["id"].take(rows).to_pylist()]

    def files(self, rows: NDArray[np.int64]) -> list[Path]:
        """The image files of some rows."""
        return [self.table.place(path) for path in self.table.rows["image"].take(rows).to_pylist()]

    def hashes(self) -> NDArray[np.uint64]:
        """The perceptual hashes, ``uint64 [N]``; 0, as of a black image, where there is none."""
        return np.asarray(pc.fill_null(self.table.rows["phash"], pa.scalar(0, pa.uint64())).to_numpy(), np.uint64)

    def is_comparable(self) -> NDArray[np.bool_]:
        """Which images have a hash that says something; those of one colour or of plain stripes are all alike."""
        return np.asarray(np.bitwise_count(self.hashes()) >= _FEWEST_BITS)

    def is_flat(self) -> NDArray[np.bool_]:
        """Which images are of one colour or of plain stripes."""
        return np.asarray(self.table.rows["phash"].is_valid().to_numpy() & ~self.is_comparable())


def side_by_side(
    a: CheckedSet, b: CheckedSet, pairs: NDArray[np.int64], captions: Sequence[str]
) -> tuple[CheckExample, ...]:
    """Examples of the first pairs of rows of two sets, ``[2, N]``, as many as there are captions."""
    some = pairs[:, : len(captions)]
    files = zip(a.files(some[0]), b.files(some[1]), strict=True)
    return tuple(CheckExample(caption=text, images=two) for text, two in zip(captions, files, strict=True))


def _rejection(file: str, reason: str, check: str) -> Rejection:
    return Rejection(Path(file), reason, check, "box" if check == "boxes" else "image")  # type: ignore[arg-type]


def share_text(share: float) -> str:
    """A share as people read it: ``3.2 %``."""
    return "under 0.1 %" if 0 < share < 0.001 else f"{100 * share:.1f} %".replace(".0 %", " %")


def part_text(some: int, total: int, what: str) -> str:
    """``12 of 367 images (3.3 %)``."""
    return f"{some:,} of {total:,} {what} ({share_text(some / max(total, 1))})"


def names_text(names: Iterable[str], most: int = 6) -> str:
    """The first names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
