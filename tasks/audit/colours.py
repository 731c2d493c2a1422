"""In which images translation took a class's colour away from the real set's."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from tasks.audit.gap import class_colours, paired
from tasks.compute import threads, with_progress
from tasks.datasets import Sample, SampleTable, cielab, mask_of, read_image, subset


def worst_colours(
    source: SampleTable,
    real: SampleTable,
    translated: SampleTable,
    classes: Sequence[str],
    seed: int,
    images: int | None = None,
) -> dict[str, tuple[str, ...]]:
    """The translated images in which classes went farthest from the real colour, by class, the worst first.

    That is by how much the distance to the real set's mean CIELAB statistics grew over that of the image's source.

    Args:
        source, real, translated: the sets, with masks.
        classes: those that are asked for.
        seed: of the draws.
        images: look at so many of each set; at all if None.

    Returns:
        Class -> ids of the images where it grew at all.
    """
    source, translated = paired(source, translated, images, seed)
    real = real if images is None else subset(real, images, seed)
    target = np.ma.masked_invalid(_colours(real)).mean(axis=0).filled(np.nan)
    before, after = (np.linalg.norm(_colours(t) - target, axis=2) for t in (source, translated))
    grown = np.nan_to_num(after - before)
    ids, names = translated.rows["id"].to_pylist(), [c.name for c in source.info.classes]
    columns = {name: grown[:, names.index(name)] for name in classes}
    return {n: tuple(ids[i] for i in np.argsort(-v, kind="stable").tolist() if v[i] > 0) for n, v in columns.items()}


def _colours(table: SampleTable) -> NDArray[np.float64]:
    """CIELAB statistics of every image's classes, ``[N, C, 6]``; NaN where it hardly shows one."""
    names = len(table.info.classes)

    def one(sample: Sample) -> NDArray[np.float64]:
        if sample.mask is None:
            return np.full((names, 6), np.nan)
        return class_colours(cielab(read_image(sample.image)), mask_of(sample, table.info), names)[1]

    with ThreadPoolExecutor(threads()) as pool:
        return np.stack(list(with_progress(pool.map(one, table), len(table), f"class colours of {table.info.dataset}")))
