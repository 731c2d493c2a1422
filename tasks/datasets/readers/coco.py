"""Boxes of a COCO instances file, and the parts of it that they need (https://cocodataset.org/#format-data).

Rows that say the same are one: categories of one id, images of one id or of one file, annotations of one id. Where they
contradict each other, the category's boxes or the image are rejected; annotations are not: nothing refers to their ids.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from tasks.contracts import Finding, first_problem
from tasks.datasets.errors import DatasetError, ItemError, MalformedError
from tasks.datasets.files import is_file
from tasks.datasets.items import Boxes, Item, clipped
from tasks.datasets.readers.pairing import image_alone, label_alone, listed_only, not_listed
from tasks.datasets.readers.repeated import contradicting, keyed, merged_rows
from tasks.datasets.table import Box


class CocoImage(BaseModel):
    """A row of ``images``; keys beyond these are kept as extras."""

    model_config = ConfigDict(extra="allow")

    id: int | str
    file_name: str
    width: int | None = None
    height: int | None = None


class CocoCategory(BaseModel):
    """A row of ``categories``."""

    id: int | str
    name: str


class CocoAnnotation(BaseModel):
    """A row of ``annotations``; ``bbox`` is x, y, width, height in pixels."""

    category_id: int | str
    bbox: Annotated[list[FiniteFloat], Field(min_length=4, max_length=4)]
    iscrowd: bool = False


class CocoFile(BaseModel):
    """A whole file. Annotations stay unchecked: a bad one is rejected alone, and does not spoil the file."""

    images: list[CocoImage]
    categories: list[CocoCategory]
    annotations: list[dict[str, Any]]

    @classmethod
    def load(cls, path: Path) -> CocoFile:
        """Read a file.

        Raises:
            DatasetError: no such file, no JSON, or not of this form.
        """
        try:
            return cls.model_validate_json(path.read_bytes().removeprefix(BOM_UTF8))
        except FileNotFoundError:
            wanted = Finding.of("data.wanted_coco")
            raise DatasetError(
                Finding.of("data.not_there", why=Finding.of("data.no_such_file"), wanted=wanted), path
            ) from None
        except ValidationError as error:
            raise DatasetError(Finding.of("data.no_coco", problem=first_problem(error)), path) from error

    def by_image(self) -> tuple[dict[int | str | None, list[dict[str, Any]]], list[int | str]]:
        """Image id -> its annotations (None: those that name no image); and the ids of those repeated word for word."""
        grouped = defaultdict(list)
        first: dict[int | str, dict[str, Any]] = {}
        merged = []
        for annotation in self.annotations:
            id_, image = (_reference(annotation.get(key)) for key in ("id", "image_id"))
            if (
                id_ is not None
                and (other := first.setdefault(id_, annotation)) is not annotation
                and other == annotation
            ):
                merged.append(id_)
            else:
                grouped[image].append(annotation)
        return dict(grouped), merged


class CocoBoxes:
    """The boxes of a folder of images that stand in one COCO instances file.

    Args:
        file: the file.
        root: where its ``file_name`` may start, instead of at ``images``.
        images: the folder of the images.
        categories: category's name -> index into the detection classes; None where it is none of them.
        key: where these names stand, for errors.
    """

    def __init__(self, file: Path, root: Path, images: Path, categories: Mapping[str, int | None], key: str) -> None:
        self.places = [file]
        self._file, self._root, self._images = file, root, images
        self._categories, self._key = categories, key
        self._names: dict[int | str, str] = {}  # COCO category id -> name
        self._unsure: dict[int | str, list[str]] = {}  # COCO category id -> the names that rows of it have
        self._listed: dict[Path, tuple[CocoImage, list[dict[str, Any]]]] = {}
        self._contradicting: dict[Path, Finding] = {}

    def load(self, stems: Iterable[str]) -> dict[str, ItemError]:
        """Read the file; returns what in it has no image, by the image's path below its folder without suffix.

        Repeated rows are among it, by their table's name.
        """
        content = CocoFile.load(self._file)
        categories = keyed((c.id, c.name) for c in content.categories)
        self._names, self._unsure = categories.rows, categories.contradicting
        by_image, repeated = content.by_image()
        tables: dict[str, Sequence[object]] = {
            "images": self._list(content.images, by_image),
            "categories": categories.merged,
            "annotations": repeated,
        }
        problems = {}
        for path, (row, _) in self._listed.items():
            if not is_file(path):
                name = path.relative_to(self._images) if path.is_relative_to(self._images) else Path(row.file_name)
                problems[name.with_suffix("").as_posix()] = label_alone(path, listed_only(self._file))
        for table, keys in tables.items():
            problems |= {f"{self._file} {table}": problem for problem in merged_rows(self._file, table, keys)}
        for image_id, alone in by_image.items():
            finding = Finding.of("data.annotations_alone", n=len(alone), id=image_id)
            problems[f"image {image_id}"] = ItemError(self._file, finding, "paired")
        return problems

    def _list(self, rows: list[CocoImage], by_image: dict[int | str | None, list[dict[str, Any]]]) -> list[object]:
        """Take in the images with their annotations out of ``by_image``; returns the repeated rows' ids."""
        images = keyed((row.id, row) for row in rows)
        for id_, unsure in images.contradicting.items():
            for row in unsure:
                path = self._locate(row.file_name)
                self._contradicting[path] = contradicting(f"image id {id_}", len(unsure))
                self._listed[path] = (row, by_image.get(id_, []))
            by_image.pop(id_, None)
        merged: list[object] = [*images.merged]
        for id_, row in images.rows.items():
            path, annotations = self._locate(row.file_name), by_image.pop(id_, [])
            if path in self._listed:
                first, others = self._listed[path]
                if first.model_copy(update={"id": id_}) != row:
                    self._contradicting[path] = contradicting(row.file_name, 2)
                merged += [id_] if path not in self._contradicting else []
                annotations = others + _unknown_to(others, annotations)
            self._listed[path] = (row, annotations)
        return merged

    def _locate(self, name: str) -> Path:
        """The image that a ``file_name`` means, which may start at the root or at the image folder."""
        path = self._root / name
        return path if path.is_relative_to(self._images) else self._images / name

    def file(self, stem: str) -> Path:
        """The file that holds an image's boxes."""
        return self._file

    def extra(self, image: Path) -> dict[str, Any]:
        """What else the file says of an image.

        Raises:
            ItemError: the image is not listed, or by rows that contradict each other.
        """
        if image in self._contradicting:
            raise ItemError(image, self._contradicting[image], "unique")
        if image not in self._listed:
            raise image_alone(image, not_listed(self._file))
        return dict(self._listed[image][0].model_extra or {})

    def boxes(self, item: Item, size: tuple[int, int]) -> Boxes:
        """The image's annotations.

        Raises:
            ItemError: the file says that the image is of another size.
        """
        found = Boxes()
        row, annotations = self._listed[item.image]
        listed = (row.width or size[0], row.height or size[1])
        if listed != size:
            finding = Finding.of("data.size_listed", size=_x(size), file=self._file, listed=_x(listed))
            raise ItemError(item.image, finding, "size")
        for annotation in annotations:
            try:
                box = self._box(annotation)
                found.kept += [clipped(box, size)] if box else []
            except MalformedError as error:
                label = Finding.of("data.annotation", id=str(annotation.get("id")))
                found.reject(
                    self._file, Finding.of("data.in_image", label=label, image=row.file_name, why=error.finding)
                )
        return found

    def _box(self, annotation: dict[str, Any]) -> Box | None:
        """The annotation's box; None where it is none of the detection classes."""
        try:
            a = CocoAnnotation.model_validate(annotation)
        except ValidationError as error:
            raise MalformedError("data.other_form", problem=first_problem(error)) from error
        if a.category_id in self._unsure:
            names = ", ".join(self._unsure[a.category_id])
            raise MalformedError("data.category_contradicts", id=a.category_id, names=names)
        if a.category_id not in self._names:
            raise MalformedError("data.unknown_category_id", id=a.category_id)
        name = self._names[a.category_id]
        if name not in self._categories:
            raise MalformedError("data.unknown_category", name=name, key=self._key)
        category = self._categories[name]
        x, y, w, h = a.bbox
        return None if category is None else Box(category, x, y, x + w, y + h, a.iscrowd)


def _reference(value: object) -> int | str | None:
    """An id; None where it is none."""
    return value if isinstance(value, int | str) else None


def _unknown_to(others: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The annotations that the others, of the same image under another id, do not have."""
    ids = {"id": None, "image_id": None}
    known = [annotation | ids for annotation in others]
    return [annotation for annotation in annotations if annotation | ids not in known]


def _x(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
