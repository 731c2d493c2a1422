"""Cityscapes: ``leftImg8bit/<split>/<city>/`` and ``gtFine/<split>/<city>/`` (cityscapesscripts, helpers/labels.py).

Instances are derived, because a table has boxes and classes, but no instances: see ``instance_ids``.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.catalogue import t
from tasks.contracts import Finding
from tasks.datasets.errors import DatasetError
from tasks.datasets.export.files import on_all_cores, put
from tasks.datasets.export.summary import ExportSummary
from tasks.datasets.images import content_of, read_image
from tasks.datasets.masks import IGNORE, MaskEncoding, read_mask
from tasks.datasets.readers.cityscapes import THINGS
from tasks.datasets.table import Box, Sample, SampleTable
from tasks.store import atomic_path, write_png

# In the order of the train ids: name, label id, colour. All else is 0, unlabeled, black.
_LABELS: tuple[tuple[str, int, tuple[int, int, int]], ...] = (
    ("road", 7, (128, 64, 128)),
    ("sidewalk", 8, (244, 35, 232)),
    ("building", 11, (70, 70, 70)),
    ("wall", 12, (102, 102, 156)),
    ("fence", 13, (190, 153, 153)),
    ("pole", 17, (153, 153, 153)),
    ("traffic light", 19, (250, 170, 30)),
    ("traffic sign", 20, (220, 220, 0)),
    ("vegetation", 21, (107, 142, 35)),
    ("terrain", 22, (152, 251, 152)),
    ("sky", 23, (70, 130, 180)),
    ("person", 24, (220, 20, 60)),
    ("rider", 25, (255, 0, 0)),
    ("car", 26, (0, 0, 142)),
    ("truck", 27, (0, 0, 70)),
    ("bus", 28, (0, 60, 100)),
    ("train", 31, (0, 80, 100)),
    ("motorcycle", 32, (0, 0, 230)),
    ("bicycle", 33, (119, 11, 32)),
)
_THING_IDS = {name: label for label, name in THINGS.items()}
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST = 1_000_000  # what six digits count


@dataclass(frozen=True)
class _Numbers:
    """Class index -> label id, train id, colour: ``[256]`` and ``[256, 3]``."""

    labels: NDArray[np.uint8]
    trains: NDArray[np.uint8]
    colors: NDArray[np.uint8]


@dataclass(frozen=True)
class _ObjectCounts:
    boxes: int
    not_things: int
    no_pixels: int


def write(table: SampleTable, folder: Path, link: bool, summary: ExportSummary) -> str:
    """Write the images that have a mask; returns the text that describes it.

    Raises:
        DatasetError: none has, a class is none of Cityscapes', or there are more images than its names can tell apart.
    """
    numbers = _numbers(table)
    part = table.labelled("masks")
    if table.info.encoding is None or not len(part):
        raise DatasetError(Finding.of("data.export_no_masks"), table.info.dataset)
    if len(part) > _MOST:
        raise DatasetError(Finding.of("data.export_many", n=len(part), most=_MOST), table.info.dataset)
    names = _write_names(folder / "names.csv", part)
    write_one = _WriteOne(folder, names, table.info.encoding, table.info.detection, numbers, link)
    for counts in on_all_cores(write_one, part, "Cityscapes"):
        summary.images += 1
        summary.masks += 1
        summary.boxes += counts.boxes
        summary.left_out["not_things"] += counts.not_things
        summary.left_out["no_pixels"] += counts.no_pixels
    summary.left_out["no_mask"] += len(table) - len(part)
    return t("export.about_cityscapes")


def _numbers(table: SampleTable) -> _Numbers:
    known = {name: (label, train, color) for train, (name, label, color) in enumerate(_LABELS)}
    if unknown := [c.name for c in table.info.classes if c.name not in known]:
        finding = Finding.of("data.export_classes", names=tuple(unknown), known=tuple(known))
        raise DatasetError(finding, table.info.dataset)
    numbers = _Numbers(np.zeros(256, np.uint8), np.full(256, IGNORE, np.uint8), np.zeros((256, 3), np.uint8))
    for index, c in enumerate(table.info.classes):
        numbers.labels[index], numbers.trains[index], numbers.colors[index] = known[c.name]
    return numbers


def _write_names(path: Path, table: SampleTable) -> dict[str, str]:
    """Number the images, and write which is which; returns id -> name."""
    names = dict(_named(table))
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["name", "id"])
        writer.writerows((name, id_) for id_, name in names.items())
    return names


def _named(table: SampleTable) -> Iterator[tuple[str, str]]:
    """Each image's id and its name: ``<city>_<sequence>_<image>``, an image without a sequence in one of its own."""
    city = re.sub(r"[^0-9a-z]", "", table.info.dataset.lower()) or "city"
    numbers: dict[tuple[str, str | int], int] = {}
    ids, sequences = table.rows["id"].to_pylist(), table.rows["sequence"].to_pylist()
    for n, (id_, sequence) in enumerate(zip(ids, sequences, strict=True)):
        key = ("image", n) if sequence is None else ("sequence", sequence)
        yield id_, f"{city}_{numbers.setdefault(key, len(numbers)):06d}_{n:06d}"


@dataclass(frozen=True)
class _WriteOne:
    """Writes an image and its labels; tells what became of its boxes."""

    folder: Path
    names: Mapping[str, str]
    encoding: MaskEncoding
    detection: Sequence[str]
    numbers: _Numbers
    link: bool

    def __call__(self, sample: Sample) -> _ObjectCounts:
        assert sample.mask is not None
        name = self.names[sample.id]
        place = Path(sample.split, name.split("_")[0])
        _place_png(sample.image, self.folder / "leftImg8bit" / place / f"{name}_leftImg8bit.png", self.link)
        mask = read_mask(sample.mask, self.encoding)
        labels = self.numbers.labels[mask]
        single = [(self.detection[b.category], b) for b in sample.boxes or () if not b.crowd]
        things = [(_THING_IDS[c], b) for c, b in single if c in _THING_IDS]
        instances, boxes = instance_ids(labels, things)
        images: dict[str, NDArray[Any]] = {
            "labelIds": labels,
            "labelTrainIds": self.numbers.trains[mask],
            "instanceIds": instances,
            "color": self.numbers.colors[mask],
        }
        for kind, image in images.items():
            write_png(self.folder / "gtFine" / place / f"{name}_gtFine_{kind}.png", image)
        return _ObjectCounts(boxes, len(single) - len(things), len(things) - boxes)


def instance_ids(labels: NDArray[np.uint8], boxes: Sequence[tuple[int, Box]]) -> tuple[NDArray[np.uint16], int]:
    """Instance ids from label ids and boxes.

    The pixels of a box's class inside the box become ``label id * 1000 + n``, smaller boxes first, so that what stands
    in a larger one's box is not swallowed by it. All others keep their label id, which for things stands for a group.

    Args:
        labels: label ids ``[H, W]``.
        boxes: things' label ids and boxes.

    Returns:
        Instance ids ``uint16 [H, W]``, and how many boxes have pixels of their own. A class has at most 1000.
    """
    instances = labels.astype(np.uint16)
    numbers: dict[int, int] = {}
    for label, box in sorted(boxes, key=lambda pair: (pair[1].x2 - pair[1].x1) * (pair[1].y2 - pair[1].y1)):
        inside = instances[int(box.y1) : math.ceil(box.y2), int(box.x1) : math.ceil(box.x2)]
        free = inside == label
        number = numbers.get(label, 0)
        if number < 1000 and free.any():
            inside[free] = label * 1000 + number
            numbers[label] = number + 1
    return instances, sum(numbers.values())


def _place_png(image: Path, to: Path, link: bool) -> None:
    """Copy or link a PNG; of any other format, write the same pixels as PNG."""
    if content_of(image).startswith(_PNG):
        put(image, to, link)
    else:
        write_png(to, read_image(image))
