"""A plain folder of images, masks of the same base names, and boxes as one COCO file or as YOLO's text files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Finding
from tasks.datasets.config import FolderDataset
from tasks.datasets.errors import DatasetError, ItemError
from tasks.datasets.files import files_below
from tasks.datasets.images import OTHER_PICTURES, SUFFIXES
from tasks.datasets.items import Boxes, Item
from tasks.datasets.naming import spelt_alike
from tasks.datasets.readers.attributes import Attributes
from tasks.datasets.readers.coco import CocoBoxes
from tasks.datasets.readers.pairing import image_alone, label_alone
from tasks.datasets.readers.yolo import YoloBoxes
from tasks.datasets.table import BoxSource
from tasks.datasets.taxonomy import Taxonomy


class BoxFiles(Protocol):
    """The files that hold a folder's boxes; a stem is an image's path below its folder without suffix."""

    places: list[Path]

    def load(self, images: Mapping[str, Sequence[Path]]) -> dict[str, ItemError]:
        """Read what all images share; returns what has no image, by stem."""

    def file(self, stem: str) -> Path:
        """The file of an image's boxes."""

    def extra(self, image: Path) -> dict[str, Any]:
        """What else is said of an image; raises ItemError where it should be labelled, but is not."""

    def boxes(self, item: Item, size: tuple[int, int]) -> Boxes:
        """The boxes of an image of this size (width, height)."""


class FolderReader:
    """Reads one split of such a folder."""

    needs_mask = False

    def __init__(self, config: FolderDataset, taxonomy: Taxonomy) -> None:
        def place(text: str) -> Path:
            return config.root / text.replace("{split}", config.split)

        self.dataset = config.name
        self._images = place(config.image_folder)
        self._masks = place(config.mask_folder) if config.mask_folder is not None else None
        self._image_suffix, self._mask_suffix = config.image_suffix, config.mask_suffix
        self._sequence = _pattern(config.sequence) if config.sequence is not None else None
        self._boxes: BoxFiles | None = None
        if config.boxes is not None:
            file, names = place(config.boxes), config.yolo_names
            categories, key = taxonomy.categories(config.name), f"maps.{config.name}.boxes"
            if file.suffix == ".json":
                self._boxes = CocoBoxes(file, config.root, self._images, categories, key)
            else:
                self._boxes = YoloBoxes(file, place(names) if isinstance(names, str) else names, categories, key)
        self._attributes = Attributes(place(config.attributes)) if config.attributes is not None else None
        self.boxes_from: BoxSource | None = config.boxes_from if self._boxes else None
        self.places = [
            self._images,
            *([self._masks] if self._masks else []),
            *(self._boxes.places if self._boxes else []),
            *([self._attributes.file] if self._attributes else []),
        ]

    def find(self) -> list[Item]:
        """List images by id: the path below the image folder without suffixes, ``/`` written as ``__``."""
        images, masks, problems = self._list()
        listed = {f"{stem}{self._image_suffix}": paths for stem, paths in images.items()}
        alone = self._boxes.load(listed) if self._boxes else {}
        alone |= self._attributes.load(listed) if self._attributes else {}
        orphans = {_id(stem.removesuffix(self._image_suffix)): problem for stem, problem in alone.items()}
        for stem in masks.keys() - images.keys():
            orphans[_id(stem)] = self._orphan(stem, images, masks)
        orphans |= {_id(str(problem.file)): problem for problem in problems}
        items = [self._item(stem, path, masks.get(stem)) for stem, paths in images.items() for path in paths]
        return items + [
            Item.merged(p) if p.kind == "row" else Item(i, p.file, None, None, p, sequence=self._sequence_of(i))
            for i, p in orphans.items()
        ]

    def _orphan(self, stem: str, images: dict[str, list[Path]], masks: dict[str, list[Path]]) -> ItemError:
        """A mask of no image: lost, unless it is a further label of one that has its own, such as a_inst_label."""
        file = masks[stem][0]
        starts = (stem[: match.start()] for match in re.finditer("[_.-]", stem) if self._mask_suffix)
        if first := next((start for start in starts if start in images and start in masks), None):
            return ItemError(file, Finding.of("data.further_label", mask=masks[first][0]), "unique", "row")
        missing = Finding.of("data.no_file_of", file=self._images / f"{stem}{self._image_suffix}", suffixes=SUFFIXES)
        return label_alone(file, missing)

    def _list(self) -> tuple[dict[str, list[Path]], dict[str, list[Path]], list[ItemError]]:
        """The files of images and of masks by the images' stems, and what could not be listed."""
        suffix, end = self._mask_suffix, self._image_suffix
        images, problems = _by_stem(self._images, Finding.of("data.wanted_images", form=", ".join(SUFFIXES)))
        if suffix and self._masks == self._images:
            images = {stem: paths for stem, paths in images.items() if not stem.endswith(suffix)}
        form = Finding.of("data.other_name", form=f"<name>{end}{'/'.join(SUFFIXES)}")
        problems += [ItemError(p, form, "named") for s, paths in images.items() for p in paths if not s.endswith(end)]
        images = {stem.removesuffix(end): paths for stem, paths in images.items() if stem.endswith(end)}
        if self._masks is None:
            return images, {}, problems
        masks, more = _by_stem(self._masks, Finding.of("data.wanted_masks"))
        masks = {stem.removesuffix(suffix): paths for stem, paths in masks.items() if stem.endswith(suffix)}
        if not suffix and self._masks == self._images:  # then a picture that is no image is a mask
            masks = {stem: paths for stem, paths in masks.items() if not (end and stem.endswith(end))}
        alike = spelt_alike(masks, images)
        masks = {alike.get(stem, stem): paths for stem, paths in masks.items()}
        twice = [
            ItemError(p, Finding.of("data.same_name", other=paths[0]), "unique")
            for paths in masks.values()
            for p in paths[1:]
        ]
        return images, masks, problems + more + twice

    def _item(self, stem: str, image: Path, masks: list[Path] | None) -> Item:
        id_ = _id(stem)
        sequence = self._sequence_of(id_)
        problem, extra = None, {}
        try:
            if self._sequence is not None and sequence is None:
                finding = Finding.of("data.no_sequence", pattern=self._sequence.pattern, id=id_)
                raise ItemError(image, finding, "named")
            if self._masks is not None and masks is None:
                raise image_alone(image, self._masks / f"{stem}{self._mask_suffix}.png")
            extra = self._boxes.extra(image) if self._boxes else {}
            extra |= self._attributes.of(f"{stem}{self._image_suffix}", image) if self._attributes else {}
        except ItemError as error:
            problem = error
        labels = self._boxes.file(f"{stem}{self._image_suffix}") if self._boxes else None
        return Item(id_, image, masks[0] if masks else None, labels, problem, extra, sequence)

    def _sequence_of(self, id_: str) -> str | None:
        match = self._sequence.search(id_) if self._sequence else None
        return (match[1] or None) if match else None

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes | None:
        """The image's annotated boxes; None where the folder has none."""
        return self._boxes.boxes(item, size) if self._boxes else None


def _pattern(text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise DatasetError(Finding.of("data.no_expression", text=text, problem=str(error))) from error
    if not pattern.groups:
        raise DatasetError(Finding.of("data.no_group", text=text))
    return pattern


def _by_stem(folder: Path, wanted: Finding) -> tuple[dict[str, list[Path]], list[ItemError]]:
    """Path below the folder without suffix -> its files, in order; and what could not be listed."""
    listed = files_below(folder, wanted)
    found: dict[str, list[Path]] = {}
    problems = list(listed.problems)
    start = len(str(folder)) + 1  # text, not pathlib: there may be a million of them
    for path in listed.files:
        suffix = path.suffix
        if suffix.lower() in SUFFIXES:
            found.setdefault(str(path)[start : -len(suffix)], []).append(path)
        elif suffix.lower() in OTHER_PICTURES:
            problems.append(ItemError(path, Finding.of("data.other_suffix", suffixes=SUFFIXES), "named"))
    return found, problems


def _id(stem: str) -> str:
    return stem.replace("/", "__")


reader = FolderReader
