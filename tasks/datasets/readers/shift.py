"""SHIFT (Sun et al., CVPR 2022): a view's images, masks and boxes, in folders or in the zip archives as downloaded.

The folder of a view is ``<kind>/<media>/[<rate>/]<split>/<view>`` as the dev-kit's download script writes it, or has
media and rate in the other order, as the dev-kit's loader expects it. In it lie ``img``, ``semseg`` (``.zip`` or
unpacked) and ``det_2d.json``; below the former ``<sequence>/<frame>_<img or semseg>_<view>``. A mask's first channel
holds CARLA's tag. ``det_2d.json`` is in Scalabel's form: x2 and y2 lie inside a box, so that it ends one pixel further
here, and a frame whose labels are null or empty shows no objects; so does one without the key, unless it has keys that
Scalabel does not know. A view may lack either kind of label as a whole;
an image that lacks what other images of the view have is rejected.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, FiniteFloat, ValidationError

from tasks.contracts import Finding, first_problem
from tasks.datasets.config import ShiftDataset
from tasks.datasets.errors import DatasetError, ItemError, MalformedError, reason_of
from tasks.datasets.files import files_below
from tasks.datasets.items import Boxes, Item
from tasks.datasets.readers.bdd100k import KNOWN
from tasks.datasets.readers.json_rows import parsed_json
from tasks.datasets.readers.pairing import Part, label_alone, not_listed, unpaired
from tasks.datasets.readers.repeated import Keyed, contradicting, merged_rows
from tasks.datasets.table import Box, BoxSource
from tasks.datasets.taxonomy import Taxonomy

_ATTRIBUTES = ("weather_coarse", "timeofday_coarse")
_Key = tuple[str, str]  # sequence and frame


class ScalabelBox(BaseModel):
    x1: FiniteFloat
    y1: FiniteFloat
    x2: FiniteFloat
    y2: FiniteFloat


class ScalabelLabel(BaseModel):
    category: str
    box2d: ScalabelBox


class ScalabelFrame(BaseModel):
    """Labels stay unchecked: a bad one is rejected alone, and does not spoil the file."""

    name: str
    videoName: str  # noqa: N815 - Scalabel's
    attributes: dict[str, Any] | None = None
    labels: list[Any] | None = None
    unknown: list[str] = []


class ScalabelFile(BaseModel):
    frames: list[ScalabelFrame]


_KEYS = {
    "id",
    *_ATTRIBUTES,
    *(key for form in (ScalabelFile, ScalabelFrame, ScalabelLabel, ScalabelBox) for key in form.model_fields),
}


class ShiftReader:
    """Reads one view of one split of SHIFT.

    Raises:
        DatasetError: there is no folder of the view, or more than one, or its files cannot be read where they are.
    """

    needs_mask = False

    def __init__(self, config: ShiftDataset, taxonomy: Taxonomy) -> None:
        self.dataset = config.labels
        self._categories = taxonomy.categories(self.dataset)
        self._view = config.view
        self._folder = _view_folder(config)
        self._images = self._place("img")
        self._masks = self._place("semseg")
        file = self._folder / "det_2d.json"
        self._file = file if os.path.lexists(file) else None  # a link to nowhere is no view without boxes
        self.boxes_from: BoxSource | None = "annotated" if self._file is not None else None
        self.places = [p for p in (self._images, self._masks, self._file) if p is not None]
        self._table: Keyed[_Key, ScalabelFrame] = Keyed()

    def _place(self, kind: str) -> Path | None:
        """The folder or archive of the images or masks; None where there is none."""
        names = (kind, f"{kind}.zip", f"{kind}_decompressed.zip")  # the last as the dev-kit decompresses videos
        if found := next((self._folder / n for n in names if (self._folder / n).exists()), None):
            return found
        others = (p for suffix in (".tar", ".hdf5") for p in sorted(self._folder.glob(f"{kind}*{suffix}")))
        if (other := next(others, None)) is not None:
            raise DatasetError(Finding.of("data.shift_archive", kind=kind, videos=self._folder / "img.tar"), other)
        return None

    def find(self) -> list[Item]:
        """List images by id ``<sequence>__<frame>``."""
        if self._images is None:
            raise DatasetError(Finding.of("data.shift_no_images"), self._folder / "img")
        if self._masks is None and self._file is None:
            raise DatasetError(Finding.of("data.shift_no_labels"), self._folder)
        images, odd = self._listed(self._images, "img", "jpg")
        masks, more = self._listed(self._masks, "semseg", "png") if self._masks is not None else ({}, [])
        odd += more + (self._load(self._file) if self._file is not None else [])
        items = [self._item(key, path, masks.get(key)) for key, path in images.items()]
        orphans = {key: path for key, path in masks.items() if key not in images}
        if self._file is not None:
            orphans = dict.fromkeys(self._table.known - images.keys(), self._file) | orphans
        return items + [self._orphan(key, file) for key, file in orphans.items()] + odd

    def _listed(self, place: Path, kind: str, suffix: str) -> tuple[dict[_Key, Path], list[Item]]:
        """Sequence and frame -> file; and what is none of them."""
        listed = files_below(
            place, Finding.of("data.wanted_files", form=f"<sequence>/<frame>_{kind}_{self._view}.{suffix}")
        )
        found: dict[_Key, Path] = {}
        odd = [Item.unusable(problem) for problem in listed.problems]
        for path in listed.files:
            key = (path.parent.name, self._frame_of(path.name, kind, suffix))
            if not key[1]:
                odd.append(Item.unusable(ItemError(path, self._not_named(kind, suffix), "named")))
            elif key in found:
                odd.append(Item.unusable(ItemError(path, Finding.of("data.same_frame", other=found[key]), "unique")))
            else:
                found[key] = path
        return found, odd

    def _frame_of(self, name: str, kind: str, suffix: str) -> str:
        """The frame's digits in a file's name; empty where it is not of the format's form."""
        match = re.fullmatch(rf"([0-9]{{8}})_{kind}_{re.escape(self._view)}\.(?i:{suffix})", name)
        return match[1] if match else ""

    def _not_named(self, kind: str, suffix: str) -> Finding:
        return Finding.of("data.other_name", form=f"<8 digits>_{kind}_{self._view}.{suffix}")

    def _load(self, file: Path) -> list[Item]:
        """Read the boxes of all frames; returns the frames that no image can have."""
        odd = []
        self._table = Keyed()
        for number, frame in enumerate(_frames_of(file)):
            key = (frame.videoName, self._frame_of(frame.name, "img", "jpg"))
            if key[1]:
                self._table.add(key, frame)
                continue
            why = self._not_named("img", "jpg")
            problem = ItemError(file, Finding.of("data.in_frame", frame=frame.name, why=why), "named")
            odd.append(Item(f"{file} frame {number}", file, None, None, problem))
        return odd + [Item.merged(problem) for problem in merged_rows(file, "frames", self._table.merged)]

    def _item(self, key: _Key, image: Path, mask: Path | None) -> Item:
        frame = self._table.rows.get(key)
        labels = []
        if self._masks is not None:
            labels.append(Part(mask, self._masks / key[0] / f"{key[1]}_semseg_{self._view}.png"))
        if self._file is not None:
            labels.append(Part(self._file if key in self._table.known else None, not_listed(self._file)))
        problem = unpaired(image, *labels)
        if problem is None and (rows := self._table.contradicting.get(key)):
            problem = ItemError(image, contradicting("/".join(key), len(rows)), "unique")
        if problem is None and frame is not None and frame.unknown:
            finding = Finding.of("data.scalabel_unknown", image="/".join(key), keys=", ".join(frame.unknown))
            problem = ItemError(image, finding)
        attributes = frame.attributes if frame is not None and frame.attributes is not None else {}
        extra = {name: attributes[name] for name in _ATTRIBUTES if name in attributes}
        return Item("__".join(key), image, mask, self._file, problem, extra, key[0])

    def _orphan(self, key: _Key, file: Path) -> Item:
        assert self._images is not None
        missing = self._images / key[0] / f"{key[1]}_img_{self._view}.jpg"
        return Item("__".join(key), file, None, None, label_alone(file, missing), sequence=key[0])

    def boxes(self, item: Item, mask: NDArray[np.uint8] | None, size: tuple[int, int]) -> Boxes | None:
        """The frame's labels, each as far as it lies in the image."""
        if self._file is None:
            return None
        sequence, frame = item.id.rsplit("__", 1)
        labels = self._table.rows[sequence, frame].labels or ()
        found = Boxes(listed=len(labels))
        for number, label in enumerate(labels):
            try:
                found.take(self._box(label), size)
            except MalformedError as error:
                which = label["id"] if isinstance(label, dict) and "id" in label else number
                told, image = Finding.of("data.label", id=str(which)), f"{sequence}/{frame}"
                found.reject(self._file, Finding.of("data.in_image", label=told, image=image, why=error.finding))
        return found

    def _box(self, label: Any) -> Box | None:
        """The label's box; None where it is none of the detection classes."""
        try:
            parsed = ScalabelLabel.model_validate(label)
        except ValidationError as error:
            raise MalformedError("data.other_form", problem=first_problem(error)) from error
        if parsed.category not in self._categories:
            raise MalformedError("data.unknown_category", name=parsed.category, key=f"maps.{self.dataset}.boxes")
        category, box = self._categories[parsed.category], parsed.box2d
        return None if category is None else Box(category, box.x1, box.y1, box.x2 + 1, box.y2 + 1)


def _view_folder(config: ShiftDataset) -> Path:
    """The folder of a view; where its rate is not given, of the only rate there is."""
    base, media = config.root / config.kind, config.media
    end = f"{config.split}/{config.view}"
    found = {base / media / end: ""} if (base / media / end).is_dir() else {}
    for path in sorted({*base.glob(f"{media}/*/{end}"), *base.glob(f"*/{media}/{end}")}):
        first, second = path.relative_to(base).parts[:2]
        found[path] = second if first == media else first
    chosen = [p for p, rate in found.items() if config.rate in (None, rate)]
    if len(chosen) == 1:
        return chosen[0]
    there = tuple(str(p) for p in (chosen or found))
    if chosen:
        raise DatasetError(Finding.of("data.shift_views", view=end, there=there))
    rate = f"{config.rate}/" if config.rate is not None else "[<rate>/]"
    finding = Finding.of("data.shift_other_views", there=there) if there else Finding.of("data.no_such_folder")
    raise DatasetError(finding, f"{base / media}/{rate}{end}")


def _reduced(found: dict[str, Any]) -> dict[str, Any]:
    """What is needed of an object; a frame without labels keeps the names of its keys that Scalabel does not know."""
    kept = {key: value for key, value in found.items() if key in _KEYS}
    if "videoName" in found and "labels" not in found:
        kept["unknown"] = sorted(found.keys() - KNOWN)
    return kept


def _frames_of(file: Path) -> list[ScalabelFrame]:
    """The frames of a Scalabel file, which is an object with these or a list of them.

    Most of such a file, which may have hundreds of megabytes, is not needed, and dropped while it is parsed.
    """
    try:
        content = parsed_json(file, _reduced)
        return ScalabelFile.model_validate(content if isinstance(content, dict) else {"frames": content}).frames
    except OSError as error:
        raise DatasetError(Finding.of("data.not_readable", problem=reason_of(error)), file) from error
    except ValidationError as error:
        raise DatasetError(Finding.of("data.no_scalabel", problem=first_problem(error)), file) from error
    except MalformedError as error:
        raise DatasetError(error.finding, file) from error


reader = ShiftReader
