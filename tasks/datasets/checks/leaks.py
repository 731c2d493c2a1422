"""Checks of a training set against the benchmark: what is in both, as a file, as a picture, or as a drive."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.contracts import Check, Finding
from tasks.datasets.checks.images import part
from tasks.datasets.checks.model import MAX_EXAMPLES, MAX_LISTED, CheckedSet, looked, role_told, side_by_side
from tasks.datasets.config import ChecksConfig
from tasks.datasets.phash import distances

_BLOCK = 32, 16384  # rows of the one and of the other set that are compared at once: 4 MB, which caches hold


def leak_checks(
    roles: tuple[str, str], training: CheckedSet, benchmark: CheckedSet, config: ChecksConfig
) -> list[Check]:
    """Whether images of the benchmark are trained on, as the same files or nearly so.

    Not so images without content, such as black ones, which many a camera makes: ``blank`` tells of them.
    """
    positions = pc.index_in(benchmark.table.rows["sha256"], value_set=training.table.rows["sha256"].combine_chunks())
    same = positions.is_valid().to_numpy() & ~benchmark.is_flat()
    pairs = np.stack([np.flatnonzero(same), positions.filter(pa.array(same)).to_numpy()]).astype(np.int64)
    total, listed = len(benchmark.table), _pairs(roles, benchmark, training, pairs)
    code = f"checks.leak_{'failed' if pairs.size else 'passed'}"
    leak = Check(
        name="leak",
        roles=roles,
        severity="error",
        passed=not pairs.size,
        measured=pairs.shape[1] / total,
        threshold=0,
        finding=Finding.of(code, training=role_told(roles[0]), **part(pairs.shape[1], total)),
        examples=side_by_side(benchmark, training, pairs, listed[:MAX_EXAMPLES]),
        listed=listed,
    )
    near = _near_leak(roles, training, benchmark, ~same & benchmark.is_comparable(), config)
    alike = benchmark.is_comparable().sum() and training.is_comparable().sum()
    return [looked(leak, int((~benchmark.is_flat()).sum()), "pictures"), looked(near, int(alike), "pictures")]


def _near_leak(
    roles: tuple[str, str], training: CheckedSet, benchmark: CheckedSet, wanted: NDArray[np.bool_], config: ChecksConfig
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
    differing = zip(_pairs(roles, benchmark, training, pairs), bits[order].tolist(), strict=False)
    listed = tuple(Finding.of("checks.near_pair", pair=pair, bits=n) for pair, n in differing)
    share, most = len(order) / len(benchmark.table), config.near_leak
    code = f"checks.near_leak_{'failed' if share > most else 'tolerated' if len(order) else 'passed'}"
    return Check(
        name="near_leak",
        roles=roles,
        severity="warning",
        passed=share <= most,
        measured=share,
        threshold=most,
        finding=Finding.of(code, training=role_told(roles[0]), most=most, **part(len(order), len(benchmark.table))),
        examples=side_by_side(benchmark, training, pairs, listed[:MAX_EXAMPLES]),
        listed=listed,
    )


def sequence_checks(roles: tuple[str, str], training: CheckedSet, benchmark: CheckedSet) -> list[Check]:
    """Whether drives of the benchmark are trained on; of one data set only, for names mean nothing across two.

    Frames of one drive need not look alike to a perceptual hash, and a model still knows the place, the light and the
    parked cars.
    """
    if training.table.info.dataset != benchmark.table.info.dataset:
        return []
    total = len(benchmark.table)
    drives, theirs = benchmark.table.rows["sequence"], training.table.rows["sequence"]
    shared = pc.is_in(drives, value_set=theirs.drop_null().combine_chunks())
    counts = Counter(drives.filter(shared).to_pylist())
    unknown = drives.null_count + theirs.null_count
    code, known = f"checks.sequence_{'failed' if counts else 'passed'}", unknown == 0
    names = tuple(map(str, counts))
    values = {"training": role_told(roles[0]), "drives": names, **part(counts.total(), total)}
    both = total + len(training.table)
    sequence = Check(
        name="sequence",
        roles=roles,
        severity="warning",
        passed=not counts,
        measured=counts.total() / total,
        threshold=0,
        finding=Finding.of(code, **values),
        listed=tuple(Finding.of("checks.drive_item", drive=d, n=n) for d, n in counts.most_common(MAX_LISTED)),
    )
    told = min(total - drives.null_count, len(training.table) - theirs.null_count)
    return [
        looked(sequence, told, "drives"),
        Check(
            name="sequence_known",
            roles=roles,
            severity="warning",
            passed=known,
            measured=unknown / both,
            threshold=0,
            finding=Finding.of(f"checks.sequence_known_{'passed' if known else 'failed'}", **part(unknown, both)),
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


def _pairs(
    roles: tuple[str, str], benchmark: CheckedSet, training: CheckedSet, pairs: NDArray[np.int64]
) -> tuple[Finding, ...]:
    some, training_told = pairs[:, :MAX_LISTED], role_told(roles[0])
    ids = zip(benchmark.ids(some[0]), training.ids(some[1]), strict=True)
    of = {"benchmark": role_told("benchmark"), "training": training_told}
    return tuple(Finding.of("checks.leaked_pair", one=x, other=y, **of) for x, y in ids)
