"""nuImages: the tables ``v1.0-<split>/*.json``, and ``samples/CAM_*/*.jpg``, which all splits share.

Tables as in the dev-kit's docs/schema_nuimages.md. Every key frame of a camera is annotated, and nothing else is; what
has no label is not background but unknown: there is no sky, building or sidewalk. Boxes are amodal: the annotators
guessed what is hidden, up to the image's border, so a box is not the bounds of its mask. A cycle's object holds its
rider too; there is no class for riders.
"""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Finding
from tasks.datasets.config import NuImagesDataset
from tasks.datasets.errors import DatasetError, ItemError, MalformedError, reason_of
from tasks.datasets.files import is_file
from tasks.datasets.items import Boxes, Item
from tasks.datasets.masks import IGNORE
from tasks.datasets.readers.json_rows import is_number, parsed_json
from tasks.datasets.readers.pairing import label_alone, listed_only
from tasks.datasets.readers.repeated import Keyed, contradicting, keyed, merged_rows
from tasks.datasets.rle import decode_rle
from tasks.datasets.table import Box, BoxSource
from tasks.datasets.taxonomy import Taxonomy

_FAR = 1e6  # px; a coordinate beyond it, or one that is not finite, is a mistake
_SURFACES, _OBJECTS = "surface_ann", "object_ann"
_NO_IMAGES = ("pcd", "bin")  # the lidar's files
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Annotation:
    """A row of surface_ann or object_ann, unchecked; ``category`` is None where category.json does not have it."""

    table: str
    token: str
    frame: str
    category: str | None
    bbox: Any
    mask: Any


@dataclass(frozen=True, slots=True)
class _Frame:
    """A key frame of a camera: its row of sample_data, and its annotations in the order of painting."""

    token: str
    filename: str
    size: tuple[Any, Any]
    sample: str
    mount: str
    annotations: list[_Annotation] = field(default_factory=list)


class NuImagesReader:
    """Reads one split of nuImages."""

    dataset = "nuimages"
    boxes_from: BoxSource | None = "annotated"
    needs_mask = False

    def __init__(self, config: NuImagesDataset, taxonomy: Taxonomy) -> None:
        self._root = config.root
        self._tables = config.root / f"v1.0-{config.split}"
        self._cameras = config.cameras
        self._indices = taxonomy.indices_by_name(self.dataset)
        self._categories = taxonomy.categories(self.dataset)
        self._frames: dict[Path, _Frame] = {}  # by image
        self._merged: dict[str, list[str]] = {}  # table -> tokens of repeated rows
        self._repeated: Counter[str] = Counter()  # repeated rows of objects, by their frame's token
        self._unsure: dict[str, int] = {}  # token -> rows of it that contradict each other
        # Only tables of a gigabyte tell which images are the split's. To look at the times of the other splits' images
        # too is faster than to parse them; the sweeps, most of the files, are left out.
        samples = config.root / "samples"
        self.places = [self._tables, *([samples / c for c in config.cameras] if config.cameras else [samples])]

    def find(self) -> list[Item]:
        """List the cameras' key frames by id: the image's name without suffix."""
        if not self._tables.is_dir():
            why, wanted = Finding.of("data.no_such_folder"), Finding.of("data.wanted_nuimages")
            raise DatasetError(Finding.of("data.not_there", why=why, wanted=wanted), self._tables)
        self._merged, self._unsure = {}, {}
        listed = self._keyed("sample_data", lambda row: (frame.token, frame) if (frame := _frame(row)) else None)
        frames = listed.rows | {token: rows[0] for token, rows in listed.contradicting.items()}
        orphans = self._annotate(frames)
        channels, sensors = self._column("sensor", "channel"), self._column("calibrated_sensor", "sensor_token")
        logs, locations = self._column("sample", "log_token"), self._column("log", "location")
        if unknown := sorted(set(self._cameras or ()) - set(channels.values())):
            finding = Finding.of("data.has_no", names=tuple(unknown), there=tuple(sorted(set(channels.values()))))
            raise DatasetError(finding, self._file("sensor"))
        items = []
        for frame in frames.values():
            try:
                camera, log = channels[sensors[frame.mount]], logs[frame.sample]
                location = locations[log]
            except KeyError as error:
                problem = self._no_row(frame, str(error.args[0]))
                items.append(Item(_id(frame), problem.file, None, None, problem))
                continue
            if self._cameras is None or camera in self._cameras:
                items.append(self._item(frame, {"camera": camera, "location": location}, log))
        merged = (p for table, tokens in self._merged.items() for p in merged_rows(self._file(table), table, tokens))
        return items + orphans + [Item.merged(problem) for problem in merged]

    def _no_row(self, frame: _Frame, token: str) -> ItemError:
        """That a frame needs a row that is not there, or is there with several contents."""
        image = self._root / frame.filename
        if token in self._unsure:
            return ItemError(image, contradicting(f"token {token}", self._unsure[token]), "unique")
        return ItemError(image, Finding.of("data.nuimages_no_row", token=frame.token, row=token), "paired")

    def _item(self, frame: _Frame, extra: dict[str, Any], log: str) -> Item:
        image, problem = self._root / frame.filename, None
        self._frames.setdefault(image, frame)
        folder = os.path.normpath(self._root)
        if not os.path.normpath(image).startswith(folder + os.sep):
            image, why = self._file("sample_data"), Finding.of("data.name_outside", name=frame.filename, folder=folder)
            problem = ItemError(image, Finding.of("data.in_frame", frame=frame.token, why=why), "named")
        elif not is_file(image):
            problem = label_alone(image, listed_only(self._file("sample_data")))
        elif unsure := next(
            (t for t in (frame.token, *(a.token for a in frame.annotations)) if t in self._unsure), None
        ):
            problem = ItemError(image, contradicting(f"token {unsure}", self._unsure[unsure]), "unique")
        return Item(_id(frame), image, None, self._file(_OBJECTS), problem, extra, log)

    def _annotate(self, frames: dict[str, _Frame]) -> list[Item]:
        """Give the frames their annotations; returns those of no frame.

        They are painted in the dev-kit's order (``NuImages.get_segmentation``): surfaces as they stand in their table,
        then objects by their tokens.
        """
        names = self._column("category", "name")
        surfaces, objects = (self._annotations_of(table, names) for table in (_SURFACES, _OBJECTS))
        if not surfaces and not objects:
            raise DatasetError(Finding.of("data.nuimages_no_annotations"), self._tables)
        orphans = []
        for a in (*surfaces, *sorted(objects, key=lambda a: a.token)):
            if a.frame in frames:
                frames[a.frame].annotations.append(a)
                continue
            finding = Finding.of("data.nuimages_no_frame", table=a.table, token=a.token, frame=a.frame)
            problem = ItemError(self._file(a.table), finding, "paired")
            orphans.append(Item(f"{a.table} {a.token}", problem.file, None, None, problem))
        return orphans

    def _annotations_of(self, table: str, names: dict[str, str]) -> list[_Annotation]:
        """A table's annotations; of contradicting ones all, for the sake of their frames."""

        def keep(row: dict[str, Any]) -> tuple[str, _Annotation]:
            return _text(row, "token"), _annotation(table, row, names)

        found = self._keyed(table, keep)
        if table == _OBJECTS:
            rows = {**{token: a[0] for token, a in found.contradicting.items()}, **found.rows}
            self._repeated = Counter(rows[token].frame for token in found.merged)
        return [*found.rows.values(), *(a for rows in found.contradicting.values() for a in rows)]

    def _column(self, table: str, key: str) -> dict[str, str]:
        """A table's column by token, without the tokens whose rows contradict each other."""
        return self._keyed(table, lambda row: (_text(row, "token"), _text(row, key))).rows

    def _keyed(self, table: str, keep: Callable[[dict[str, Any]], tuple[str, _T] | None]) -> Keyed[str, _T]:
        """A table's rows by token; those that are repeated or contradict each other are counted."""
        found = keyed(self._rows(table, keep))
        self._merged[table] = found.merged
        self._unsure |= {token: len(rows) for token, rows in found.contradicting.items()}
        return found

    def _rows(self, table: str, keep: Callable[[dict[str, Any]], _T | None]) -> list[_T]:
        """A table's rows, each reduced by ``keep`` (None: left out) as soon as it is parsed: sample_data has a million.

        Raises:
            DatasetError: the table is missing, no JSON, or not of this form.
        """
        path = self._file(table)
        try:
            rows = parsed_json(path, lambda row: keep(row) if "token" in row else row)
        except FileNotFoundError:
            why, wanted = Finding.of("data.no_such_file"), Finding.of("data.wanted_nuimages_table", table=table)
            raise DatasetError(Finding.of("data.not_there", why=why, wanted=wanted), path) from None
        except OSError as error:
            raise DatasetError(Finding.of("data.not_readable", problem=reason_of(error)), path) from error
        except MalformedError as error:
            raise DatasetError(Finding.of("data.no_nuimages", problem=error.finding), path) from error
        if not isinstance(rows, list) or any(isinstance(row, dict | list | str | int | float) for row in rows):
            raise DatasetError(Finding.of("data.no_nuimages", problem=Finding.of("data.nuimages_form")), path)
        return [row for row in rows if row is not None]

    def _file(self, table: str) -> Path:
        return self._tables / f"{table}.json"

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes:
        """The annotated boxes: amodal, a cycle's with its rider."""
        objects = [a for a in self._annotations(item, size) if a.table == _OBJECTS]
        merged = self._repeated[self._frames[item.image].token]
        found = Boxes(listed=len(objects) + merged, merged=merged)
        for a in objects:
            try:
                found.take(self._box(a), size)
            except MalformedError as error:
                found.reject(self._file(_OBJECTS), _in_image(a, item, error.finding))
        return found

    def _box(self, a: _Annotation) -> Box | None:
        """The object's box; None where it is none of the detection classes."""
        category = _known(a, self._categories, f"{self.dataset}.boxes")
        b = a.bbox
        if not (isinstance(b, list) and len(b) == 4 and all(is_number(v) and abs(v) < _FAR for v in b)):
            raise MalformedError("data.sides_no_numbers", key="bbox", box=str(b), names="xmin, ymin, xmax, ymax")
        return Box(category, float(b[0]), float(b[1]), float(b[2]), float(b[3])) if category is not None else None

    def draw(self, item: Item, size: tuple[int, int]) -> NDArray[np.uint8]:
        """Paint the annotations' masks in their order; one without a mask leaves no trace."""
        pixels = np.full(size[0] * size[1], IGNORE, np.uint8)  # column by column, as the masks are
        for a in self._annotations(item, size):
            if a.mask is None:
                continue
            try:
                index = _known(a, self._indices, f"{self.dataset}.masks")
            except MalformedError as error:
                raise ItemError(self._file(a.table), _in_image(a, item, error.finding), "classes") from error
            try:
                counts, listed = base64.b64decode(a.mask["counts"], validate=True), tuple(a.mask["size"])
                if listed != size[::-1]:
                    why = Finding.of("data.mask_size", listed=str(listed), size=_x(size))
                    raise ItemError(self._file(a.table), _in_image(a, item, why), "size")
                pixels[decode_rle(counts, size)] = index
            except (KeyError, TypeError, ValueError) as error:
                why = Finding.of("data.mask_not_decodable", problem=reason_of(error))
                raise ItemError(self._file(a.table), _in_image(a, item, why)) from error
        return np.ascontiguousarray(pixels.reshape(size).T)

    def _annotations(self, item: Item, size: tuple[int, int]) -> Iterator[_Annotation]:
        """Those of an image, which must have the size that it was annotated in."""
        frame = self._frames[item.image]
        if frame.size != size:
            file = self._file("sample_data")
            finding = Finding.of("data.size_listed", size=_x(size), file=file, listed=_x(frame.size))
            raise ItemError(item.image, finding, "size")
        return iter(frame.annotations)


def _frame(row: dict[str, Any]) -> _Frame | None:
    """A key frame of a camera; None for the rows of sweeps and of the lidar."""
    if not row.get("is_key_frame") or row.get("fileformat") in _NO_IMAGES:
        return None
    keys = ("token", "filename", "sample_token", "calibrated_sensor_token")
    token, filename, sample, mount = (_text(row, key) for key in keys)
    return _Frame(token, filename, (row.get("width"), row.get("height")), sample, mount)


def _annotation(table: str, row: dict[str, Any], names: dict[str, str]) -> _Annotation:
    frame, category = str(row.get("sample_data_token")), names.get(str(row.get("category_token")))
    return _Annotation(table, _text(row, "token"), frame, category, row.get("bbox"), row.get("mask"))


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise MalformedError("data.nuimages_no_text", token=str(row["token"]), key=key)
    return value


def _known(a: _Annotation, meanings: dict[str, _T], where: str) -> _T:
    """What the taxonomy says of the annotation's category.

    Raises:
        MalformedError: it is not known.
    """
    if a.category is None:
        raise MalformedError("data.nuimages_no_category")
    if a.category not in meanings:
        raise MalformedError("data.unknown_category", name=a.category, key=f"maps.{where}")
    return meanings[a.category]


def _in_image(a: _Annotation, item: Item, why: Finding) -> Finding:
    label = Finding.of("data.nuimages_label", table=a.table, token=a.token)
    return Finding.of("data.in_image", label=label, image=item.image.name, why=why)


def _id(frame: _Frame) -> str:
    return PurePosixPath(frame.filename).stem


def _x(size: tuple[Any, Any]) -> str:
    return f"{size[0]}x{size[1]}"


reader = NuImagesReader
