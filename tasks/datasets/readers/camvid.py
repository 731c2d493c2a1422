"""CamVid as published (Brostow, Fauqueur & Cipolla, Pattern Recognition Letters 2009).

``701_StillsRaw_full/<name>.png`` with ``LabeledApproved_full/<name>_L.png``, a colour for each of 32 classes. A name is
``<sequence>_<frame>``, such as ``0001TP_006690`` or ``Seq05VD_f00000``. The set knows no objects: boxes are drawn
around connected pixels of a class. The index masks of the SegNet tutorial are another format: ``folder``.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Finding
from tasks.datasets.config import CamvidDataset
from tasks.datasets.errors import DatasetError, ItemError
from tasks.datasets.files import files_below, text_lines
from tasks.datasets.items import Boxes, Item
from tasks.datasets.objects import component_boxes
from tasks.datasets.readers.pairing import Part, unpaired
from tasks.datasets.table import BoxSource
from tasks.datasets.taxonomy import Taxonomy

_IMAGE, _MASK = ".png", "_L.png"
_NAME = re.compile(r"(?P<sequence>[^/]+)_f?\d+")


class CamvidReader:
    """Reads all of CamVid, or the names of a list."""

    dataset = "camvid32"
    boxes_from: BoxSource | None = "components"
    needs_mask = True

    def __init__(self, config: CamvidDataset, taxonomy: Taxonomy) -> None:
        self._min_pixels = config.min_box_pixels
        self._categories = taxonomy.categories_by_class(self.dataset)
        self._images = config.root / config.image_folder
        self._masks = config.root / config.mask_folder
        self._list = config.root / config.list.replace("{split}", config.split) if config.list is not None else None
        self.places = [self._images, self._masks, *([self._list] if self._list else [])]

    def find(self) -> list[Item]:
        """List images by id, their names without suffix."""
        listed = files_below(self._images, Finding.of("data.wanted_images", form=f"*{_IMAGE}"))
        labels = files_below(self._masks, Finding.of("data.wanted_labels", form=f"*{_MASK}"))
        masks = {path for path in labels.files if path.name.endswith(_MASK)}
        images = set(listed.files) - masks  # they may lie in one folder
        problems = listed.problems + labels.problems
        names = self._listed()
        if names is None:
            problems += [_named(path) for path in images if path.suffix != _IMAGE]
            names = {_below(path, self._images, _IMAGE) for path in images if path.suffix == _IMAGE}
            names |= {_below(path, self._masks, _MASK) for path in masks}
        unusable = {problem.file: Item.unusable(problem) for problem in problems}
        return [self._item(name, images, masks) for name in names] + list(unusable.values())

    def _listed(self) -> set[str] | None:
        """The names of the list, which may have a suffix and a path before them, and more after a blank."""
        if self._list is None:
            return None
        try:
            return {Path(line.split()[0]).stem for _, line in text_lines(self._list)}
        except ItemError as error:
            raise DatasetError(
                Finding.of("data.not_there", why=error.finding, wanted=Finding.of("data.wanted_names")), error.file
            ) from error

    def _item(self, name: str, images: set[Path], masks: set[Path]) -> Item:
        image, mask = self._images / f"{name}{_IMAGE}", self._masks / f"{name}{_MASK}"
        match, problem = _NAME.fullmatch(name), None
        if match is None:
            problem = _named(mask if mask in masks and image not in images else image)
        elif image not in images and mask not in masks:
            assert self._list is not None
            problem = ItemError(image, Finding.of("data.listed_without_image", list=self._list, file=image), "paired")
        else:
            there, labelled = image if image in images else None, mask if mask in masks else None
            problem = unpaired(Part(there, image), Part(labelled, mask))
        return Item(name, image, mask, mask, problem, sequence=match["sequence"] if match else None)

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes:
        """Boxes of connected pixels."""
        assert mask is not None
        return component_boxes(mask, self._categories, self._min_pixels)


def _below(path: Path, folder: Path, suffix: str) -> str:
    return path.relative_to(folder).as_posix().removesuffix(suffix)


def _named(path: Path) -> ItemError:
    return ItemError(path, Finding.of("data.other_name", form=f"<sequence>_<frame>{_IMAGE}, {_MASK}"), "named")


reader = CamvidReader
