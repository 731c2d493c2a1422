"""Reading a data set: find, subset, check and tabulate; what cannot be used is listed, with file and reason."""

from __future__ import annotations

import csv
import fnmatch
import hashlib
import io
import logging
import os
import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tasks.datasets.config import CityscapesDataset, Dataset, FolderDataset, MoraiDataset, SampleDataset
from tasks.datasets.images import ImageError
from tasks.datasets.items import Boxes, DatasetError, Item, ItemError, Reader, Rejection
from tasks.datasets.masks import MaskEncoding, checked_mask, value_text
from tasks.datasets.readers.cityscapes import CityscapesReader
from tasks.datasets.readers.folder import FolderReader
from tasks.datasets.readers.morai import MoraiReader
from tasks.datasets.table import Sample, SampleTable, TableInfo
from tasks.datasets.taxonomy import Taxonomy
from tasks.progress import progress
from tasks.store import atomic_path

log = logging.getLogger(__name__)
REJECTED = "rejected.csv"


@dataclass(frozen=True)
class ReadResult:
    """What reading gave.

    Attributes:
        table: the usable images, in order of their ids; its paths are absolute.
        rejected: what was left out.
        images: how many images were looked at.
        boxes: how many boxes were looked at, hidden ones and other classes' not counted.
        hidden: how many boxes had too few visible pixels.
    """

    table: SampleTable
    rejected: list[Rejection]
    images: int
    boxes: int
    hidden: int


def reader_of(config: Dataset, taxonomy: Taxonomy) -> Reader:
    """The adapter of a data set's format.

    Raises:
        DatasetError: the sample, which must be written first.
        TaxonomyError: the taxonomy has no map for the data set.
    """
    match config:
        case MoraiDataset():
            return MoraiReader(config, taxonomy)
        case CityscapesDataset():
            return CityscapesReader(config, taxonomy)
        case FolderDataset():
            return FolderReader(config, taxonomy)
        case SampleDataset():
            raise DatasetError("the embedded sample has no files of its own: write it, then read what was written")


def read_dataset(config: Dataset, taxonomy: Taxonomy) -> ReadResult:
    """Read a split of a data set, on all cores.

    Every image and label is decoded once, so that nothing broken reaches a training hours later.

    Raises:
        DatasetError: nothing can be read at all: a folder is missing, the split is empty.
        TaxonomyError: the taxonomy has no map for the data set.
    """
    config = absolute(config)
    reader = reader_of(config, taxonomy)
    encoding = taxonomy.encoding(reader.dataset)
    items, rejected = _unique(_subset(reader, config))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        read = pool.map(lambda item: _read(reader, encoding, item, config.split), items)
        outcomes = list(progress(read, len(items), f"reading {reader.dataset} {config.split}"))
    samples, found = [], Boxes()
    for outcome in outcomes:
        if isinstance(outcome, ItemError):
            rejected.append(Rejection(outcome.file, outcome.reason))
        else:
            samples.append(outcome[0])
            found.rejected += outcome[1].rejected
            found.hidden += outcome[1].hidden
    kept = sum(len(s.boxes) for s in samples)
    info = TableInfo(
        dataset=reader.dataset,
        classes=taxonomy.classes,
        detection=taxonomy.detection,
        encoding=encoding if any(s.mask for s in samples) else None,
        has_boxes=reader.has_boxes,
    )
    table = SampleTable.from_samples(samples, info, Path("/"))
    return ReadResult(table, rejected + found.rejected, len(items), kept + len(found.rejected), found.hidden)


def absolute(config: Dataset) -> Dataset:
    """The configuration with the absolute path of its root."""
    if isinstance(config, SampleDataset):
        return config
    return config.model_copy(update={"root": config.root.expanduser().absolute()})


def _subset(reader: Reader, config: Dataset) -> list[Item]:
    """The items that the configuration asks for, in order of their ids."""
    items = sorted(reader.find(), key=lambda item: (item.id, item.image))
    places = ", ".join(str(p) for p in reader.places)
    if not items:
        raise DatasetError(f"split {config.split!r} of {reader.dataset} is empty: nothing in {places}")
    if config.include is not None:
        kept = [i for i in items if fnmatch.fnmatchcase(i.id, config.include)]
        if not kept:
            example = items[0].id
            raise DatasetError(
                f"include {config.include!r} matches none of {len(items)} ids in {places}, such as {example}"
            )
        items = kept
    if config.images is not None and config.images < len(items):
        chosen = random.Random(config.seed).sample(range(len(items)), config.images)
        items = [items[i] for i in sorted(chosen)]
    return items


def _unique(items: list[Item]) -> tuple[list[Item], list[Rejection]]:
    seen: dict[str, Item] = {}
    rejected = []
    for item in items:
        if item.id in seen:
            rejected.append(Rejection(item.image, f"has the same id {item.id!r} as {seen[item.id].image}"))
        else:
            seen[item.id] = item
    return list(seen.values()), rejected


def _read(reader: Reader, encoding: MaskEncoding | None, item: Item, split: str) -> tuple[Sample, Boxes] | ItemError:
    try:
        if item.problem is not None:
            raise item.problem
        size, digest = _decode(item.image)
        mask = mask_digest = None
        if item.mask is not None and encoding is not None:
            mask, mask_digest = _mask(item.mask, encoding, size)
        boxes = reader.boxes(item, mask, size)
    except ItemError as error:
        return error
    sample = Sample(
        id=item.id,
        image=item.image,
        mask=item.mask if mask is not None else None,
        width=size[0],
        height=size[1],
        split=split,
        sha256=digest,
        mask_sha256=mask_digest,
        boxes=tuple(boxes.kept),
        extra=item.extra,
    )
    return sample, boxes


def _decode(path: Path) -> tuple[tuple[int, int], str]:
    """Decode an image in full, for its errors; returns (width, height) and the SHA-256 of its bytes."""
    try:
        content = path.read_bytes()
        if not content:
            raise ItemError(path, "is empty (0 bytes)")
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            return image.size, hashlib.sha256(content).hexdigest()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = "its format is not known" if isinstance(error, UnidentifiedImageError) else error
        raise ItemError(path, f"cannot be decoded ({reason})") from error


def _mask(path: Path, encoding: MaskEncoding, size: tuple[int, int]) -> tuple[NDArray[np.uint8], str]:
    """Read and check a label image; returns its class indices and the SHA-256 of its bytes."""
    try:
        mask, unknown = checked_mask(path, encoding)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (ImageError, OSError) as error:
        raise ItemError(path, str(error).removeprefix(f"{path}: ")) from error
    if mask.shape != size[::-1]:
        raise ItemError(path, f"is {mask.shape[1]}x{mask.shape[0]}, but its image {size[0]}x{size[1]}")
    if unknown:
        worst = sorted(unknown.items(), key=lambda pair: -pair[1])
        text = "; ".join(f"{value_text(v, encoding.kind)} ({n} pixels)" for v, n in worst[:5])
        more = f" and {len(worst) - 5} more" if len(worst) > 5 else ""
        what = "colours" if encoding.kind == "color" else "ids"
        raise ItemError(path, f"unknown {what}: {text}{more}")
    return mask, digest


def write_rejected(path: Path, rejected: Iterable[Rejection]) -> None:
    """Write what was left out as CSV with the columns file and reason."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "reason"])
        writer.writerows((r.file, r.reason) for r in rejected)


def check_share(result: ReadResult, max_rejected: float) -> None:
    """Stop where too much was left out.

    Raises:
        DatasetError: the rejected share of the images, or of the boxes, exceeds ``max_rejected``, or no image is left.
    """
    for kind, total in (("image", result.images), ("box", result.boxes)):
        bad = [r for r in result.rejected if r.kind == kind]
        if len(bad) > max_rejected * total or (kind == "image" and not len(result.table)):
            first = "\n".join(f"  {r.file}: {r.reason}" for r in bad[:5])
            more = f"\n  and {len(bad) - 5} more" if len(bad) > 5 else ""
            what = {"image": "images", "box": "boxes"}[kind]
            limit = f"more than max_rejected = {max_rejected:g} allows"
            raise DatasetError(f"{len(bad)} of {total} {what} were rejected, {limit}:\n{first}{more}")
