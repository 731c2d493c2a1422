"""Boxes of a COCO instances file, and the parts of it that they need (https://cocodataset.org/#format-data)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from tasks.datasets.errors import DatasetError, ItemError
from tasks.datasets.files import is_file
from tasks.datasets.items import Boxes, Item, clipped
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
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise DatasetError(
                f"{path}: no such file; the split's boxes (COCO instances) were looked for there"
            ) from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise DatasetError(
                f"{path}: is no COCO instances file: {where + ': ' if where else ''}{first['msg']}"
            ) from error

    def by_image(self) -> dict[int | str | None, list[dict[str, Any]]]:
        """Image id -> its annotations."""
        grouped = defaultdict(list)
        for annotation in self.annotations:
            grouped[annotation.get("image_id")].append(annotation)
        return dict(grouped)


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
        self._listed: dict[Path, tuple[CocoImage, list[dict[str, Any]]]] = {}

    def load(self, stems: Iterable[str]) -> dict[str, ItemError]:
        """Read the file; returns what in it has no image, by the image's path below its folder without suffix."""
        content = CocoFile.load(self._file)
        self._names = {c.id: c.name for c in content.categories}
        by_image = content.by_image()
        problems = {}
        for row in content.images:
            path, annotations = self._locate(row.file_name), by_image.pop(row.id, [])
            self._listed[path] = (row, annotations)
            if not is_file(path):
                reason = f"label without image: {self._file} lists it, but there is no such file"
                name = path.relative_to(self._images) if path.is_relative_to(self._images) else Path(row.file_name)
                problems[name.with_suffix("").as_posix()] = ItemError(path, reason, "paired")
        for image_id, annotations in by_image.items():
            reason = f"{len(annotations)} annotations of image {image_id!r}, which is not listed"
            problems[f"image {image_id}"] = ItemError(self._file, reason, "paired")
        return problems

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
            ItemError: the image is not listed.
        """
        if image not in self._listed:
            raise ItemError(image, f"image without label: {self._file} does not list it", "paired")
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
            raise ItemError(item.image, f"is {_x(size)}, but {self._file} says {_x(listed)}", "size")
        for annotation in annotations:
            try:
                box = self._box(annotation)
                found.kept += [clipped(box, size)] if box else []
            except ValueError as error:
                found.reject(self._file, f"annotation {annotation.get('id')} of {row.file_name}: {error}")
        return found

    def _box(self, annotation: dict[str, Any]) -> Box | None:
        """The annotation's box; None where it is none of the detection classes."""
        try:
            a = CocoAnnotation.model_validate(annotation)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        if a.category_id not in self._names:
            raise ValueError(f"category_id {a.category_id} is not among the file's categories")
        name = self._names[a.category_id]
        if name not in self._categories:
            raise ValueError(f"category {name!r} is not in the taxonomy's {self._key}")
        category = self._categories[name]
        x, y, w, h = a.bbox
        return None if category is None else Box(category, x, y, x + w, y + h, a.iscrowd)


def _x(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
