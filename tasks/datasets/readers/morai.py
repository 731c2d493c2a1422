"""MORAI SIM's saved camera data, capture mode.

One folder holds ``<time>_Intensity`` (RGB or RGBA; PNG or JPEG), ``<time>_Semantic.png``, ``<time>_Instance.txt`` and,
where saved, ``<time>_Instance.png``. A line of the text is an object in 17 blank-separated fields, KITTI-like: type,
truncated, occluded, alpha, xmin, ymin, xmax, ymax (px), 7 zeros, distance (m), relative velocity ``x,y,z``. It lists
hidden objects too, and calls cars, trucks and buses alike a vehicle: what is visible, and which of them it is, comes
from the label images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.datasets.config import MoraiDataset
from tasks.datasets.images import ImageError, read_label
from tasks.datasets.items import Boxes, Item, ItemError, clipped, existing
from tasks.datasets.table import Box
from tasks.datasets.taxonomy import Taxonomy

_IMAGE, _MASK, _INSTANCES, _TEXT = "_Intensity", "_Semantic.png", "_Instance.png", "_Instance.txt"
_FIXED = {"SaveFile", "SensorData"}  # folders that every recording has: they say nothing in an id
_FIELDS = 17
_INSIDE = 0.9  # the share of an object's visible pixels that must lie in its box


class MoraiReader:
    """Reads the recordings below a folder; MORAI SIM itself knows no splits."""

    has_boxes = True

    def __init__(self, config: MoraiDataset, taxonomy: Taxonomy) -> None:
        self.dataset = config.palette
        self.places = [config.root]
        self._root = config.root
        self._min_pixels = config.min_box_pixels
        self._categories = taxonomy.categories(config.palette)
        self._by_mask = taxonomy.categories_by_mask(config.palette)

    def find(self) -> list[Item]:
        """List images by id: the path below the root and the time of capture."""
        paths = sorted(existing(self._root, f"MORAI recordings (*{_IMAGE}.png)").rglob("*_*"))
        found: dict[Path, dict[str, Path]] = {}  # folder / time -> kind -> file
        for path in paths:
            time, _, kind = path.stem.rpartition("_")
            if f"_{kind}{path.suffix}" in (_MASK, _TEXT, _INSTANCES) or f"_{kind}" == _IMAGE:
                found.setdefault(path.parent / time, {})[kind + path.suffix * (path.suffix == ".txt")] = path
        return [self._item(stem, files) for stem, files in found.items()]

    def _item(self, stem: Path, files: dict[str, Path]) -> Item:
        image, mask, text = files.get("Intensity"), files.get("Semantic"), files.get("Instance.txt")
        problem = None
        if image is None:
            problem = ItemError(next(iter(files.values())), f"label without image: no {stem}{_IMAGE}.png")
        elif mask is None or text is None:
            problem = ItemError(image, f"image without label: no {stem}{_MASK if mask is None else _TEXT}")
        parts = [p for p in stem.relative_to(self._root).parts if p not in _FIXED]
        any_file = image or next(iter(files.values()))
        return Item("__".join(parts), any_file, mask, text, problem, {"camera": stem.parent.name})

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes:
        """The objects of the text that have enough visible pixels, with the class that most of those have."""
        assert item.labels is not None
        found, objects = Boxes(), []
        for number, line in enumerate(_lines(item.labels), 1):
            try:
                name, box = _parse(line)
                box = clipped(box, size)
                if name in self._by_mask:
                    objects.append(_Object(box, self._by_mask[name]))
                elif name not in self._categories:
                    raise ValueError(f"type {name!r} is not in the taxonomy's maps.{self.dataset}")
                elif (category := self._categories[name]) is not None:
                    found.kept.append(replace(box, category=category))
            except ValueError as error:
                found.reject(item.labels, f"line {number}: {error}")
        if mask is None:  # then no object's class comes from it either
            return found
        visible = _by_instance(objects, mask, path) if (path := _instances(item)) else _by_class(objects, mask)
        seen = [box for box, pixels in visible if pixels >= self._min_pixels]
        found.kept += seen
        found.hidden = len(objects) - len(seen)
        return found


@dataclass(frozen=True, slots=True)
class _Object:
    box: Box  # its category is not known yet
    categories: dict[int, int]  # class index of its visible pixels -> category

    def crop(self, array: NDArray[Any]) -> NDArray[Any]:
        """The part of an image-sized array under the box."""
        b = self.box
        return array[int(b.y1) : math.ceil(b.y2), int(b.x1) : math.ceil(b.x2)]

    def resolved(self, classes: NDArray[np.uint8]) -> tuple[Box, int]:
        """The box with the category that most of these pixels mean, and how many mean any."""
        counts = np.bincount(classes.ravel(), minlength=256)
        best = max(self.categories, key=lambda c: int(counts[c]))
        return replace(self.box, category=self.categories[best]), sum(int(counts[c]) for c in self.categories)


def _by_class(objects: list[_Object], mask: NDArray[np.uint8]) -> list[tuple[Box, int]]:
    """Each object's box with its visible pixels, taken as all pixels of its classes under the box."""
    return [o.resolved(o.crop(mask)) for o in objects]


def _by_instance(objects: list[_Object], mask: NDArray[np.uint8], path: Path) -> list[tuple[Box, int]]:
    """Each object's box with the visible pixels of its instance; objects without an instance are left out.

    The text does not say which instance an object is: of those whose pixels lie in its box and have one of its
    classes, it is the one that fills the box best, and no two objects share one.
    """
    instances = _read_instances(path, mask)
    total = np.bincount(instances.ravel())
    pairs = []
    for n, o in enumerate(objects):
        crop = o.crop(instances)
        own = np.isin(o.crop(mask), list(o.categories))
        inside = np.bincount(crop[own], minlength=len(total))
        matches = np.flatnonzero((inside > 0) & (inside >= _INSIDE * total))
        pairs += [(-int(inside[i]) / crop.size, n, int(i)) for i in matches]
    partner: dict[int, int] = {}
    for _, n, i in sorted(pairs):
        if n not in partner and i not in partner.values():
            partner[n] = i
    return [objects[n].resolved(mask[instances == i]) for n, i in sorted(partner.items())]


def _read_instances(path: Path, mask: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Number the colours of an instance image from 0."""
    try:
        label = read_label(path).astype(np.int64)
    except ImageError as error:
        raise ItemError(path, str(error).removeprefix(f"{path}: ")) from error
    if label.shape[:2] != mask.shape:
        raise ItemError(path, f"has shape {label.shape[:2]} (rows, columns), its image {mask.shape}")
    packed = label if label.ndim == 2 else label[..., 0] << 16 | label[..., 1] << 8 | label[..., 2]
    return np.asarray(np.unique(packed, return_inverse=True)[1].reshape(mask.shape), np.int64)


def _instances(item: Item) -> Path | None:
    assert item.labels is not None
    path = item.labels.with_suffix(".png")
    return path if path.is_file() else None


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ItemError(path, f"cannot be read as text ({error})") from error


def _parse(line: str) -> tuple[str, Box]:
    """The type and the box of a line; the box's category is still open (-1)."""
    fields = line.split()
    if len(fields) != _FIELDS:
        raise ValueError(f"has {len(fields)} fields instead of {_FIELDS}: {line[:80]!r}")
    try:
        x1, y1, x2, y2 = (float(f) for f in fields[4:8])
    except ValueError:
        raise ValueError(f"the box is not four numbers: {' '.join(fields[4:8])!r}") from None
    if not all(map(math.isfinite, (x1, y1, x2, y2))):
        raise ValueError(f"the box is not finite: {' '.join(fields[4:8])!r}")
    return fields[0], Box(-1, x1, y1, x2, y2)
