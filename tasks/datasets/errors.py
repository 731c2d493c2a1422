"""What can be wrong with a data set, and what is left out of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


class DatasetError(Exception):
    """A data set that cannot be used as a whole; the message says which, what is wrong and what was looked for."""


# What something was rejected for: it cannot be listed; its name is outside the format's pattern; another has its id;
# image or label lacks its partner; it cannot be decoded; its size is not its image's; it holds an unknown class; a box
# is malformed, empty or outside its image.
Cause = Literal["found", "named", "unique", "paired", "decodable", "size", "classes", "boxes"]


class ChecksFailed(DatasetError):
    """Data sets that training would be wasted on; the message lists the checks that failed."""


class ItemError(Exception):
    """An image that cannot be used: the file that is to blame, why, and which check found it."""

    def __init__(self, file: Path, reason: str, cause: Cause = "decodable") -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason
        self.cause = cause


class ImageError(ItemError):
    """A file that is not the image it should be."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A piece of the input that was left out: an image with its labels, or a single box of a kept image."""

    file: Path
    reason: str
    cause: Cause
    kind: Literal["image", "box"] = "image"
