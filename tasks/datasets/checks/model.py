"""What the checks of data sets look at."""

from __future__ import annotations

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

from tasks.contracts import Artifact, Check, CheckExample, Finding
from tasks.datasets.errors import Rejection
from tasks.datasets.rejected import REJECTED, read_rejected
from tasks.datasets.table import SampleTable
from tasks.store import Manifest

MAX_LISTED, MAX_EXAMPLES = 50, 6
LEAST = ("empty", "has_masks", "has_boxes")  # checks whose threshold is the smallest value that passes
LookedAt = Literal["boxes", "pictures", "drives", "classes"]
# 31 of 63 frequencies of a picture are above their median; where there is nothing to see, most are equal to it.
_FEWEST_BITS = 30


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
        table, summary = SampleTable.read(dataset.path), Manifest.read(dataset.path).summary
        rejected = read_rejected(dataset.file(REJECTED), table.root or Path())
        return cls(table, rejected, summary["seen_images"], summary["seen_boxes"])

    @cached_property
    def _root(self) -> Path:
        """The folder that all files of the set are below."""
        paths = [str(r.file) for r in self.rejected]
        for name in ("image", "mask"):
            ends = pc.min_max(self.table.rows[name]).as_py()  # what they have in common, all in between have
            paths += [str(self.table.place(end)) for end in ends.values() if end is not None]
        folders = [os.path.dirname(os.path.normpath(p)) for p in paths if os.path.isabs(p)]  # noqa: PTH117, PTH120 - "..", many
        return Path(os.path.commonpath(folders)) if folders else Path("/")

    def told(self, rejection: Rejection, file: Path) -> Finding:
        """What was left out and why, its paths from the set's own folder on; ``file`` is how it is named."""
        return Finding.of("data.of_file", file=file, why=rejection.finding).below(self._root)

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
    a: CheckedSet, b: CheckedSet, pairs: NDArray[np.int64], captions: Sequence[Finding]
) -> tuple[CheckExample, ...]:
    """Examples of the first pairs of rows of two sets, ``[2, N]``, as many as there are captions."""
    some = pairs[:, : len(captions)]
    files = zip(a.files(some[0]), b.files(some[1]), strict=True)
    return tuple(CheckExample(caption=text, images=two) for text, two in zip(captions, files, strict=True))


def role_told(role: str) -> Finding:
    """A data set's role inside a sentence."""
    return Finding.of(f"words.role_{role}")


def items(names: Iterable[str]) -> tuple[Finding, ...]:
    """Names that are listed as they are, such as ids and classes."""
    return tuple(Finding.of("checks.item", name=name) for name in names)


def roles_told(roles: Sequence[str]) -> Finding:
    """The role of a set, or those of two."""
    one, *other = map(role_told, roles)
    return Finding.of("checks.roles", one=one, other=other[0]) if other else one


def looked(check: Check, at: int, kind: LookedAt) -> Check:
    """The check, where it looked at something; else one that says so, for whatever is true of nothing."""
    if at or not check.passed:
        return check
    return check.model_copy(update={"nothing": True, "finding": Finding.of(f"checks.nothing_{kind}")})


def line_of(check: Check) -> Finding:
    """The outcome of a check as one line of a log."""
    name = Finding.of(f"words.check_{check.name}")
    return Finding.of("checks.line", roles=roles_told(check.roles), name=name, finding=check.finding)
