"""What can be wrong with a data set, and what is left out of it: codes with values, which the catalogue words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks.catalogue import say
from tasks.contracts import Finding, Value, readable


class PlacedError(Exception):
    """Something that is wrong in one place.

    Args:
        finding: what is wrong, and what was looked for or can be done.
        place: the file or folder that is to blame, or the data set's name.
    """

    def __init__(self, finding: Finding, place: Path | str | None = None) -> None:
        super().__init__(finding, place)
        self.finding = finding
        self.place = place

    @property
    def whole(self) -> Finding:
        """What is wrong, with its place."""
        if self.place is None:
            return self.finding
        return Finding.of("data.of_file", file=self.place, why=self.finding)

    def __str__(self) -> str:
        return say(self.whole)


class DatasetError(PlacedError):
    """A data set that cannot be used as a whole."""


class TaxonomyError(PlacedError):
    """A taxonomy that cannot be used."""


# What something was rejected for: it cannot be listed; its name is outside the format's pattern; another has its id;
# image or label lacks its partner; it cannot be decoded; its size is not its image's; it holds an unknown class; a box
# is malformed, empty or outside its image.
Cause = Literal["found", "named", "unique", "paired", "decodable", "size", "classes", "boxes"]
Counted = Literal["image", "box"]  # what is lost, and counts against the largest share of it
Kind = Literal[Counted, "row"]  # a row that says again what another says: nothing is lost


class ChecksFailed(DatasetError):
    """Data sets that training would be wasted on; the message lists the checks that failed."""


class ItemError(Exception):
    """An image that cannot be used: the file that is to blame, why, and which check found it."""

    def __init__(self, file: Path, finding: Finding, cause: Cause = "decodable", kind: Kind = "image") -> None:
        super().__init__(file, finding, cause, kind)
        self.file = file
        self.finding = finding
        self.cause = cause
        self.kind = kind

    def __str__(self) -> str:
        return f"{readable(str(self.file))}: {say(self.finding)}"


class ImageError(ItemError):
    """A file that is not the image it should be."""


class MalformedError(ValueError):
    """A part of a file, such as a line or a box, that is not what the format says."""

    def __init__(self, code: str, /, **values: Value) -> None:
        self.finding = Finding.of(code, **values)
        super().__init__(self.finding)

    def __str__(self) -> str:
        return say(self.finding)


class DamagedArchiveError(OSError):
    """A zip archive whose content cannot be read; ``problem`` is what the library says."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.finding = Finding.of("data.damaged_archive", problem=problem)


def reason_of(error: Exception) -> Finding | str:
    """Why something failed: our own finding, or what a library or the system says, without the file's path."""
    found = getattr(error, "finding", None)
    if isinstance(found, Finding):
        return found
    said = error.strerror if isinstance(error, OSError) else None
    return said or str(error) or type(error).__name__


@dataclass(frozen=True, slots=True)
class Rejection:
    """What was left out of the input, and why: an image with its labels, a box of a kept image, or a repeated row."""

    file: Path
    finding: Finding
    cause: Cause
    kind: Kind = "image"
