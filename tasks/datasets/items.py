"""What readers and the common machinery of reading exchange."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tasks.datasets.table import Box


class DatasetError(Exception):
    """A data set that cannot be used as a whole; the message says which, what is wrong and what was looked for."""


class ItemError(Exception):
    """An image that cannot be used: the file that is to blame, and why."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Rejection:
    """A piece of the input that was left out: an image with its labels, or a single box of a kept image."""

    file: Path
    reason: str
    kind: Literal["image", "box"] = "image"


@dataclass(frozen=True, slots=True)
class Item:
    """An image that a reader found.

    Attributes:
        id: unique in its data set, usable as a file name.
        labels: the file that its boxes come from.
        problem: why it cannot be used, where that shows without opening it (such as a missing label).
        extra: what else the format knows, JSON-like.
    """

    id: str
    image: Path
    mask: Path | None
    labels: Path | None
    problem: ItemError | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Boxes:
    """The boxes of one image: those kept, those rejected, and how many had too few visible pixels."""

    kept: list[Box] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    hidden: int = 0

    def reject(self, file: Path, reason: str) -> None:
        """Note a box that cannot be used."""
        self.rejected.append(Rejection(file, reason, "box"))


class Reader(Protocol):
    """The adapter of one format, made for one split of one data set.

    Attributes:
        dataset: which of the taxonomy's maps applies.
        has_boxes: whether the set is labelled with boxes.
        places: the folders and files that hold the split; all that its content depends on.
    """

    dataset: str
    has_boxes: bool
    places: list[Path]

    def find(self) -> list[Item]:
        """List the split's images, and labels without one.

        Raises:
            DatasetError: a folder or file of the split is missing or cannot be read.
        """

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes:
        """Read the boxes of an image of this size (width, height); ``mask`` holds its class indices.

        Raises:
            ItemError: its labels cannot be read at all.
        """


def clipped(box: Box, size: tuple[int, int]) -> Box:
    """The part of a box that lies in an image of this size (width, height).

    Raises:
        ValueError: there is no such part, or the box has no area; the message says which.
    """
    width, height = size
    text = f"box {box.x1:g} {box.y1:g} {box.x2:g} {box.y2:g}"
    if not (box.x2 > box.x1 and box.y2 > box.y1):
        raise ValueError(f"{text} (x1 y1 x2 y2) has no area")
    if box.x1 >= width or box.y1 >= height or box.x2 <= 0 or box.y2 <= 0:
        raise ValueError(f"{text} (x1 y1 x2 y2) lies outside its image of {width}x{height}")
    return replace(box, x1=max(box.x1, 0), y1=max(box.y1, 0), x2=min(box.x2, width), y2=min(box.y2, height))


def existing(folder: Path, what: str) -> Path:
    """The folder itself.

    Raises:
        DatasetError: it does not exist.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; {what} were looked for there")
    return folder
