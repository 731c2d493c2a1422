"""The parts of a COCO instances file that boxes need (https://cocodataset.org/#format-data)."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from tasks.datasets.items import DatasetError


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
