"""The parts of a COCO instances file that boxes need (https://cocodataset.org/#format-data).

Of an annotation nothing but these is kept while the file is parsed: its outlines are most of such a file.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, ValidationError

from tasks.contracts import Finding, first_problem
from tasks.datasets.errors import DatasetError, ItemError, MalformedError, reason_of
from tasks.datasets.readers.json_rows import parsed_json

CocoId = int | str


def _id(value: object) -> CocoId:
    if (found := reference(value)) is None:
        raise ValueError("neither a whole number nor a text")
    return found


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("no number")
    return value


_Id = Annotated[CocoId, BeforeValidator(_id)]
_Number = Annotated[FiniteFloat, BeforeValidator(_number)]


class CocoImage(BaseModel):
    """A row of ``images``; keys beyond these are kept as extras."""

    model_config = ConfigDict(extra="allow")

    id: _Id
    file_name: str
    width: int | None = None
    height: int | None = None


class CocoCategory(BaseModel):
    """A row of ``categories``."""

    id: _Id
    name: str


class CocoBox(BaseModel):
    """What a row of ``annotations`` must have; ``bbox`` is x, y, width, height in pixels."""

    category_id: _Id
    bbox: Annotated[list[_Number], Field(min_length=4, max_length=4)]
    iscrowd: bool = False


class CocoAnnotation(NamedTuple):  # there may be millions: it is made faster than a dataclass, and takes less room
    """A row of ``annotations``, unchecked: a bad one is rejected alone. What it lacks is None."""

    id: Any
    image_id: Any
    category_id: Any
    bbox: Any
    iscrowd: Any

    @classmethod
    def of(cls, row: Any) -> CocoAnnotation:
        """A row as it was parsed, reduced; of one that is no object, nothing is left."""
        if isinstance(row, cls):
            return row
        values = row if isinstance(row, dict) else {}
        bbox = values.get("bbox")
        sides = tuple(bbox) if isinstance(bbox, list) else bbox  # it takes less room
        return cls(values.get("id"), values.get("image_id"), values.get("category_id"), sides, values.get("iscrowd"))

    def box(self) -> CocoBox:
        """The row, checked.

        Raises:
            MalformedError: it is not of the form.
        """
        values = {"category_id": self.category_id, "bbox": self.bbox, "iscrowd": self.iscrowd}
        try:
            return CocoBox.model_validate({key: value for key, value in values.items() if value is not None})
        except ValidationError as error:
            raise MalformedError("data.other_form", problem=first_problem(error)) from error

    def says(self) -> tuple[Any, ...]:
        """What it says of its image, whichever row of it that names."""
        return self.category_id, self.bbox, self.iscrowd


class CocoTables(BaseModel):
    images: list[Any]
    categories: list[CocoCategory]
    annotations: list[Any]


@dataclass(frozen=True)
class CocoFile:
    """A whole file.

    Attributes:
        images, categories: their rows.
        annotations: those of each image, by its id; of None: those that name no image.
        repeated: the annotations that repeat another word for word: their ids, and their images'.
        problems: the rows of ``images`` that are not of the form.
    """

    images: list[CocoImage]
    categories: list[CocoCategory]
    annotations: dict[CocoId | None, list[CocoAnnotation]]
    repeated: list[tuple[CocoId, CocoId | None]]
    problems: list[ItemError]

    @classmethod
    def load(cls, path: Path) -> CocoFile:
        """Read a file.

        Raises:
            DatasetError: no such file, no JSON, or not of this form.
        """
        tables = _tables(path)
        images, problems = [], []
        for number, row in enumerate(tables.images):
            try:
                images.append(_image(row))
            except MalformedError as error:
                finding = Finding.of("data.image_row", row=number, why=error.finding)
                problems.append(ItemError(path, finding, "named"))
        annotations, repeated = _by_image(tables.annotations)
        return cls(images, tables.categories, annotations, repeated, problems)


def _tables(path: Path) -> CocoTables:
    try:
        return CocoTables.model_validate(parsed_json(path, _reduced))
    except FileNotFoundError:
        why, wanted = Finding.of("data.no_such_file"), Finding.of("data.wanted_coco")
        raise DatasetError(Finding.of("data.not_there", why=why, wanted=wanted), path) from None
    except OSError as error:
        raise DatasetError(Finding.of("data.not_readable", problem=reason_of(error)), path) from error
    except MalformedError as error:
        raise DatasetError(error.finding, path) from error
    except ValidationError as error:
        raise DatasetError(Finding.of("data.no_coco", problem=first_problem(error)), path) from error


def _reduced(row: dict[str, Any]) -> dict[str, Any] | CocoAnnotation:
    """An annotation as the little that is kept of it; one that lacks a key of these goes through as it is."""
    return CocoAnnotation.of(row) if {"image_id", "category_id", "bbox"} <= row.keys() else row


def _image(row: Any) -> CocoImage:
    try:
        return CocoImage.model_validate(row)
    except ValidationError as error:
        raise MalformedError("data.other_form", problem=first_problem(error)) from error


def _by_image(
    rows: list[Any],
) -> tuple[dict[CocoId | None, list[CocoAnnotation]], list[tuple[CocoId, CocoId | None]]]:
    grouped: defaultdict[CocoId | None, list[CocoAnnotation]] = defaultdict(list)
    first: dict[CocoId, CocoAnnotation] = {}
    repeated = []
    for row in map(CocoAnnotation.of, rows):
        id_, image = reference(row.id), reference(row.image_id)
        if id_ is not None and (other := first.setdefault(id_, row)) is not row and other == row:
            repeated.append((id_, image))
        else:
            grouped[image].append(row)
    return dict(grouped), repeated


def reference(value: object) -> CocoId | None:
    """An id, 1.0 being 1 as in tables that went through pandas; None where it is none, as true is none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None
