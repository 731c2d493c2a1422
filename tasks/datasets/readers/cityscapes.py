"""Cityscapes: ``leftImg8bit/<split>/<city>/`` with ``gtFine/<split>/<city>/`` beside it.

Label ids and instance ids as in cityscapesscripts: a thing's pixels are ``id * 1000 + n`` in ``instanceIds``; a value
below 1000 is stuff, or a group of things that were not told apart.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Finding
from tasks.datasets.config import CityscapesDataset
from tasks.datasets.errors import ImageError, ItemError
from tasks.datasets.files import files_below
from tasks.datasets.images import read_label
from tasks.datasets.items import Boxes, Item
from tasks.datasets.objects import component_boxes, numbered_boxes
from tasks.datasets.readers.pairing import Part, unpaired
from tasks.datasets.table import BoxSource
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
_NAME = re.compile(r"(?P<city>[^_/]+)_(?P<sequence>\d{6})_\d{6}")


class CityscapesReader:
    """Reads one split of Cityscapes."""

    dataset = "cityscapes"
    boxes_from: BoxSource | None = "instances"
    needs_mask = False

    def __init__(self, config: CityscapesDataset, taxonomy: Taxonomy) -> None:
        self._min_pixels = config.min_box_pixels
        names = taxonomy.categories(self.dataset)
        self._categories = {i: c for i, name in THINGS.items() if (c := names.get(name)) is not None}
        self._images = config.root / "leftImg8bit" / config.split
        self._labels = config.root / "gtFine" / config.split
        self.places = [self._images, self._labels]

    def find(self) -> list[Item]:
        """List images by id ``<city>_<sequence>_<frame>``."""
        images = files_below(self._images, Finding.of("data.wanted_images", form=f"<city>/*{_IMAGE}"))
        labels = files_below(self._labels, Finding.of("data.wanted_labels", form=f"<city>/*{_LABELS}"))
        by_kind: dict[str, dict[str, Path]] = {_IMAGE: {}, _LABELS: {}, _INSTANCES: {}}
        odd = []
        for path, is_image in [*((p, True) for p in images.files), *((p, False) for p in labels.files)]:
            kind = next((k for k in by_kind if path.with_suffix(path.suffix.lower()).name.endswith(k)), None)
            name = path.name[: -len(kind or "")]
            if kind is not None and _NAME.fullmatch(name):
                if by_kind[kind].setdefault(name, path) is not path:
                    odd.append(ItemError(path, Finding.of("data.same_name", other=by_kind[kind][name]), "unique"))
            elif kind is not None or is_image:
                pattern = f"<city>_<6 digits>_<6 digits>{kind or _IMAGE}"
                odd.append(ItemError(path, Finding.of("data.other_name", form=pattern), "named"))
        keys = sorted(set().union(*by_kind.values()))
        problems = images.problems + labels.problems + odd
        return [self._item(key, by_kind) for key in keys] + [Item.unusable(p) for p in problems]

    def _item(self, name: str, files: dict[str, dict[str, Path]]) -> Item:
        image, mask, instance = (files[kind].get(name) for kind in (_IMAGE, _LABELS, _INSTANCES))
        match = _NAME.fullmatch(name)
        assert match is not None
        city, sequence = match["city"], match["sequence"]
        problem = unpaired(
            Part(image, self._images / city / f"{name}{_IMAGE}"),
            Part(mask, self._labels / city / f"{name}{_LABELS}"),
            Part(instance, self._labels / city / f"{name}{_INSTANCES}"),
        )
        return Item(name, image or mask or instance, mask, instance, problem, {"city": city}, f"{city}_{sequence}")  # type: ignore[arg-type]

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes:
        """Boxes of the visible pixels of every thing; a group gives a crowd box for each connected piece."""
        assert item.labels is not None
        ids = read_label(item.labels, size)
        if ids.dtype != np.uint16 or ids.ndim != 2:
            raise ImageError(item.labels, Finding.of("data.no_instance_image"))
        values = np.unique(ids).tolist()
        things = {v: self._categories.get(v // 1000) for v in values if v >= 1000}
        found = numbered_boxes(ids, things, self._min_pixels)
        groups = np.where(ids < 256, ids, 0).astype(np.uint8)
        crowds = component_boxes(groups, self._categories, self._min_pixels, crowd=True)
        found.add(crowds)
        return found


reader = CityscapesReader
