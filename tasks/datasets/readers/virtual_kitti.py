"""Virtual KITTI 2 (Cabon, Murray and Humenberger, 2020): one camera's images, class colours and boxes.

``Scene<nn>/<variation>/`` holds ``frames/rgb/Camera_<n>/rgb_<frame>.jpg``,
``frames/classSegmentation/Camera_<n>/classgt_<frame>.png``, ``bbox.txt`` and ``info.txt``: all of it below the root, or
below one folder for each archive. Folders' names may be of any case. In ``bbox.txt`` all four sides lie inside a box,
so that it ends one pixel further here, and a frame without a line shows no vehicles; ``info.txt`` has their classes.
All variations of a scene show the same drive in other weather or from other angles: a sequence is a scene, so that
they stay in one split.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Finding
from tasks.datasets.config import VirtualKittiDataset
from tasks.datasets.errors import DatasetError, ItemError, MalformedError, reason_of
from tasks.datasets.files import files_below, text_of
from tasks.datasets.items import Boxes, Item
from tasks.datasets.readers.pairing import Part, image_alone, label_alone, unpaired
from tasks.datasets.readers.repeated import keyed
from tasks.datasets.table import Box, BoxSource
from tasks.datasets.taxonomy import Taxonomy

_BBOX = (
    *("frame", "cameraID", "trackID", "left", "right", "top", "bottom", "number_pixels"),
    *("truncation_ratio", "occupancy_ratio", "isMoving"),
)
_INFO = ("trackID", "label", "model", "color")
_Scene = tuple[str, str]  # a scene and its variation, such as Scene01 and 15-deg-left
_Key = tuple[str, str, int]  # and a frame
_Line = tuple[int, list[str]]  # its number from 1, and its fields


@dataclass(slots=True)
class _TextFiles:
    """A variation's text files: its bbox.txt, each track's class, and one camera's boxes by frame."""

    bbox: Path
    classes: dict[str, str]
    unsure: dict[str, list[str]]  # the classes of each track that has several
    lines: dict[int, list[_Line]] = field(default_factory=dict)
    lost: list[_Line] = field(default_factory=list)  # their frame cannot be told


class VirtualKittiReader:
    """Reads one camera of Virtual KITTI 2.

    Raises:
        DatasetError: a folder cannot be read.
    """

    dataset = "virtual_kitti"
    boxes_from: BoxSource | None = "annotated"
    needs_mask = False

    def __init__(self, config: VirtualKittiDataset, taxonomy: Taxonomy) -> None:
        self._root = config.root
        self._camera = config.camera
        self._folder = f"Camera_{config.camera}"
        self._min_pixels = config.min_box_pixels
        self._categories = taxonomy.categories(self.dataset)
        images = _below(self._root, "frames", "rgb", self._folder)
        self._there = sorted({variation for (_, variation), _ in images})
        self._wanted = [v.lower() for v in config.variations] if config.variations is not None else self._there
        masks = _below(self._root, "frames", "classsegmentation", self._folder)
        texts = _below(self._root, r"(bbox|info)\.txt")
        self._images, self._masks, self._files = (
            [(scene, path) for scene, path in found if scene[1] in self._wanted] for found in (images, masks, texts)
        )
        self.places = [path for _, path in self._images + self._masks + self._files] or [self._root]
        self._texts: dict[_Scene, _TextFiles] = {}

    def find(self) -> list[Item]:
        """List images by id ``Scene<nn>__<variation>__Camera_<n>__<frame>``."""
        if not self._there:
            where = f"Scene<nn>/<variation>/frames/rgb/{self._folder}"
            raise DatasetError(Finding.of("data.vkitti_no_images", where=where), self._root)
        if missing := [v for v in self._wanted if v not in self._there]:
            finding = Finding.of("data.vkitti_no_variation", names=tuple(missing), there=tuple(self._there))
            raise DatasetError(finding, self._root)
        images, odd = _listed(self._images, "rgb", "jpg")
        masks, more = _listed(self._masks, "classgt", "png")
        problems = self._read_texts()
        items = [self._item(key, path, masks.get(key), problems.get(key[:2])) for key, path in images.items()]
        labelled = {(*scene, n): texts.bbox for scene, texts in self._texts.items() for n in texts.lines} | masks
        orphans = [self._orphan(key, path) for key, path in labelled.items() if key not in images]
        lost = [_unplaced(texts.bbox, line) for texts in self._texts.values() for line in texts.lost]
        return items + orphans + odd + more + lost

    def _item(self, key: _Key, image: Path, mask: Path | None, texts_lack: Finding | None) -> Item:
        scene, variation, frame = key
        no_mask = self._no(scene, variation, f"frames/classSegmentation/{self._folder}/classgt_{frame:05d}.png")
        texts = self._texts.get((scene, variation))
        error = unpaired(image, Part(mask, no_mask))
        if error is None and texts_lack is not None:
            error = image_alone(image, texts_lack)
        extra = {"variation": variation, "camera": self._camera}
        return Item(self._id(key), image, mask, texts.bbox if texts else None, error, extra, scene)

    def _orphan(self, key: _Key, file: Path) -> Item:
        scene, variation, frame = key
        missing = self._no(scene, variation, f"frames/rgb/{self._folder}/rgb_{frame:05d}.jpg")
        return Item(self._id(key), file, None, None, label_alone(file, missing), sequence=scene)

    def _id(self, key: _Key) -> str:
        return f"{key[0]}__{key[1]}__{self._folder}__{key[2]:05d}"

    def _no(self, *path: str) -> Finding:
        return Finding.of("data.vkitti_no_file", name="/".join(path), root=self._root)

    def _read_texts(self) -> dict[_Scene, Finding]:
        """Read the text files of the variations that have images; returns why those of some cannot be used."""
        self._texts = {}
        problems = {}
        for scene in {scene for scene, _ in self._images}:
            paths = {path.name.lower(): path for s, path in self._files if s == scene}
            missing = [name for name in ("bbox.txt", "info.txt") if name not in paths]
            if missing:
                problems[scene] = self._no(*scene, missing[0])
                continue
            try:
                self._texts[scene] = _texts(paths["bbox.txt"], paths["info.txt"], self._camera)
            except MalformedError as error:
                problems[scene] = error.finding
        return problems

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes:
        """The frame's lines of bbox.txt; an object with fewer than ``min_box_pixels`` visible pixels is hidden."""
        assert item.sequence is not None
        texts = self._texts[item.sequence, item.extra["variation"]]
        lines = texts.lines.get(int(item.id[-5:]), [])
        found = Boxes(listed=len(lines))
        for number, fields in lines:
            try:
                box, pixels = self._box(fields, texts)
                if box is not None and pixels < self._min_pixels:
                    found.hidden += 1
                else:
                    found.take(box, size)
            except MalformedError as error:
                found.reject(texts.bbox, Finding.of("data.in_line", line=number, why=error.finding))
        return found

    def _box(self, fields: list[str], texts: _TextFiles) -> tuple[Box | None, float]:
        """A line's box, None where it is none of the detection classes, and the object's visible pixels."""
        if len(fields) != len(_BBOX):
            raise MalformedError("data.vkitti_fields", n=len(fields), count=len(_BBOX))
        if fields[1] != str(self._camera):
            raise MalformedError("data.vkitti_camera", camera=fields[1])
        if fields[2] in texts.unsure:
            raise MalformedError("data.vkitti_classes", track=fields[2], names=", ".join(texts.unsure[fields[2]]))
        if (label := texts.classes.get(fields[2])) is None:
            raise MalformedError("data.vkitti_track", track=fields[2])
        if label not in self._categories:
            raise MalformedError("data.unknown_class", name=label, key=f"maps.{self.dataset}.boxes")
        left, right, top, bottom, pixels = (_number(*pair) for pair in zip(_BBOX[3:8], fields[3:8], strict=True))
        category = self._categories[label]
        return None if category is None else Box(category, left, top, right + 1, bottom + 1), pixels


def _below(root: Path, *names: str) -> list[tuple[_Scene, Path]]:
    """What every variation has under these names (regular expressions, of any case), one for each level."""
    paths = [p for top in ((), (".+",)) for p in _matching(root, *top, r"scene\d\d", ".+", *names)]
    parts = [path.parts[-len(names) - 2 :] for path in paths]
    return [((p[0].capitalize(), p[1].lower()), path) for p, path in zip(parts, paths, strict=True)]


def _matching(folder: Path, name: str, *rest: str) -> Iterator[Path]:
    if not folder.is_dir():
        return
    try:
        children = sorted(folder.iterdir())
    except OSError as error:
        raise DatasetError(Finding.of("data.folder_unreadable", problem=reason_of(error)), folder) from error
    for child in children:
        if re.fullmatch(name, child.name, re.IGNORECASE):
            yield from _matching(child, *rest) if rest else (child,)


def _listed(folders: Iterable[tuple[_Scene, Path]], kind: str, suffix: str) -> tuple[dict[_Key, Path], list[Item]]:
    """The images or masks; and what in their folders is none."""
    found: dict[_Key, Path] = {}
    odd = []
    form = f"{kind}_<5 digits>.{suffix}"
    for scene, folder in folders:
        listed = files_below(folder, Finding.of("data.wanted_files", form=form))
        odd += listed.problems
        for path in listed.files:
            match = re.fullmatch(rf"{kind}_([0-9]{{5}})\.(?i:{suffix})", path.name)
            key = (*scene, int(match[1]) if match else -1)
            if match is None:
                odd.append(ItemError(path, Finding.of("data.other_name", form=form), "named"))
            elif key in found:
                odd.append(ItemError(path, Finding.of("data.same_frame", other=found[key]), "unique"))
            else:
                found[key] = path
    return found, [Item.unusable(problem) for problem in odd]


def _texts(bbox: Path, info: Path, camera: int) -> _TextFiles:
    """Read a variation's text files.

    Raises:
        MalformedError: one cannot be read, or is not of this form at all.
    """
    tracks = keyed((fields[0], fields[1]) for _, fields in _lines(info, _INFO) if len(fields) > 1)
    texts = _TextFiles(bbox, tracks.rows, tracks.contradicting)
    for number, fields in _lines(bbox, _BBOX):
        if fields[1:2] == [str(1 - camera)]:
            continue
        if fields[0].isdecimal():
            texts.lines.setdefault(int(fields[0]), []).append((number, fields))
        else:
            texts.lost.append((number, fields))
    return texts


def _lines(file: Path, header: tuple[str, ...]) -> list[_Line]:
    """The lines after the header that are not blank."""
    try:
        first, *lines = text_of(file, errors="replace").splitlines() or [""]
    except OSError as error:
        raise MalformedError("data.vkitti_unreadable", file=file, problem=reason_of(error)) from error
    if tuple(first.split()) != header:
        raise MalformedError("data.vkitti_header", file=file, first=first, header=" ".join(header))
    return [(n, fields) for n, line in enumerate(lines, 2) if (fields := line.split())]


def _unplaced(file: Path, line: _Line) -> Item:
    problem = ItemError(
        file, Finding.of("data.in_line", line=line[0], why=Finding.of("data.vkitti_frame", frame=line[1][0])), "boxes"
    )
    return Item(f"{file} line {line[0]}", file, None, None, problem)


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise MalformedError("data.no_number", name=name, text=text)
    return value


reader = VirtualKittiReader
