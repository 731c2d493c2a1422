"""CamVid as published (Brostow, Fauqueur & Cipolla, Pattern Recognition Letters 2009).

``701_StillsRaw_full/<name>.png`` with ``LabeledApproved_full/<name>_L.png``, a colour for each of 32 classes. A name is
``<sequence>_<frame>``, such as ``0001TP_006690`` or ``Seq05VD_f00000``. The set knows no objects: boxes are drawn
around connected pixels of a class. The index masks of the SegNet tutorial are another format: ``folder``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
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
        masks = {path for path in labels.files if path.name.lower().endswith(_MASK.lower())}
        problems = listed.problems + labels.problems
        by_name = _named(masks, self._masks, _MASK, problems)
        # They may lie in one folder.
        images = {path for path in listed.files if path not in masks}
        others = {path for path in images if path.suffix.lower() != _IMAGE}
        pictures = _named(images - others, self._images, _IMAGE, problems)
        names = self._listed()
        if names is None:
            problems += map(_odd_name, sorted(others))
            names = pictures.keys() | by_name.keys()
        unusable = {problem.file: Item.unusable(problem) for problem in problems}
        return [self._item(name, pictures.get(name), by_name.get(name)) for name in names] + list(unusable.values())

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

    def _item(self, name: str, image: Path | None, mask: Path | None) -> Item:
        no_image, no_mask = self._images / f"{name}{_IMAGE}", self._masks / f"{name}{_MASK}"
        match, problem = _NAME.fullmatch(name), None
        if match is None:
            problem = _odd_name(image or mask or no_image)
        elif image is None and mask is None:
            assert self._list is not None
            problem = ItemError(
                no_image, Finding.of("data.listed_without_image", list=self._list, file=no_image), "paired"
            )
        else:
            problem = unpaired(Part(image, no_image), Part(mask, no_mask))
        sequence = match["sequence"] if match else None
        return Item(name, image or no_image, mask or no_mask, mask or no_mask, problem, sequence=sequence)

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes:
        """Boxes of connected pixels."""
        assert mask is not None
        return component_boxes(mask, self._categories, self._min_pixels)


def _named(paths: Iterable[Path], folder: Path, end: str, problems: list[ItemError]) -> dict[str, Path]:
    """The files by their paths below a folder without this end; of several of one name, all but one are problems."""
    found: dict[str, Path] = {}
    for path in sorted(paths):
        name = path.relative_to(folder).as_posix()[: -len(end)]
        if found.setdefault(name, path) is not path:
            problems.append(ItemError(path, Finding.of("data.same_name", other=found[name]), "unique"))
    return found


def _odd_name(path: Path) -> ItemError:
    return ItemError(path, Finding.of("data.other_name", form=f"<sequence>_<frame>{_IMAGE}, {_MASK}"), "named")


reader = CamvidReader
