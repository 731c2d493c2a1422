"""KITTI's semantics benchmark of 2015, and its object benchmark (https://www.cvlibs.net/datasets/kitti).

``labels: semantic``: ``training/image_2/NNNNNN_10.png`` with ``semantic/`` (Cityscapes' label ids) and ``instance/``
(16 bits, ``id * 256 + n``). Objects count from n = 1; 0 on a thing means that its objects were not told apart, and that
the benchmark ignores it: it gives crowd boxes.

``labels: object``: ``training/image_2/NNNNNN.png`` with ``label_2/NNNNNN.txt``, an object a line in 15 blank-separated
fields: type, truncated, occluded, alpha, left, top, right, bottom (px), height, width, length, x, y, z, rotation_y. No
object is left out for being hidden. ``DontCare`` marks a region where objects of any class were not labelled: it
becomes a crowd box of every detection class, COCO's ``iscrowd``, in which nothing that is found counts as wrong.

Both are single frames in no order: they have no sequences. Their images may lie in one folder.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Finding
from tasks.datasets.config import KittiDataset
from tasks.datasets.errors import ImageError, ItemError, MalformedError
from tasks.datasets.files import files_below, text_lines
from tasks.datasets.images import read_label
from tasks.datasets.items import Boxes, Item, clipped
from tasks.datasets.objects import component_boxes, numbered_boxes
from tasks.datasets.readers.cityscapes import THINGS
from tasks.datasets.readers.kitti_lines import parse_line
from tasks.datasets.readers.pairing import Part, unpaired
from tasks.datasets.table import BoxSource
from tasks.datasets.taxonomy import Taxonomy

_FIELDS = 15
_MORE_FIELDS = {16: Finding.of("data.fields_score"), 17: Finding.of("data.fields_tracking")}
_OTHER_BENCHMARK = re.compile(r"\d{6}(_\d\d)?\.png", re.IGNORECASE)


class KittiReader:
    """Reads the training images of one of the two benchmarks; the test images have no labels."""

    needs_mask = False

    def __init__(self, config: KittiDataset, taxonomy: Taxonomy) -> None:
        semantic = config.labels == "semantic"
        self.dataset = "kitti" if semantic else "kitti_object"
        self.boxes_from: BoxSource | None = "instances" if semantic else "annotated"
        self._semantic = semantic
        self._form = "<6 digits>_10" if semantic else "<6 digits>"
        self._name = re.compile(r"\d{6}_10" if semantic else r"\d{6}")
        self._min_pixels = config.min_box_pixels
        self._categories = taxonomy.categories(self.dataset)
        self._detection = range(len(taxonomy.detection))
        labels = ("semantic", "instance") if semantic else ("label_2",)
        self.places = [config.root / "training" / folder for folder in ("image_2", *labels)]

    def find(self) -> list[Item]:
        """List images by id, their names without suffix."""
        found: list[dict[str, Path]] = []
        problems: list[ItemError] = []
        for place in self.places:
            form = f"{self._form}{_suffix(place)}"
            listed = files_below(place, Finding.of("data.wanted_files", form=form))
            problems += listed.problems
            found.append({})
            for path in listed.files:
                file = path.relative_to(place).as_posix()
                name = file[: -len(path.suffix)] if path.suffix.lower() == _suffix(place) else ""
                if self._name.fullmatch(name):
                    if found[-1].setdefault(name, path) is not path:
                        problems.append(ItemError(path, Finding.of("data.same_name", other=found[-1][name]), "unique"))
                elif not _OTHER_BENCHMARK.fullmatch(file):
                    problems.append(ItemError(path, Finding.of("data.other_name", form=form), "named"))
        return [self._item(name, found) for name in set().union(*found)] + [Item.unusable(p) for p in problems]

    def _item(self, name: str, found: list[dict[str, Path]]) -> Item:
        parts = [
            Part(files.get(name), place / f"{name}{_suffix(place)}")
            for place, files in zip(self.places, found, strict=True)
        ]
        image, *labels = (part.file or place / name for part, place in zip(parts, self.places, strict=True))
        return Item(name, image, labels[0] if self._semantic else None, labels[-1], unpaired(*parts))

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes:
        """Boxes of the visible pixels of every object, or the annotated boxes."""
        assert item.labels is not None
        return self._of_instances(item.labels, size) if self._semantic else self._annotated(item.labels, size)

    def _of_instances(self, path: Path, size: tuple[int, int]) -> Boxes:
        ids = read_label(path, size)
        if ids.dtype != np.uint16 or ids.ndim != 2:
            raise ImageError(path, Finding.of("data.no_instance_image"))
        classes = {i: c for i, name in THINGS.items() if (c := self._categories.get(name)) is not None}
        values = np.unique(ids).tolist()
        objects = {v: classes.get(v // 256) for v in values if v % 256 and v // 256 in THINGS}
        found = numbered_boxes(ids, objects, self._min_pixels)
        groups = np.where(ids % 256 == 0, ids // 256, 0).astype(np.uint8)
        crowds = component_boxes(groups, classes, self._min_pixels, crowd=True)
        found.add(crowds)
        return found

    def _annotated(self, path: Path, size: tuple[int, int]) -> Boxes:
        found = Boxes()
        for number, line in text_lines(path):
            found.listed += 1
            try:
                name, box = parse_line(line, _FIELDS, _MORE_FIELDS)
                box = clipped(box, size)
                if name == "DontCare":
                    found.kept += [replace(box, category=n, crowd=True) for n in self._detection]
                    found.listed += len(self._detection) - 1
                    continue
                if name not in self._categories:
                    raise MalformedError("data.unknown_type", name=name, key=f"maps.{self.dataset}.boxes")
                category = self._categories[name]
                found.take(None if category is None else replace(box, category=category), size)
            except MalformedError as error:
                found.reject(path, Finding.of("data.in_line", line=number, why=error.finding))
        return found


def _suffix(place: Path) -> str:
    return ".txt" if place.name == "label_2" else ".png"


reader = KittiReader
