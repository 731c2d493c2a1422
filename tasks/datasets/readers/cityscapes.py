"""Cityscapes: ``leftImg8bit/<split>/<city>/`` with ``gtFine/<split>/<city>/`` beside it.

Label ids and instance ids as in cityscapesscripts: a thing's pixels are ``id * 1000 + n`` in ``instanceIds``; a value
below 1000 is stuff, or a group of things that were not told apart.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.datasets.config import CityscapesDataset
from tasks.datasets.images import ImageError, read_label
from tasks.datasets.items import Boxes, Item, ItemError, existing
from tasks.datasets.table import Box
from tasks.datasets.taxonomy import Taxonomy

THINGS = {
    24: "person",
    25: "rider",
    26: "car",
    27: "truck",
    28: "bus",
    29: "caravan",
    30: "trailer",
    31: "train",
    32: "motorcycle",
    33: "bicycle",
}
_IMAGE, _LABELS, _INSTANCES = "_leftImg8bit.png", "_gtFine_labelIds.png", "_gtFine_instanceIds.png"


class CityscapesReader:
    """Reads one split of Cityscapes."""

    dataset = "cityscapes"
    has_boxes = True

    def __init__(self, config: CityscapesDataset, taxonomy: Taxonomy) -> None:
        self._min_pixels = config.min_box_pixels
        names = taxonomy.categories(self.dataset)
        self._categories = {i: c for i, name in THINGS.items() if (c := names.get(name)) is not None}
        self._images = config.root / "leftImg8bit" / config.split
        self._labels = config.root / "gtFine" / config.split
        self.places = [self._images, self._labels]

    def find(self) -> list[Item]:
        """List images by id ``<city>_<sequence>_<frame>``."""
        images = _by_stem(existing(self._images, f"images <city>/*{_IMAGE}"), _IMAGE)
        masks = _by_stem(existing(self._labels, f"labels <city>/*{_LABELS}"), _LABELS)
        instances = _by_stem(self._labels, _INSTANCES)
        return [self._item(key, images, masks, instances) for key in sorted(images.keys() | masks.keys())]

    def _item(self, key: str, images: dict[str, Path], masks: dict[str, Path], instances: dict[str, Path]) -> Item:
        image, mask, instance = images.get(key), masks.get(key), instances.get(key)
        problem = None
        if image is None:
            problem = ItemError(masks[key], f"label without image: no {self._images / key}{_IMAGE}")
        elif mask is None or instance is None:
            missing = f"{self._labels / key}{_LABELS if mask is None else _INSTANCES}"
            problem = ItemError(image, f"image without label: no {missing}")
        name = key.split("/")[-1]
        extra = {"city": name.split("_")[0]}
        return Item(name, image or masks[key], mask, instance, problem, extra)

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes:
        """Boxes of the visible pixels of every thing; a group gives a crowd box for each connected piece."""
        assert item.labels is not None
        try:
            ids = read_label(item.labels)
        except ImageError as error:
            raise ItemError(item.labels, str(error).removeprefix(f"{item.labels}: ")) from error
        if ids.shape != size[::-1]:
            raise ItemError(item.labels, f"has shape {ids.shape} (rows, columns), its image {size[::-1]}")
        found = Boxes()
        for value in np.unique(ids).tolist():
            category = self._categories.get(value // 1000 if value >= 1000 else value)
            if category is None:
                continue
            pieces = [ids == value] if value >= 1000 else _pieces(ids == value)
            for piece in pieces:
                self._add(found, piece, category, crowd=value < 1000)
        return found

    def _add(self, found: Boxes, piece: NDArray[np.bool_], category: int, crowd: bool) -> None:
        if np.count_nonzero(piece) < self._min_pixels:
            found.hidden += 1
            return
        columns, rows = np.flatnonzero(piece.any(axis=0)), np.flatnonzero(piece.any(axis=1))
        x1, x2, y1, y2 = float(columns[0]), float(columns[-1] + 1), float(rows[0]), float(rows[-1] + 1)
        found.kept.append(Box(category, x1, y1, x2, y2, crowd))


def _by_stem(folder: Path, suffix: str) -> dict[str, Path]:
    """``<city>/<name>`` -> file."""
    return {p.relative_to(folder).as_posix().removesuffix(suffix): p for p in folder.glob(f"*/*{suffix}")}


def _pieces(region: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    count, labels = cv2.connectedComponents(region.astype(np.uint8), connectivity=8)
    return [labels == n for n in range(1, count)]
