"""MORAI SIM's saved camera data, in both of its layouts.

Capture mode: one folder holds ``<time>_Intensity`` (RGB or RGBA; PNG or JPEG), ``<time>_Semantic.png``,
``<time>_Instance.txt`` and, where saved, ``<time>_Instance.png``. Plain save: one camera's folder holds ``<time>.png``
or ``.jpg`` (RGB), and another's, in ground-truth mode, ``<time>.png`` (semantic) and ``<time>.txt``; see
``morai_plain``. Folders without images are other sensors'.

A line of the text is an object in 17 blank-separated fields, KITTI-like: type, truncated, occluded, alpha, xmin, ymin,
xmax, ymax (px), 7 zeros, distance (m), relative velocity ``x,y,z``. It lists hidden objects too, and calls cars, trucks
and buses alike a vehicle: what is visible, and which of them it is, comes from the label images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Finding
from tasks.datasets.config import MoraiDataset
from tasks.datasets.errors import ItemError, MalformedError
from tasks.datasets.files import files_below, text_lines
from tasks.datasets.images import read_label
from tasks.datasets.items import Boxes, Item, clipped
from tasks.datasets.readers.kitti_lines import parse_line
from tasks.datasets.readers.morai_plain import IMAGE, TEXT, Frames, Pair, camera_pairs, frame_pairs
from tasks.datasets.readers.morai_times import TIME, Times, time_of
from tasks.datasets.readers.pairing import Part, label_alone, unpaired
from tasks.datasets.table import Box, BoxSource
from tasks.datasets.taxonomy import Taxonomy

_IMAGES = (".png", ".jpg", ".jpeg")
_RGB, _MASK, _INSTANCES, _OBJECTS = "_Intensity", "_Semantic.png", "_Instance.png", "_Instance.txt"
_KINDS = {f"{_RGB}{suffix}": _RGB for suffix in _IMAGES} | {k: k for k in (_MASK, _INSTANCES, _OBJECTS)}
_FIXED = {"SaveFile", "SensorData"}  # folders that every recording has: they say nothing in an id
_FIELDS = 17
_INSIDE = 0.9  # the share of an object's visible pixels that must lie in its box


class MoraiReader:
    """Reads the recordings below a folder; MORAI SIM itself knows no splits."""

    boxes_from: BoxSource | None = "annotated"
    needs_mask = True

    def __init__(self, config: MoraiDataset, taxonomy: Taxonomy) -> None:
        self.dataset = config.palette
        self.places = [config.root]
        self._root = config.root
        self._layouts = ("capture", "plain") if config.layout == "auto" else (config.layout,)
        self._tolerance = timedelta(seconds=config.tolerance)
        self._gap = timedelta(seconds=config.gap)
        self._min_pixels = config.min_box_pixels
        self._categories = taxonomy.categories(config.palette)
        self._by_mask = taxonomy.categories_by_mask(config.palette)
        self._instances: dict[Path, Path] = {}  # by the text beside them, which only capture mode saves

    def find(self) -> list[Item]:
        """List images by id: the path below the root and the time of capture.

        Raises:
            DatasetError: there is no such folder, or plain saves leave open which camera a ground truth belongs to.
        """
        listed = files_below(self._root, Finding.of("data.wanted_morai", capture=f"*{_RGB}.png", plain=f"{TIME}.png"))
        problems = list(listed.problems)
        layouts: dict[str, dict[Path, Frames]] = {"capture": {}, "plain": {}}
        cameras = {path.parent for path in listed.files if path.suffix.lower() in _IMAGES}
        for path in listed.files:
            try:
                place = _place(path) if path.parent in cameras else None
                if place is not None and place[0] in self._layouts:
                    layout, time, kind = place
                    _add(layouts[layout].setdefault(path.parent, {}).setdefault(time, {}), kind, path)
            except ItemError as error:
                problems.append(error)
        items = [item for folder, frames in layouts["capture"].items() for item in self._captured(folder, frames)]
        pairs, lonely = camera_pairs(layouts["plain"], self._tolerance)
        for images, labels in pairs:
            items += self._saved(images, labels, layouts["plain"])
        return items + [Item.unusable(p) for p in problems + lonely]

    def _captured(self, folder: Path, frames: Frames) -> list[Item]:
        """The frames of a camera in capture mode."""
        starts = Times(frames).starts(self._gap)
        for kinds in frames.values():
            if _OBJECTS in kinds and _INSTANCES in kinds:
                self._instances[kinds[_OBJECTS]] = kinds[_INSTANCES]
        return [self._item(folder, _complete(folder, time, kinds), starts) for time, kinds in frames.items()]

    def _saved(self, images: Path, labels: Path, cameras: dict[Path, Frames]) -> list[Item]:
        """The frames of a plain camera and of its ground truth."""
        pairs = frame_pairs(cameras[images], cameras[labels], self._tolerance)
        starts = Times({pair.name for pair in pairs}).starts(self._gap)
        return [self._item(images, pair, starts) for pair in pairs]

    def _item(self, folder: Path, pair: Pair, starts: dict[str, str]) -> Item:
        parts = [p for p in folder.relative_to(self._root).parts if p not in _FIXED]
        file = pair.image or pair.mask or pair.text
        assert file is not None
        return Item(
            "__".join([*parts, pair.name]),
            file,
            pair.mask,
            pair.text,
            pair.problem,
            {"camera": folder.name},
            "__".join([*parts, starts[pair.name]]),
        )

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes:
        """The objects of the text that have enough visible pixels, with the class that most of those have."""
        assert item.labels is not None
        found, objects = Boxes(), []
        for number, line in text_lines(item.labels):
            found.listed += 1
            try:
                name, box = parse_line(line, _FIELDS)
                box = clipped(box, size)
                if self._by_mask.get(name) == {}:  # none of the classes it can be is asked for
                    found.other += 1
                elif name in self._by_mask:
                    objects.append(_Object(box, self._by_mask[name]))
                elif name not in self._categories:
                    raise MalformedError("data.unknown_type", name=name, key=f"maps.{self.dataset}")
                else:
                    category = self._categories[name]
                    found.take(None if category is None else replace(box, category=category), size)
            except MalformedError as error:
                found.reject(item.labels, Finding.of("data.in_line", line=number, why=error.finding))
        if mask is None:  # then no object's class comes from it either
            return found
        path = self._instances.get(item.labels)
        visible = _by_instance(objects, mask, path) if path is not None else _by_class(objects, mask)
        seen = [box for box, pixels in visible if pixels >= self._min_pixels]
        found.kept += seen
        found.hidden += len(objects) - len(seen)
        return found


def _place(path: Path) -> tuple[str, str, str] | None:
    """The layout, the time of capture and the kind that a file's name says; None for a file that is no camera's.

    Raises:
        ItemError: it is an image, or a text of capture mode, but of another name.
    """
    suffix = path.suffix.lower()
    time, _, ending = path.stem.rpartition("_")
    kind = _KINDS.get(f"_{ending}{suffix}")
    if kind is not None and time_of(time) is not None:
        return "capture", time, kind
    if time_of(path.stem) is not None and suffix in (*_IMAGES, ".txt"):
        return "plain", path.stem, TEXT if suffix == ".txt" else IMAGE
    if kind is not None or suffix in _IMAGES:
        endings = ", ".join((".png", f"{_RGB}.png", _MASK, _INSTANCES, _OBJECTS))
        raise ItemError(path, Finding.of("data.morai_name", time=TIME, endings=endings), "named")
    return None


def _add(kinds: dict[str, Path], kind: str, path: Path) -> None:
    if kind in kinds:
        raise ItemError(path, Finding.of("data.same_time", other=kinds[kind]), "unique")
    kinds[kind] = path


def _complete(folder: Path, time: str, files: dict[str, Path]) -> Pair:
    """A frame of capture mode, with what it lacks."""
    image, mask, text = files.get(_RGB), files.get(_MASK), files.get(_OBJECTS)
    if image is None:
        problem: ItemError | None = label_alone(next(iter(files.values())), folder / f"{time}{_RGB}.png")
    else:
        problem = unpaired(image, Part(mask, folder / f"{time}{_MASK}"), Part(text, folder / f"{time}{_OBJECTS}"))
    return Pair(time, image, mask or files.get(_INSTANCES), text, problem)


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
    label = read_label(path, (mask.shape[1], mask.shape[0])).astype(np.int64)
    packed = label if label.ndim == 2 else label[..., 0] << 16 | label[..., 1] << 8 | label[..., 2]
    return np.asarray(np.unique(packed, return_inverse=True)[1].reshape(mask.shape), np.int64)


reader = MoraiReader
