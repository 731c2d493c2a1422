"""Reading any data set: find, choose, check and tabulate; what cannot be used is listed, with file and reason."""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.compute import with_progress
from tasks.contracts import BoxCounts, DatasetCounts, Finding, ImageCounts, readable
from tasks.datasets import select
from tasks.datasets.config import Stored
from tasks.datasets.errors import DatasetError, ImageError, ItemError, Rejection
from tasks.datasets.images import content_of, label_of, other_size, picture_of
from tasks.datasets.items import Boxes, Draws, Item, SplitReader
from tasks.datasets.masks import MaskEncoding, counted, decoded, value_text
from tasks.datasets.naming import usable_names
from tasks.datasets.opening import confine, confined
from tasks.datasets.phash import perceptual_hash
from tasks.datasets.table import Sample, SampleTable, TableInfo
from tasks.datasets.taxonomy import Taxonomy
from tasks.store import file_sha256, write_png

_SHOWN = 5  # of what is wrong, so much is told in an error
MASKS = "masks"  # the folder of masks that a reader drew, beside their table


@dataclass(frozen=True)
class ReadResult:
    """What reading gave.

    Attributes:
        table: the usable images, in order of their ids; its paths are absolute, but for masks drawn by the reader.
        rejected: what was left out.
        images: how many images were looked at.
        counts: what became of all images and boxes.
    """

    table: SampleTable
    rejected: list[Rejection]
    images: int
    counts: DatasetCounts

    @property
    def boxes(self) -> int:
        """How many boxes were looked at, hidden ones and other classes' not counted."""
        found = self.counts.boxes
        return found.kept + found.out + found.rejected if found is not None else 0

    @property
    def hidden(self) -> int:
        """How many boxes had too few visible pixels."""
        return self.counts.boxes.hidden if self.counts.boxes is not None else 0


def reader_of(config: Stored, taxonomy: Taxonomy) -> SplitReader:
    """The adapter of a data set's format.

    Raises:
        TaxonomyError: the taxonomy has no map for the data set.
    """
    module = importlib.import_module(f"tasks.datasets.readers.{config.format}")
    make: Callable[[Stored, Taxonomy], SplitReader] = module.reader
    return make(config, taxonomy)


def read_dataset(config: Stored, taxonomy: Taxonomy, folder: Path = Path("/")) -> ReadResult:
    """Read a split of a data set, on all cores.

    Every image and label is decoded once, so that nothing broken reaches a training hours later.

    Args:
        config: the data set; a relative root starts at the current folder.
        taxonomy: the classes, and the data set's map to them.
        folder: where the table is going to lie; masks that the format has not as files are drawn into it.

    Raises:
        DatasetError: nothing can be read at all: a folder is missing, the split is empty.
        TaxonomyError: the taxonomy has no map for the data set.
    """
    config = absolute(config)
    with confined(config.confined_to):
        return _read(config, taxonomy, folder)


def _read(config: Stored, taxonomy: Taxonomy, folder: Path) -> ReadResult:
    reader = reader_of(config, taxonomy)
    place = ", ".join(str(p) for p in reader.places)
    found = reader.find()
    wanted = select.wanted(found, config, place)
    items, rejected = _unique(wanted)
    names = usable_names(item.id for item in items if not item.stray)
    one = _One(
        reader, taxonomy.encoding(reader.dataset), len(taxonomy.classes), config.split, folder, names, config.min_side
    )
    with ThreadPoolExecutor(os.cpu_count(), initializer=confine, initargs=(config.confined_to,)) as pool:
        read = pool.map(one, items)
        outcomes = list(with_progress(read, len(items), f"reading {reader.dataset} {config.split}"))
    samples, boxes = [], Boxes()
    for outcome in outcomes:
        if isinstance(outcome, ItemError):
            rejected.append(Rejection(outcome.file, outcome.finding, outcome.cause, outcome.kind))
        else:
            samples.append(outcome[0])
            boxes.add(outcome[1])
    impossible, impossible_boxes = taxonomy.impossible(reader.dataset)
    info = TableInfo(
        dataset=reader.dataset,
        classes=taxonomy.classes,
        detection=taxonomy.detection,
        encoding=one.encoding if any(s.mask for s in samples) else None,
        boxes_from=reader.boxes_from,
        impossible=impossible,
        impossible_boxes=impossible_boxes,
    )
    table = SampleTable.from_samples(samples, info, folder, config.root)
    if config.images is not None:
        table = select.subset(table, config.images, config.seed, config.draw)
    counts = DatasetCounts(
        images=ImageCounts(
            found=_images(found),
            read=len(table),
            rejected=sum(r.kind == "image" for r in rejected),
            out=_images(found) - _images(wanted) + len(samples) - len(table),
        ),
        boxes=_box_counts(boxes, table) if reader.boxes_from is not None else None,
    )
    return ReadResult(table, rejected + boxes.rejected, _images(wanted), counts)


def _images(items: list[Item]) -> int:
    """How many of these are images, or should be; a repeated row is none."""
    return sum(item.problem is None or item.problem.kind == "image" for item in items)


def _box_counts(found: Boxes, table: SampleTable) -> BoxCounts:
    """What became of the boxes of the images that were read, of which the table may have but some."""
    kept = len(pc.list_flatten(table.rows["boxes"]))
    return BoxCounts(
        listed=found.listed,
        kept=kept,
        rejected=len(found.rejected),
        other=found.other,
        hidden=found.hidden,
        merged=found.merged,
        out=len(found.kept) - kept,
    )


def absolute(config: Stored) -> Stored:
    """The configuration with the absolute path of its root."""
    return config.model_copy(update={"root": config.root.expanduser().absolute()})


def _unique(items: list[Item]) -> tuple[list[Item], list[Rejection]]:
    seen: dict[str, Item] = {}
    rejected = []
    for item in items:
        if item.id in seen:
            finding = Finding.of("data.same_id", id=item.id, other=seen[item.id].image)
            rejected.append(Rejection(item.image, finding, "unique"))
        else:
            seen[item.id] = item
    return list(seen.values()), rejected


@dataclass(frozen=True)
class _One:
    """Reads one item: its sample and its boxes, or why it cannot be used.

    ``names`` are the ids as file names, ``least`` the pixels that an image must have a side.
    """

    reader: SplitReader
    encoding: MaskEncoding | None
    classes: int
    split: str
    folder: Path
    names: Mapping[str, str]
    least: int

    def __call__(self, item: Item) -> tuple[Sample, Boxes] | ItemError:
        try:
            if item.problem is not None:
                raise item.problem
            return self._read(item)
        except ItemError as error:
            return error

    def _read(self, item: Item) -> tuple[Sample, Boxes]:
        content = content_of(item.image)
        image = picture_of(content, item.image)
        if min(image.size) < self.least:
            finding = Finding.of("data.too_small", width=image.width, height=image.height, least=self.least)
            raise ImageError(item.image, finding, "size")
        mask = self._mask(item, image.size)
        indices = None
        if mask is not None and self.reader.needs_mask:
            assert self.encoding is not None
            indices = decoded(mask.label, self.encoding, mask.path)
        boxes = self.reader.boxes(item, indices, image.size)
        sample = Sample(
            id=self.names[item.id],
            image=item.image,
            mask=mask.path if mask else None,
            width=image.width,
            height=image.height,
            split=self.split,
            sequence=None if item.sequence is None else readable(item.sequence),
            sha256=hashlib.sha256(content).hexdigest(),
            mask_sha256=mask.sha256 if mask else None,
            phash=perceptual_hash(image),
            class_pixels=tuple(mask.pixels[: self.classes].tolist()) if mask else None,
            boxes=tuple(boxes.kept) if boxes is not None else None,
            extra=item.extra,
        )
        return sample, boxes or Boxes()

    def _mask(self, item: Item, size: tuple[int, int]) -> _Mask | None:
        if self.encoding is None:
            return None
        if item.mask is not None:
            content = content_of(item.mask)
            label = label_of(content, item.mask)
            pixels = _checked(label, self.encoding, item.mask, size)
            return _Mask(item.mask, label, pixels, hashlib.sha256(content).hexdigest())
        drawn = self.reader.draw(item, size) if isinstance(self.reader, Draws) else None
        if drawn is None:
            return None
        path = Path(MASKS) / f"{self.names[item.id]}.png"
        write_png(self.folder / path, drawn)
        pixels = counted(drawn, self.encoding, path)[0]
        return _Mask(path, drawn, pixels, file_sha256(self.folder / path))


@dataclass(frozen=True, slots=True)
class _Mask:
    path: Path
    label: NDArray[Any]  # in the data set's encoding
    pixels: NDArray[np.int64]  # of each class index
    sha256: str


def _checked(label: NDArray[Any], encoding: MaskEncoding, path: Path, size: tuple[int, int]) -> NDArray[np.int64]:
    """The pixels of each class, where the label image fits its image and holds no unknown value."""
    height, width = label.shape[:2]
    if (width, height) != size:
        raise ItemError(path, other_size((width, height), size), "size")
    pixels, unknown = counted(label, encoding, path)
    if unknown:
        raise ItemError(path, _unknown(unknown, encoding.kind), "classes")
    return pixels


def _unknown(unknown: dict[int, int], kind: Literal["index", "color"]) -> Finding:
    """The values that the encoding does not define, those of most pixels first."""
    worst = sorted(unknown.items(), key=lambda pair: -pair[1])
    some = tuple(Finding.of("data.value_pixels", value=value_text(v, kind), n=n) for v, n in worst[:_SHOWN])
    code = "data.unknown_colours" if kind == "color" else "data.unknown_ids"
    return Finding.of(code, values=some, more=_more("data.and_more", len(worst)))


def _more(code: str, total: int) -> Finding | str:
    """How many there are beyond those shown."""
    return Finding.of(code, n=total - _SHOWN) if total > _SHOWN else ""


def check_share(result: ReadResult, max_rejected: float) -> None:
    """Stop where too much was left out.

    Raises:
        DatasetError: the rejected share of the images, or of the boxes, exceeds ``max_rejected``, or no image is left.
    """
    for kind, total in (("image", result.images), ("box", result.boxes)):
        bad = [r for r in result.rejected if r.kind == kind]
        if len(bad) > max_rejected * total or (kind == "image" and not len(result.table)):
            first = tuple(Finding.of("data.of_file", file=r.file, why=r.finding) for r in bad[:_SHOWN])
            code, more = f"data.rejected_{kind}", _more("data.and_more_lines", len(bad))
            raise DatasetError(Finding.of(code, n=len(bad), total=total, limit=max_rejected, first=first, more=more))
