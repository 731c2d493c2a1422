"""GTA5, or Playing for Data (Richter et al., ECCV 2016): ``images/<5 digits>.png`` and ``labels/<5 digits>.png``.

Beside the labels may lie ``<5 digits>_labelTrainIds.png``, which tools make of them: they are not read.
A label is a palette image whose indices are Cityscapes' label ids, and 34 for licence plates. There are no objects:
boxes are those of connected pixels. A few images of the published set are black or white all over, though their labels
are not (15188 and 17705 are known); they are found by their content.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Finding
from tasks.datasets.config import Gta5Dataset
from tasks.datasets.errors import ItemError
from tasks.datasets.files import files_below
from tasks.datasets.images import read_image
from tasks.datasets.items import Boxes, Item
from tasks.datasets.objects import component_boxes
from tasks.datasets.opening import open_regular
from tasks.datasets.readers.pairing import Part, unpaired
from tasks.datasets.table import BoxSource
from tasks.datasets.taxonomy import Taxonomy

_NAME = re.compile(r"(\d{5})\.png", re.IGNORECASE)  # of a file, right in its folder
# What tools write beside the labels for their own training.
_COMPANION = re.compile(r"\d{5}_label(Train)?Ids\.png", re.IGNORECASE)
_PNG = b"\x89PNG"
_COLOR_TYPES = (2, 6)  # RGB, RGBA: the 26th byte of a PNG file (PNG specification, 11.2.2: IHDR)


class Gta5Reader:
    """Reads GTA5, which has no splits but by ``shares``."""

    dataset = "gta5"
    boxes_from: BoxSource | None = "components"
    needs_mask = True

    def __init__(self, config: Gta5Dataset, taxonomy: Taxonomy) -> None:
        self._min_pixels = config.min_box_pixels
        self._categories = taxonomy.categories_by_class(self.dataset)
        self._images, self._labels = config.root / "images", config.root / "labels"
        self.places = [self._images, self._labels]

    def find(self) -> list[Item]:
        """List images by id, their five digits."""
        images, problems = _by_name(self._images)
        labels, more = _by_name(self._labels, _COMPANION)
        items = [self._item(name, images.get(name), labels.get(name)) for name in images.keys() | labels.keys()]
        return items + [Item.unusable(p) for p in problems + more]

    def _item(self, name: str, image: Path | None, label: Path | None) -> Item:
        problem = unpaired(Part(image, self._images / f"{name}.png"), Part(label, self._labels / f"{name}.png"))
        if problem is None and label is not None and _is_colored(label):
            problem = ItemError(label, Finding.of("data.gta5_colours"))
        return Item(name, image or label, label, label, problem)  # type: ignore[arg-type]

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes:
        """The boxes of connected pixels of a class.

        Raises:
            ItemError: the image is of one colour.
        """
        assert mask is not None
        if _may_be_blank(item.image, size) and not np.ptp(pixels := read_image(item.image), axis=(0, 1)).any():
            color = ",".join(map(str, pixels[0, 0].tolist()))
            raise ItemError(item.image, Finding.of("data.one_colour", colour=color))
        return component_boxes(mask, self._categories, self._min_pixels)


def _by_name(folder: Path, companion: re.Pattern[str] | None = None) -> tuple[dict[str, Path], list[ItemError]]:
    """The files right in a folder by their five digits, and whatever else is there but ``companion``."""
    listed = files_below(folder, Finding.of("data.wanted_files", form="<5 digits>.png"))
    found: dict[str, Path] = {}
    problems = list(listed.problems)
    for path in listed.files:
        name = str(path.relative_to(folder))
        if match := _NAME.fullmatch(name):
            if found.setdefault(match[1], path) is not path:
                problems.append(ItemError(path, Finding.of("data.same_name", other=found[match[1]]), "unique"))
        elif companion is None or not companion.fullmatch(name):
            form = f"{folder.name}/<5 digits>.png"
            problems.append(ItemError(path, Finding.of("data.other_name", form=form), "named"))
    return found, problems


def _is_colored(label: Path) -> bool:
    """Whether a PNG has colour channels, by its header alone; what is wrong with it otherwise shows when it is read."""
    try:
        with open_regular(label) as stream:
            header = stream.read(26)
    except OSError:
        return False
    return header.startswith(_PNG) and len(header) == 26 and header[25] in _COLOR_TYPES


def _may_be_blank(image: Path, size: tuple[int, int]) -> bool:
    """Whether a PNG has so few bytes that it is worth decoding once more to see; pictures have far more."""
    return image.stat().st_size < 1000 + size[0] * size[1] // 50


reader = Gta5Reader
