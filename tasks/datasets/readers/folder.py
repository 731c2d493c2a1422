"""A plain folder of images, index masks of the same base names, and one COCO instances file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from tasks.datasets.config import FolderDataset
from tasks.datasets.items import Boxes, Item, ItemError, clipped, existing
from tasks.datasets.readers.coco import CocoAnnotation, CocoFile, CocoImage
from tasks.datasets.table import Box
from tasks.datasets.taxonomy import Taxonomy

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


class FolderReader:
    """Reads one split of such a folder."""

    def __init__(self, config: FolderDataset, taxonomy: Taxonomy) -> None:
        def place(text: str) -> Path:
            return config.root / text.replace("{split}", config.split)

        self.dataset = config.name
        self._images = place(config.image_folder)
        self._masks = place(config.mask_folder) if config.mask_folder is not None else None
        self._file = place(config.boxes) if config.boxes is not None else None
        self.has_boxes = self._file is not None
        self.places = [p for p in (self._images, self._masks, self._file) if p is not None]
        self._categories = taxonomy.categories(config.name)
        self._root = config.root
        self._names: dict[int | str, str] = {}  # COCO category id -> name
        self._listed: dict[Path, tuple[CocoImage, list[dict[str, Any]]]] = {}

    def find(self) -> list[Item]:
        """List images by id: the path below the image folder without suffix, ``/`` written as ``__``."""
        images = _by_stem(existing(self._images, f"images ({', '.join(_SUFFIXES)})"))
        masks = _by_stem(existing(self._masks, "masks")) if self._masks else {}
        orphans = {item.id: item for item in self._load()}
        items = [self._item(stem, path, masks.get(stem)) for stem, paths in images.items() for path in paths]
        for stem in masks.keys() - images.keys():
            path = masks[stem][0]
            problem = ItemError(path, f"label without image: no {self._images / stem} with any of {_SUFFIXES}")
            orphans[_id(stem)] = Item(_id(stem), path, path, None, problem)
        return items + list(orphans.values())

    def _item(self, stem: str, image: Path, masks: list[Path] | None) -> Item:
        problem, extra = None, {}
        if self._masks and masks is None:
            problem = ItemError(image, f"image without label: no {self._masks / stem}.png")
        elif self._file and image not in self._listed:
            problem = ItemError(image, f"image without label: {self._file} does not list it")
        elif self._file:
            extra = dict(self._listed[image][0].model_extra or {})
        return Item(_id(stem), image, masks[0] if masks else None, self._file, problem, extra)

    def _load(self) -> list[Item]:
        """Read the COCO file; returns what in it has no image."""
        if self._file is None:
            return []
        content = CocoFile.load(self._file)
        self._names = {c.id: c.name for c in content.categories}
        by_image = content.by_image()
        orphans = []
        for row in content.images:
            path, annotations = self._locate(row.file_name), by_image.pop(row.id, [])
            self._listed[path] = (row, annotations)
            if not path.is_file():
                problem = ItemError(path, f"label without image: {self._file} lists it, but there is no such file")
                orphans.append(
                    Item(_id(path.relative_to(self._images).with_suffix("").as_posix()), path, None, None, problem)
                )
        for image_id, annotations in by_image.items():
            problem = ItemError(
                self._file, f"{len(annotations)} annotations of image {image_id!r}, which is not listed"
            )
            orphans.append(Item(f"image {image_id}", self._file, None, None, problem))
        return orphans

    def _locate(self, name: str) -> Path:
        """The image that a ``file_name`` means, which may start at the root or at the image folder."""
        path = self._root / name
        return path if path.is_relative_to(self._images) else self._images / name

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes:
        """The image's annotations."""
        found = Boxes()
        if self._file is None:
            return found
        row, annotations = self._listed[item.image]
        listed = (row.width or size[0], row.height or size[1])
        if listed != size:
            raise ItemError(item.image, f"is {_x(size)}, but {self._file} says {_x(listed)}")
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
            raise ValueError(f"category {name!r} is not in the taxonomy's maps.{self.dataset}.boxes")
        category = self._categories[name]
        x, y, w, h = a.bbox
        return None if category is None else Box(category, x, y, x + w, y + h, a.iscrowd)


def _by_stem(folder: Path) -> dict[str, list[Path]]:
    """Path below the folder without suffix -> its files, in order."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _SUFFIXES:
            found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), []).append(path)
    return found


def _id(stem: str) -> str:
    return stem.replace("/", "__")


def _x(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
