"""Which images of a set a training has: those with the task's labels, or so many of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from tasks.contracts import Labels
from tasks.datasets import SampleTable
from tasks.retrain.suitable import TrainingError


def drawn_table(folder: Path, labels: Labels, images: int | None = None, seed: int = 0) -> SampleTable:
    """The images of a set that a training has.

    Args:
        folder: of the sample table.
        labels: that they must have.
        images: how many of them are drawn; None: all.
        seed: of the draw: see ``nested``.

    Raises:
        TrainingError: the set has not so many.
    """
    table = SampleTable.read(folder).labelled(labels)
    if images is None:
        return table
    if images > len(table):
        name = table.info.dataset
        raise TrainingError(f"{images} images of {name!r} are asked for, which has {len(table)} with {labels}")
    return nested(table, images, seed)


def nested(table: SampleTable, images: int, seed: int) -> SampleTable:
    """Draw images so that a smaller draw of the same seed is part of a larger one, in the table's order.

    Proportionally stratified over sequences: each sequence's images are shuffled and spread evenly over the interval
    from 0 to 1, from a random beginning (systematic sampling, Madow 1949), and the first ``images`` of all are taken.
    So any draw has of each sequence its share to within one image or so. An image without a sequence stands for itself.

    Args:
        table: what is drawn from.
        images: how many, at most as many as there are.
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    groups = np.asarray(pc.coalesce(table.rows["sequence"], table.rows["id"]).to_pylist(), dtype=str)
    place = np.empty(len(groups))
    _, group_of = np.unique(groups, return_inverse=True)
    order = np.argsort(group_of, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(group_of[order])) + 1):
        place[rng.permutation(rows)] = (np.arange(len(rows)) + rng.random()) / len(rows)
    return table.take(np.sort(np.argsort(place, kind="stable")[:images]))
