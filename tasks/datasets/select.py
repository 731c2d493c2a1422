"""Which images of a data set take part: a share of it, those of a pattern, a subset."""

from __future__ import annotations

import fnmatch
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.contracts import Finding
from tasks.datasets.config import Stored
from tasks.datasets.errors import DatasetError
from tasks.datasets.items import Item
from tasks.datasets.table import SampleTable

Key = TypeVar("Key", bound=str)


def wanted(items: Sequence[Item], config: Stored, place: str) -> list[Item]:
    """The items that a configuration asks for, in order of their ids.

    A stratified subset is not drawn here: it needs the labels. A stray file belongs to every share; it matches a
    pattern by its own name, and is drawn into a subset as any image is.

    Raises:
        DatasetError: nothing is left, or the set cannot be divided as asked.
    """
    items = sorted(items, key=lambda item: (item.id, item.image))
    if not items:
        raise DatasetError(Finding.of("data.empty_split", split=config.split, format=config.format, place=place))
    shares = getattr(config, "shares", None)
    if shares is not None:
        groups = {item.id: item.sequence or item.id for item in items if not item.stray}
        split_of = divide(list(groups.values()), shares, config.seed)
        items = [item for item in items if item.stray or split_of[groups[item.id]] == config.split]
    if config.include is not None:
        example, count = items[0].id, len(items)
        items = [i for i in items if fnmatch.fnmatchcase(i.image.stem if i.stray else i.id, config.include)]
        if not items:
            raise DatasetError(
                Finding.of("data.nothing_included", include=config.include, n=count, place=place, example=example)
            )
    if config.images is not None and config.draw == "random" and config.images < len(items):
        chosen = random.Random(config.seed).sample(range(len(items)), config.images)
        items = [items[i] for i in sorted(chosen)]
    return items


def divide(groups: Sequence[str], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Give every group, such as a sequence, to a split, so that the splits come near their shares of the images.

    Args:
        groups: each image's group.
        shares: split -> its share, together 1.
        seed: of the order in which groups are given out.

    Returns:
        Group -> split.

    Raises:
        DatasetError: there are fewer groups than splits.
    """
    counts = Counter(groups)
    if len(counts) < len(shares):
        raise DatasetError(
            Finding.of("data.few_sequences", sequences=len(counts), splits=len(shares), names=tuple(shares))
        )
    names = sorted(counts)
    missing = {split: share * len(groups) for split, share in shares.items()}
    empty = list(shares)
    split_of = {}
    for left, n in zip(range(len(names), 0, -1), np.random.default_rng(seed).permutation(len(names)), strict=True):
        # As many groups as empty splits are left: each of them must get one.
        split = max(empty if left <= len(empty) else missing, key=missing.__getitem__)
        missing[split] -= counts[names[n]]
        if split in empty:
            empty.remove(split)
        split_of[names[n]] = split
    return split_of


def filtered(table: SampleTable, split: str | None = None, include: str | None = None) -> SampleTable:
    """The rows of a split, and whose ids match a glob."""
    keep: Any = pa.scalar(True)
    if split is not None:
        keep = pc.and_(keep, pc.equal(table.rows["split"], split))
    if include is not None:
        # Python's own expressions: Arrow's RE2 knows neither the atomic groups nor the \Z that globs become.
        matches = re.compile(fnmatch.translate(include)).match
        keep = pc.and_(keep, pa.array([matches(i) is not None for i in table.rows["id"].to_pylist()], pa.bool_()))
    rows = table.rows if isinstance(keep, pa.Scalar) else table.rows.filter(keep)
    return table.having(rows)


def divided(table: SampleTable, shares: Mapping[str, float], seed: int = 0) -> dict[str, SampleTable]:
    """Divide a table into splits of these shares, whole sequences at a time; an image without one stands for itself.

    Raises:
        DatasetError: there are fewer sequences than splits.
    """
    groups = pc.coalesce(table.rows["sequence"], table.rows["id"]).to_pylist()
    split_of = divide(groups, shares, seed)
    split = pa.array([split_of[group] for group in groups], pa.string())
    rows = table.rows.set_column(table.rows.schema.get_field_index("split"), "split", split)
    whole = table.having(rows)
    return {name: filtered(whole, split=name) for name in shares}


def subset(table: SampleTable, images: int, seed: int = 0, draw: str = "random") -> SampleTable:
    """Draw so many rows, in the table's order; all of them where it has no more.

    Args:
        table: the table.
        images: how many.
        seed: of the draw.
        draw: ``random``, or ``stratified``: so that each class is shown by about equally many of the images (see
            ``stratified``).
    """
    if images >= len(table):
        return table
    if draw == "stratified":
        return table.take(stratified(presence(table, crowds=False), images, seed))
    return table.take(np.sort(np.random.default_rng(seed).permutation(len(table))[:images]))


def presence(table: SampleTable, crowds: bool = True) -> NDArray[np.bool_]:
    """Which classes each image shows: ``bool [N, segmentation classes + detection classes]``.

    Args:
        table: the table.
        crowds: whether a crowd box shows its class; one that only marks a region to be ignored does not.
    """
    classes, categories = len(table.info.classes), len(table.info.detection)
    shown = np.zeros((len(table), classes + categories), bool)
    pixels = table.rows["class_pixels"].combine_chunks()
    rows = pc.list_parent_indices(pixels).to_numpy()
    if len(rows):
        there = np.flatnonzero(~pixels.is_null().to_numpy(zero_copy_only=False))
        shown[there, :classes] = pc.list_flatten(pixels).to_numpy().reshape(-1, classes) > 0
    boxes = table.rows["boxes"].combine_chunks()
    flat, rows = pc.list_flatten(boxes), pc.list_parent_indices(boxes).to_numpy()
    categories_of = pc.struct_field(flat, "category").to_numpy(zero_copy_only=False)
    counted = crowds | ~pc.struct_field(flat, "crowd").to_numpy(zero_copy_only=False)
    shown[rows[counted], classes + categories_of[counted]] = True
    return shown


def stratified(shown: NDArray[np.bool_], images: int, seed: int) -> NDArray[np.int64]:
    """Choose images by the classes they show, rare classes first.

    Iterative stratification after Sechidis et al. (ECML PKDD 2011), for one subset: the class that fewest chosen images
    show, among those that can still be shown, chooses the next image at random among its own.

    Args:
        shown: which classes each image shows, ``bool [N, C]``.
        images: how many to choose.
        seed: of the draw.

    Returns:
        Sorted positions ``int64 [images]``.
    """
    rng = np.random.default_rng(seed)
    shown = shown[:, shown.any(axis=0)]
    queues = [list(rng.permutation(np.flatnonzero(column))) for column in shown.T]
    rest = list(rng.permutation(len(shown)))
    have = np.zeros(shown.shape[1], np.int64)
    taken = np.zeros(len(shown), bool)
    chosen: list[int] = []
    while len(chosen) < min(images, len(shown)):
        open_classes = [c for c, queue in enumerate(queues) if queue]
        queue = queues[min(open_classes, key=lambda c: (have[c], len(queues[c])))] if open_classes else rest
        index = int(queue.pop())
        if taken[index]:
            continue
        taken[index] = True
        have += shown[index]
        chosen.append(index)
    return np.sort(np.asarray(chosen, np.int64))
