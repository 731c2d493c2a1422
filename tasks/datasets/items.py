"""What readers and the common machinery of reading exchange."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Finding
from tasks.datasets.errors import ItemError, MalformedError, Rejection
from tasks.datasets.table import Box, BoxSource


@dataclass(frozen=True, slots=True)
class Item:
    """An image that a reader found.

    Attributes:
        id: unique in its data set, usable as a file name.
        mask: its label image's file; None where it has none, or where the reader draws it (``Draws``).
        labels: the file that its boxes come from; None where the image is not labelled with boxes.
        problem: why it cannot be used, where that shows without opening it (such as a missing label).
        extra: what else the format knows, JSON-like.
        sequence: the drive that it is a frame of, unique in its data set; None where the format has no drives.
        stray: it is no image of the set at all, but a file or folder with a problem.
    """

    id: str
    image: Path
    mask: Path | None
    labels: Path | None
    problem: ItemError | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    sequence: str | None = None
    stray: bool = False

    @classmethod
    def unusable(cls, problem: ItemError) -> Item:
        """A file or folder that is no image of the set at all, such as one whose name says nothing."""
        return cls(str(problem.file), problem.file, None, None, problem, stray=True)

    @classmethod
    def merged(cls, problem: ItemError) -> Item:
        """What loses nothing: repeated rows of a file, which may have several tables of them, or a further label."""
        return cls(
            f"{problem.file} {problem.finding.values.get('table', '')}", problem.file, None, None, problem, stray=True
        )


@dataclass(slots=True)
class Boxes:
    """The boxes of one image: what became of each that its labels list.

    Attributes:
        kept, rejected: themselves.
        listed: how many the labels have, of whatever kind: what became of them adds up to it.
        other: how many are none of the detection classes.
        hidden: how many have too few visible pixels.
        merged: how many repeat another word for word.
    """

    kept: list[Box] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    listed: int = 0
    other: int = 0
    hidden: int = 0
    merged: int = 0

    def take(self, box: Box | None, size: tuple[int, int]) -> None:
        """Keep the part of a box that lies in the image of this size (width, height); None: it is of another class.

        Raises:
            MalformedError: there is no such part, or the box has no area.
        """
        if box is None:
            self.other += 1
        else:
            self.kept.append(clipped(box, size))

    def add(self, more: Boxes) -> None:
        """Take in the boxes of another part of the image, or of another image."""
        self.kept += more.kept
        self.rejected += more.rejected
        self.listed += more.listed
        self.other += more.other
        self.hidden += more.hidden
        self.merged += more.merged

    def reject(self, file: Path, finding: Finding) -> None:
        """Note a box that cannot be used."""
        self.rejected.append(Rejection(file, finding, "boxes", "box"))


class SplitReader(Protocol):
    """The adapter of one format, made for one split of one data set.

    Attributes:
        dataset: which of the taxonomy's maps applies.
        boxes_from: how the boxes of the set come about; None where it has none.
        places: the folders and files that hold the split; all that its content depends on.
        needs_mask: whether ``boxes`` looks at the mask.
    """

    dataset: str
    boxes_from: BoxSource | None
    places: list[Path]
    needs_mask: bool

    def find(self) -> list[Item]:
        """List the split's images, and all that should be one but cannot be used, each with its problem.

        Raises:
            DatasetError: a folder or file of the split is missing or cannot be read.
        """

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes | None:
        """Read the boxes of an image of this size (width, height); ``mask`` holds its class indices,
        where ``needs_mask`` says so.

        Returns None for an image that is not labelled with boxes at all.

        Raises:
            ItemError: its labels cannot be read at all.
        """


@runtime_checkable
class Draws(Protocol):
    """A reader of a format without label images, which draws them from what the format has instead."""

    def draw(self, item: Item, size: tuple[int, int]) -> NDArray[np.uint8] | None:
        """The class indices ``uint8 [H, W]`` of an image of this size (width, height), 255 for ignore.

        Returns None for an image that is not labelled so.

        Raises:
            ItemError: its labels cannot be read.
        """


def clipped(box: Box, size: tuple[int, int]) -> Box:
    """The part of a box that lies in an image of this size (width, height).

    Raises:
        MalformedError: there is no such part, or the box has no area.
    """
    width, height = size
    sides = f"{box.x1:g} {box.y1:g} {box.x2:g} {box.y2:g}"
    if not (box.x2 > box.x1 and box.y2 > box.y1):
        raise MalformedError("data.box_without_area", box=sides)
    if box.x1 >= width or box.y1 >= height or box.x2 <= 0 or box.y2 <= 0:
        raise MalformedError("data.box_outside", box=sides, width=width, height=height)
    if box.x1 >= 0 and box.y1 >= 0 and box.x2 <= width and box.y2 <= height:
        return box
    return replace(box, x1=max(box.x1, 0), y1=max(box.y1, 0), x2=min(box.x2, width), y2=min(box.y2, height))
