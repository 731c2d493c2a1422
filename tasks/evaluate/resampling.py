"""Which images a resample draws as one: whole drives, blocks of frames, or each image alone.

Frames of one drive are alike. Drawing them one by one would take them for as much evidence as images from all over,
and call differences sure that another drive would turn round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import ClusterKind, ClusterReason, Clusters, Needs
from tasks.evaluate.correlation import autocorrelation, block_length, independent, independent_drives, long_run, missed
from tasks.evaluate.correlation import window as lag_window
from tasks.evaluate.images import ImageFacts
from tasks.evaluate.statistics import image_weights

Floats = NDArray[np.float64]
Weights = NDArray[np.int32]
Drives = list[NDArray[np.intp]]
Cluster = Literal["auto", "sequence", "blocks", "image"]

# As many images, drives or blocks are needed for any verdict. Of images because even the exact sign test of fewer
# cannot go under 0.05; drives and blocks have Student's t for being few, which with fewer is too wide to say anything.
LEAST_IMAGES = 6
LEAST: dict[ClusterKind, int] = {"image": LEAST_IMAGES, "sequence": 4, "blocks": 5}
LEAST_INDEPENDENT = 15  # images that frames must be worth: with fewer, how alike they are cannot be measured


@dataclass(frozen=True)
class Support:
    """How much of the benchmark a score rests on.

    Attributes:
        images: of the benchmark. shown: how many have something to score.
        freedom: degrees of freedom of Student's t for the chance of drives or blocks; infinite for images.
        correction: what the resampled variance is to be multiplied with.
        lacking: what it would take at the least, where it is too little for any verdict.
    """

    images: int
    shown: int
    freedom: float = math.inf
    correction: float = 1.0
    lacking: Needs | None = None

    def scale(self, resamples: int, seed: int) -> Floats | None:
        """What deviations of resamples ``[R]`` are multiplied with to be Student's t; None: as they are.

        NaN with less than one degree of freedom, where no interval says anything.
        """
        if math.isinf(self.freedom):
            return None
        if self.freedom < 1:
            return np.full(resamples, math.nan)
        scale: Floats = np.sqrt(self.correction) * _student(self.freedom, resamples, seed)
        return scale


@lru_cache(maxsize=64)
def _student(freedom: float, resamples: int, seed: int) -> Floats:
    """What makes normal numbers ``[R]`` those of Student's t: the root of freedom by chi squared, in random order."""
    from scipy.stats import chi2  # takes half a second

    spread = chi2.ppf((np.arange(resamples) + 0.5) / resamples, freedom)
    ratio: Floats = np.sqrt(freedom / np.random.default_rng([seed, 2]).permutation(spread))
    return ratio


@dataclass(frozen=True, eq=False)
class Resampling:
    """Resamples of N images.

    Attributes:
        clusters: what was drawn as one.
        weights: ``int32 [R, N]``: how often each resample has each image.
        units: ``[N]``: the drive or block of each image, counted from 0. missed: see ``correlation.missed``.
    """

    clusters: Clusters
    weights: Weights
    units: NDArray[np.intp]
    missed: float = 1.0

    def support(self, shown: NDArray[np.bool_]) -> Support:
        """How much a score rests on, that the images marked in ``bool [N]`` have something for."""
        images, there, kind = len(shown), int(shown.sum()), self.clusters.kind
        least = Needs(kind="least", images=LEAST["image"], shown=images >= LEAST["image"])
        if kind == "image":
            return Support(images, there, lacking=least if there < LEAST["image"] else None)
        units = effective_number(np.bincount(self.units[shown]))
        lacking = None
        if not self.clusters.enough or units < LEAST[kind]:
            lacking = self._needs()
        elif there < LEAST["image"]:
            lacking = least
        correction = self.missed * units / (units - 1) if units > 1 else math.nan
        return Support(images, there, units - 1, correction, lacking)

    def within(self, part: NDArray[np.bool_]) -> Resampling:
        """The same resamples, of the images marked in ``bool [N]`` alone."""
        return replace(self, weights=self.weights[:, part], units=self.units[part])

    def _needs(self) -> Needs:
        """What a verdict takes at the least."""
        of = self.clusters
        if of.kind == "sequence":
            return Needs(kind="least", drives=LEAST["sequence"], shown=of.enough)
        images = len(self.units)
        if of.enough:
            return Needs(kind="least", images=LEAST["blocks"] * (of.block or 1), shown=True)
        times = max(LEAST["blocks"] / of.units, LEAST_INDEPENDENT / of.effective)
        return Needs(kind="least", images=max(math.ceil(times * images), images + 1))


def resampled(
    cluster: Cluster, facts: ImageFacts | None, images: int, scores: Sequence[Floats], resamples: int, seed: int
) -> Resampling:
    """Decide what is drawn as one, and draw it.

    Args:
        cluster: what the configuration asks for. ``auto``: whole drives where there are at least four that count
            alike, blocks of frames where there are fewer, and images alone where each is a drive of its own, or drives
            are not known.
        facts: what is known of the images. images: N.
        scores: groups ``[M, N]`` of per-image scores, such as the arms' and their differences'. What leaves the fewest
            independent images counts.
        resamples: R. seed: of the random numbers.
    """
    drives = _drives(facts, images)
    units = effective_number(np.array([len(d) for d in drives]))
    kind, reason = _kind(cluster, facts, drives, units)
    if kind == "image":
        of = Clusters(kind=kind, reason=reason, units=images, effective=images, enough=images >= LEAST["image"])
        found = Resampling(of, image_weights(images, resamples, seed), np.arange(images))
    elif kind == "sequence":
        worth = min((independent_drives(s, drives) for s in scores if len(drives) > 1), default=1)
        enough = units >= LEAST["sequence"]
        of = Clusters(kind=kind, reason=reason, units=round(units, 2), effective=worth, enough=enough)
        found = Resampling(of, drive_weights(drives, resamples, seed), _labels(drives))
    else:
        found = _in_blocks(reason, drives or [np.arange(0)], images, scores, resamples, seed)
    said = {
        "benchmark": facts.benchmark if facts else None,
        "sequences": len(drives) if facts and facts.has_drives else None,
    }
    return replace(found, clusters=found.clusters.model_copy(update=said))


def _kind(
    cluster: Cluster, facts: ImageFacts | None, drives: Drives, units: float
) -> tuple[ClusterKind, ClusterReason]:
    known = facts is not None and facts.has_drives
    if cluster != "auto" and (known or cluster != "sequence"):
        return cluster, "asked"
    if not known:
        return "image", "older" if facts is None else "no_drives"
    if len(drives) == sum(map(len, drives)):
        return "image", "single_frames"
    return ("sequence", "many_drives") if units >= LEAST["sequence"] else ("blocks", "few_drives")


def _in_blocks(
    reason: ClusterReason, drives: Drives, images: int, scores: Sequence[Floats], resamples: int, seed: int
) -> Resampling:
    found = [autocorrelation(s, drives) for s in scores]
    alike = max(found, key=lambda c: long_run(c, lag_window(c, images)))
    length, worth = block_length(alike, images), independent(alike, images)
    labels = _labels([part for drive in drives for part in np.split(drive, np.arange(length, len(drive), length))])
    units = effective_number(np.bincount(labels))
    enough = units >= LEAST["blocks"] and worth >= LEAST_INDEPENDENT
    of = Clusters(
        kind="blocks",
        reason=reason,
        block=length,
        units=round(units, 2),
        effective=worth,
        enough=enough,
        beyond=False,
    )
    weights = block_weights(drives, length, resamples, seed)
    return Resampling(of, weights, labels, missed(alike, images, length))


def _drives(facts: ImageFacts | None, images: int) -> Drives:
    """The images of each drive by time; an image of no drive is one of its own, and without facts all are one."""
    if facts is None:
        return [np.arange(images)] if images else []
    order = sorted(range(images), key=lambda i: facts.places[i])
    if not facts.has_drives:
        return [np.array(order)] if images else []
    keys = groupby(order, key=lambda i: (facts.sequences[i], i if facts.sequences[i] is None else -1))
    return [np.array(list(group)) for _, group in keys]


def _labels(groups: Drives) -> NDArray[np.intp]:
    labels = np.zeros(sum(map(len, groups)), np.intp)
    for number, group in enumerate(groups):
        labels[group] = number
    return labels


def effective_number(sizes: NDArray[np.intp]) -> float:
    """How many groups of one size these count for: the sum of sizes squared, by the sum of squares (Kish, 1965)."""
    return float(sizes.sum() ** 2 / (sizes.astype(float) ** 2).sum()) if sizes.any() else 0.0


def drive_weights(drives: Drives, resamples: int, seed: int) -> Weights:
    """How often each resample, of as many drives as there are, has each image: ``int32 [R, N]``."""
    return image_weights(len(drives), resamples, seed)[:, _labels(drives)]


def block_weights(drives: Drives, length: int, resamples: int, seed: int) -> Weights:
    """How often each resample of N images, drawn in blocks of consecutive frames, has each: ``int32 [R, N]``.

    Moving blocks (Kuensch 1989) that go on at a drive's beginning where they reach its end (Politis and Romano, A
    Circular Block-Resampling Procedure, 1992), so that every frame is drawn as often. A block of a drive that is
    shorter is the whole drive; the last one is cut, so that there are N.
    """
    images = sum(map(len, drives))
    follow, span = np.zeros((images, length), np.intp), np.zeros(images, np.intp)
    for drive in drives:
        steps = (np.arange(len(drive))[:, None] + np.arange(length)) % len(drive)
        follow[drive], span[drive] = drive[steps], min(length, len(drive))
    chance = np.cumsum(1 / np.maximum(span, 1))  # a frame of a short drive is in fewer blocks the more it has
    rng = np.random.default_rng(seed)
    weights = np.zeros((resamples, images), np.int32)
    for row in weights if images else ():
        drawn = np.zeros(0, np.intp)
        while drawn.size < images:
            starts = np.searchsorted(chance, rng.uniform(0, chance[-1], math.ceil(images / length)), "right")
            inside = np.arange(length) < span[starts][:, None]
            drawn = np.concatenate([drawn, follow[starts][inside]])
        row[:] = np.bincount(drawn[:images], minlength=images)
    return weights
