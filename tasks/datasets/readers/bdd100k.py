"""BDD100K: boxes on ``images/100k/<split>/*.jpg``, semantic masks on ``images/10k/<split>/*.jpg``.

The two sets share some images, which have the same names. Boxes are in one file, ``labels/det_20/det_<split>.json`` or
its forerunners: a list of frames in Scalabel's form (https://doc.bdd100k.com/format.html). The first form of 2018 has
the labels of an image in ``frames[0].objects``, in such a list or as one file an image,
``labels/100k/<split>/<name>.json``, where lanes and areas are named ``lane/...`` and ``area/...``. A frame without
labels shows no objects, unless it has keys that Scalabel does not know: then they may be there in another form, and
the image is rejected. Masks are
``labels/sem_seg/masks/<split>/<name>.png`` of Cityscapes' train ids.

Scalabel's x2 and y2 are the last column and row inside a box; this reader takes them so in the files of all years. The
objects "other person", "other vehicle" and "trailer" are regions where the benchmark ignores persons, cars and trucks
(the toolkit's configs/det.toml): they become crowd boxes, COCO's ``iscrowd``, in which nothing that is found counts as
wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Finding
from tasks.datasets.config import Bdd100kDataset
from tasks.datasets.errors import DatasetError, ItemError, MalformedError, reason_of
from tasks.datasets.files import files_below
from tasks.datasets.items import Boxes, Item
from tasks.datasets.readers.json_rows import is_number, parsed_json
from tasks.datasets.readers.pairing import Part, not_listed, unpaired
from tasks.datasets.readers.repeated import Keyed, contradicting, merged_rows
from tasks.datasets.table import Box, BoxSource
from tasks.datasets.taxonomy import Taxonomy

IGNORED = ("other person", "other vehicle", "trailer")
_FILES = ("det_20/det_{}.json", "det_v2_{}_release.json", "bdd100k_labels_images_{}.json")
_FOLDER = "100k/{}"  # with one file an image
_EXTRA = ("weather", "scene", "timeofday")
_FAR = 1e6  # px; a coordinate beyond it, or one that is not finite, is a mistake
KNOWN = {  # the keys of Scalabel's frames beside their labels
    *("name", "url", "video_name", "videoName", "attributes", "timestamp", "frameIndex", "index", "size", "sequence"),
    *("intrinsics", "extrinsics", "sensor"),
}
_OUTLINES = {"lane": "lane", "area": "drivable area"}  # the kinds of 2018 -> today's categories
_SIDES = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True, slots=True)
class _Label:
    """An object's label, unchecked; ``sides`` are x1, y1, x2, y2, or None for lanes and areas."""

    id: Any
    category: Any
    sides: tuple[Any, ...] | None


class Bdd100kReader:
    """Reads one split of BDD100K."""

    dataset = "bdd100k"
    needs_mask = False

    def __init__(self, config: Bdd100kDataset, taxonomy: Taxonomy) -> None:
        self._categories = taxonomy.categories(self.dataset)
        labels = config.root / "labels"
        self._candidates = [labels / name.format(config.split) for name in _FILES]
        self._candidates.append(labels / _FOLDER.format(config.split))
        self._file = next((path for path in self._candidates if path.exists()), self._candidates[0])
        self._files: dict[str, Path] = {}  # of one file an image: by image's name without suffix
        self._masks = labels / "sem_seg" / "masks" / config.split
        # In this order, so that an image of both sets is that of 100k.
        folders = {
            "masks": config.root / "images/10k" / config.split,
            "boxes": config.root / "images/100k" / config.split,
        }
        self._images = {kind: folder for kind, folder in folders.items() if kind in config.labels}
        self.boxes_from: BoxSource | None = "annotated" if "boxes" in config.labels else None
        self.places = [*self._images.values()]
        self.places += [{"masks": self._masks, "boxes": self._file}[kind] for kind in self._images]
        self._table: Keyed[str, dict[str, Any]] = Keyed()  # the file's rows, by image's name without suffix

    def find(self) -> list[Item]:
        """List the images of the kinds of labels asked for, by name without suffix."""
        odd = self._load() if "boxes" in self._images else []
        masks = _by_name(self._masks, ".png", "masks", odd) if "masks" in self._images else {}
        images: dict[str, Path] = {}
        for kind, folder in self._images.items():
            images |= _by_name(folder, ".jpg", kind, odd)
        names = sorted(images.keys() | masks.keys() | self._table.known)
        return [self._item(name, images.get(name), masks.get(name)) for name in names] + odd

    def _item(self, name: str, image: Path | None, mask: Path | None) -> Item:
        row = self._table.rows.get(name)
        labels = self._files.get(name, self._file) if name in self._table.known else None
        # An image of either set needs that set's label alone.
        problem = unpaired(Part(image, self._no_image(name)), Part(mask or labels, self._no_label(name)))
        if problem is None and (rows := self._table.contradicting.get(name)):
            problem = ItemError(image or labels or self._file, contradicting(name, len(rows)), "unique")
        attributes = row.get("attributes") if row is not None else None
        extra = {k: attributes[k] for k in _EXTRA if k in attributes} if isinstance(attributes, dict) else {}
        return Item(name, image or mask or labels or self._file, mask, labels, problem, extra)

    def _no_image(self, name: str) -> Finding:
        return Finding.of("data.no_file_in", name=f"{name}.jpg", places=_joined(*self._images.values()))

    def _no_label(self, name: str) -> Finding:
        lacking = {
            "masks": Finding.of("data.no_file", file=self._masks / f"{name}.png"),
            "boxes": not_listed(self._file),
        }
        return _joined(*(lacking[kind] for kind in self._images))

    def _load(self) -> list[Item]:
        """Read the file or the files of boxes; returns what means no image."""
        self._table, self._files = Keyed(), {}
        if self._file.is_dir():
            return self._load_each()
        try:
            rows = parsed_json(self._file, _reduced)
        except FileNotFoundError:
            names = tuple(map(str, self._candidates))
            raise DatasetError(Finding.of("data.no_file_of_boxes", names=names)) from None
        except (OSError, MalformedError) as error:
            raise DatasetError(_unreadable(error), self._file) from error
        if not isinstance(rows, list):
            raise DatasetError(Finding.of("data.no_bdd100k"), self._file)
        odd = []
        for n, row in enumerate(rows):
            name = row.get("name") if isinstance(row, dict) else None
            stem = PurePosixPath(name).stem if isinstance(name, str) else ""
            if not stem:
                odd.append(self._odd(n))
            else:
                self._table.add(stem, row)
        return odd + [Item.merged(problem) for problem in merged_rows(self._file, "frames", self._table.merged)]

    def _load_each(self) -> list[Item]:
        """Read one file an image; returns those that cannot be used."""
        listed = files_below(self._file, Finding.of("data.wanted_files", form="<name>.json"))
        odd = listed.problems
        for path in listed.files:
            try:
                row = parsed_json(path, _reduced) if path.suffix.lower() == ".json" else None
            except (OSError, MalformedError) as error:
                odd.append(ItemError(path, _unreadable(error)))
                continue
            if isinstance(row, dict) and row.get("name") in (path.stem, f"{path.stem}.jpg"):
                self._table.add(path.stem, row)
                self._files.setdefault(path.stem, path)
            else:
                odd.append(ItemError(path, Finding.of("data.bdd100k_name", name=path.stem), "named"))
        merged = merged_rows(self._file, "frames", self._table.merged)
        return [*map(Item.unusable, odd), *map(Item.merged, merged)]

    def _odd(self, n: int) -> Item:
        problem = ItemError(self._file, Finding.of("data.row_without_name", row=n), "named")
        return Item(f"row {n}", self._file, None, None, problem)

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes | None:
        """The objects; None for an image that only has a mask."""
        if item.labels is None:
            return None
        try:
            labels = _labels(self._table.rows[item.id], item.id)
        except MalformedError as error:
            raise ItemError(item.labels, error.finding) from error
        found = Boxes(listed=len(labels))
        for n, label in enumerate(labels):
            try:
                found.take(self._box(label), size)
            except MalformedError as error:
                found.reject(
                    item.labels, Finding.of("data.in_image", label=_told(label, n), image=item.id, why=error.finding)
                )
        return found

    def _box(self, label: Any) -> Box | None:
        """The label's box; None where it is none of the detection classes."""
        if not isinstance(label, _Label) or not isinstance(label.category, str):
            raise MalformedError("data.no_category")
        kind, _, finer = label.category.partition("/")
        name = _OUTLINES.get(kind, label.category) if finer else label.category
        if name not in self._categories:
            raise MalformedError("data.unknown_category", name=name, key=f"maps.{self.dataset}.boxes")
        category = self._categories[name]
        if category is None:
            return None
        if label.sides is None or not all(is_number(v) and abs(v) < _FAR for v in label.sides):
            raise MalformedError("data.sides_no_numbers", key="box2d", box=str(label.sides), names="x1, y1, x2, y2")
        x1, y1, x2, y2 = map(float, label.sides)
        return Box(category, x1, y1, x2 + 1, y2 + 1, label.category in IGNORED)


def _unreadable(error: OSError | MalformedError) -> Finding:
    if isinstance(error, MalformedError):
        return error.finding
    return Finding.of("data.not_readable", problem=reason_of(error))


def _labels(row: dict[str, Any], image: str) -> list[Any]:
    """A frame's labels, of either form; null and none at all mean an image without objects.

    Raises:
        MalformedError: they are no list, or the frame is of another form.
    """
    labels = row.get("labels")
    if "labels" not in row and "frames" in row:
        frames = row["frames"]
        if not (
            isinstance(frames, list) and len(frames) == 1 and isinstance(frames[0], dict) and "objects" in frames[0]
        ):
            raise MalformedError("data.bdd100k_frames", image=image)
        labels = frames[0]["objects"]
    elif "labels" not in row and (unknown := row.keys() - KNOWN):
        raise MalformedError("data.bdd100k_unknown", image=image, keys=", ".join(sorted(unknown)))
    if not isinstance(labels, list | None):
        raise MalformedError("data.labels_no_list", image=image)
    return labels or []


def _joined(first: Path | Finding, *rest: Path | Finding) -> Finding:
    """One or two things in one."""
    if not rest:
        return first if isinstance(first, Finding) else Finding.of("data.path", path=first)
    return Finding.of("data.both", one=first, other=rest[0])


def _told(label: Any, n: int) -> Finding:
    """Which label of an image it is."""
    if isinstance(label, _Label):
        return Finding.of("data.label_with_id", n=n, id=str(label.id))
    return Finding.of("data.label", id=n)


def _reduced(row: dict[str, Any]) -> dict[str, Any] | _Label:
    """What a label's row is kept as: the files have over a million, and those of 2018 the outlines of lanes too."""
    if "category" not in row:
        return row
    box = row.get("box2d")
    sides = tuple(box.get(side) for side in _SIDES) if isinstance(box, dict) else None
    return _Label(row.get("id"), row["category"], sides)


def _by_name(folder: Path, suffix: str, kind: str, odd: list[Item]) -> dict[str, Path]:
    """The folder's files by name without suffix; those that are none of the format are added to ``odd``."""
    found = files_below(folder, Finding.of("data.wanted_because", form=f"*{suffix}", kind=kind))
    named: dict[str, Path] = {}
    for path in found.files:
        if path.suffix.lower() != suffix:
            odd.append(Item.unusable(ItemError(path, Finding.of("data.other_name", form=f"<name>{suffix}"), "named")))
        elif named.setdefault(path.stem, path) is not path:
            odd.append(Item.unusable(ItemError(path, Finding.of("data.same_name", other=named[path.stem]), "unique")))
    odd += [Item.unusable(problem) for problem in found.problems]
    return named


reader = Bdd100kReader
