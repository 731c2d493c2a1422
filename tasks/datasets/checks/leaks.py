"""Checks of a training set against the benchmark: what is in both, as a file, as a picture, or as a drive."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.datasets.checks.model import (
    MAX_EXAMPLES,
    MAX_LISTED,
    Check,
    CheckedSet,
    names_text,
    part_text,
    share_text,
    side_by_side,
)
from tasks.datasets.config import ChecksConfig
from tasks.datasets.phash import distances

_BLOCK = 32, 16384  # rows of the one and of the other set that are compared at once: 4 MB, which caches hold


def leak_checks(role: str, training: CheckedSet, benchmark: CheckedSet, config: ChecksConfig) -> list[Check]:
    """Whether images of the benchmark are trained on, as the same files or nearly so.

    Not so images without content, such as black ones, which many a camera makes: ``blank`` tells of them.
    """
    positions = pc.index_in(benchmark.table.rows["sha256"], value_set=training.table.rows["sha256"].combine_chunks())
    same = positions.is_valid().to_numpy() & ~benchmark.is_flat()
    pairs = np.stack([np.flatnonzero(same), positions.filter(pa.array(same)).to_numpy()]).astype(np.int64)
    total, name = len(benchmark.table), role.split(" / ")[0]
    texts = _pairs_text(name, benchmark, training, pairs)
    message = f"No image of the benchmark is in the {name}."
    if pairs.size:
        count = part_text(pairs.shape[1], total, "images")
        message = f"{count} of the benchmark are in the {name} too, byte by byte: remove them there."
    leak = Check(
        name="leak",
        role=role,
        severity="error",
        passed=not pairs.size,
        measured=pairs.shape[1] / total,
        threshold=0,
        message=message,
        examples=side_by_side(benchmark, training, pairs, texts[:MAX_EXAMPLES]),
        listed=texts,
    )
    return [leak, _near_leak(role, training, benchmark, ~same & benchmark.is_comparable(), config)]


def _near_leak(
    role: str, training: CheckedSet, benchmark: CheckedSet, wanted: NDArray[np.bool_], config: ChecksConfig
) -> Check:
    """Near-duplicates of the benchmark's images; the same files, and what shows nothing, are not ``wanted``.

    Measured on CamVid: recompressed (JPEG 20 to 90), rescaled (a quarter to double) and brightened copies differ in at
    most 4 bits, frames 1/15 s apart in 0 to 8, frames 1 s apart in 4 or less for 1 in 20. Of 907,000 pairs of other
    drives and of rendered scenes, none differ in 4 or less, 1 in 6, 9 in 8 or less: against a large training set, a
    higher limit finds chance. Drives in both sets are for ``sequence_checks``.
    """
    rows = np.flatnonzero(wanted)
    bits, nearest = closest(benchmark.hashes()[rows], training.hashes())
    order = np.argsort(bits, kind="stable")
    order = order[bits[order] <= config.near_duplicate_bits]
    pairs = np.stack([rows[order], nearest[order]])
    total, name = len(benchmark.table), role.split(" / ")[0]
    texts = tuple(
        f"{text} ({n} of 64 bits differ)"
        for text, n in zip(_pairs_text(name, benchmark, training, pairs), bits[order].tolist(), strict=False)
    )
    share = len(order) / total
    message = f"No image of the benchmark looks like one of the {name}."
    if len(order):
        count = part_text(len(order), total, "images")
        message = f"{count} of the benchmark look almost like one of the {name}: " + (
            "look at the pairs, and remove what is the same scene from training."
            if share > config.near_leak
            else f"up to {share_text(config.near_leak)} are tolerated."
        )
    return Check(
        name="near_leak",
        role=role,
        severity="warning",
        passed=share <= config.near_leak,
        measured=share,
        threshold=config.near_leak,
        message=message,
        examples=side_by_side(benchmark, training, pairs, texts[:MAX_EXAMPLES]),
        listed=texts,
    )


def sequence_checks(role: str, training: CheckedSet, benchmark: CheckedSet) -> list[Check]:
    """Whether drives of the benchmark are trained on; of one data set only, for names mean nothing across two.

    Frames of one drive need not look alike to a perceptual hash, and a model still knows the place, the light and the
    parked cars.
    """
    if training.table.info.dataset != benchmark.table.info.dataset:
        return []
    total, name = len(benchmark.table), role.split(" / ")[0]
    drives, theirs = benchmark.table.rows["sequence"], training.table.rows["sequence"]
    shared = pc.is_in(drives, value_set=theirs.drop_null().combine_chunks())
    counts = Counter(drives.filter(shared).to_pylist())
    unknown = drives.null_count + theirs.null_count
    message = f"No drive of the benchmark is in the {name}."
    if counts:
        count = part_text(counts.total(), total, "images")
        message = (
            f"{count} of the benchmark are of drives that the {name} has too ({names_text(map(str, counts))}), "
            "which flatters what is trained on it: score other drives, or leave these out of training."
        )
    listed = tuple(f"{drive}, images of the benchmark: {n:,}" for drive, n in counts.most_common(MAX_LISTED))
    known = "Of every image it is known which drive it is of."
    if unknown:
        count = part_text(unknown, total + len(training.table), "images")
        known = f"{count} name no drive, so a drive may be in both: give the sets' sequence, or compare by eye."
    return [
        Check(
            name="sequence",
            role=role,
            severity="warning",
            passed=not counts,
            measured=counts.total() / total,
            threshold=0,
            message=message,
            listed=listed,
        ),
        Check(
            name="sequence_known",
            role=role,
            severity="warning",
            passed=not unknown,
            measured=unknown / (total + len(training.table)),
            threshold=0,
            message=known,
        ),
    ]


def closest(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """For each hash of ``a``, in how many bits the nearest of ``b`` differs, and which one that is.

    All pairs are compared, block by block: it takes no more time where thousands of images are alike, as in a drive,
    which fills the buckets of every index. Without any ``b``, 255 bits differ.
    """
    bits, nearest = np.full(len(a), 255, np.uint8), np.zeros(len(a), np.int64)
    for start in range(0, len(b), _BLOCK[1]):
        block = b[start : start + _BLOCK[1]]
        for row in range(0, len(a), _BLOCK[0]):
            rows = slice(row, row + _BLOCK[0])
            differing = distances(a[rows, None], block[None])
            least = differing.min(axis=1)
            better = np.flatnonzero(least < bits[rows])
            bits[rows][better] = least[better]
            nearest[rows][better] = start + differing[better].argmin(axis=1)
    return bits, nearest


def _pairs_text(name: str, benchmark: CheckedSet, training: CheckedSet, pairs: NDArray[np.int64]) -> tuple[str, ...]:
    some = pairs[:, :MAX_LISTED]
    ids = zip(benchmark.ids(some[0]), training.ids(some[1]), strict=True)
    return tuple(f"benchmark {x} | {name} {y}" for x, y in ids)
