"""How sure scores are: bootstrap over images, the chance of training over seeds, and tests.

Images are resampled as whole, with the same draws for every model (Efron and Tibshirani, An Introduction to the
Bootstrap, 1993): an interval of a difference is then of a paired comparison.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tasks.evaluate.evidence import ClassDetections, DetectionEvidence

Floats = NDArray[np.float64]

RECALLS = np.linspace(0, 1, 101)  # COCO's
CELLS = 1 << 23  # detections or images x resamples worked on at a time, which bounds memory
EXACT = 16  # seeds up to which the sign-flip test looks at all assignments


def image_weights(images: int, resamples: int, seed: int) -> NDArray[np.int32]:
    """How often each resample, of as many images as there are, draws each image: ``int32 [resamples, images]``.

    The same arguments give the same weights; more resamples begin with the same rows.
    """
    rng = np.random.default_rng(seed)
    weights = np.zeros((resamples, images), np.int32)
    if images:
        for row in weights:
            row[:] = np.bincount(rng.integers(0, images, images), minlength=images)
    return weights


def iou(counts: NDArray[np.int64], weights: NDArray[np.int32] | None = None) -> Floats:
    """Intersection over union of each class, 0 to 1; NaN where the truth does not show the class.

    Args:
        counts: ``[N, C, 3]``, as of ``SegmentationEvidence``.
        weights: ``[R, N]``, as of ``image_weights``.

    Returns:
        ``[C]``, or ``[R, C]`` with weights: one row a resample.
    """
    images, classes = counts.shape[:2]
    flat = counts.reshape(images, classes * 3).astype(float)
    if weights is None:
        total = flat.sum(0)
    else:
        total = np.concatenate([w @ flat for w in np.array_split(weights, weights.size // CELLS + 1)])
    correct, truth, predicted = np.moveaxis(total.reshape(*total.shape[:-1], classes, 3), -1, 0)
    result = np.full(truth.shape, np.nan)
    np.divide(correct, truth + predicted - correct, out=result, where=truth > 0)
    return result


def mean_over(values: Floats, counted: NDArray[np.bool_]) -> Floats:
    """The mean over the last axis of the counted entries that are not NaN; NaN where there is none."""
    chosen = values[..., counted]
    known = ~np.isnan(chosen)
    number = known.sum(-1)
    total = np.where(known, chosen, 0).sum(-1)
    result = np.full(number.shape, np.nan)
    np.divide(total, number, out=result, where=number > 0)
    return result


def average_precision(evidence: DetectionEvidence, weights: NDArray[np.int32] | None = None) -> Floats:
    """COCO's average precision (Lin et al., 2014), interpolated at 101 recalls, 0 to 1, from matched detections.

    An image of weight w counts as w copies of it under ids of their own. Without weights, it is pycocotools' AP, which
    takes no weights and would match the boxes of every resample anew.

    Args:
        evidence: of one model.
        weights: ``[R, N]``, as of ``image_weights``.

    Returns:
        ``[T, K]`` (IoU threshold, class), or ``[R, T, K]`` with weights; NaN where there is no true box of the class.
    """
    drawn = np.ones((1, len(evidence.ids)), np.int32) if weights is None else np.asarray(weights, np.int32)
    thresholds = len(evidence.detections[0].matched) if evidence.detections else 0
    result = np.full((len(drawn), thresholds, len(evidence.names)), np.nan)
    for k, found in enumerate(evidence.detections):
        boxes = drawn @ evidence.boxes[:, k]
        rows = max(CELLS // max(found.image.size, 1), 1)
        for start in range(0, len(drawn), rows):
            block = np.flatnonzero(boxes[start : start + rows]) + start
            if block.size:
                result[block, :, k] = _block(found, np.ascontiguousarray(drawn[block].T), boxes[block])
    return result[0] if weights is None else result


def _block(found: ClassDetections, weights: NDArray[np.int32], boxes: NDArray[np.int64]) -> Floats:
    """AP ``[R, T]`` of a class, for weights ``[N, R]`` and numbers of true boxes ``[R]``, all above 0."""
    needed = _needed(boxes)
    seen = np.cumsum(weights[found.image], axis=0, dtype=np.int32)
    result = np.zeros((len(boxes), len(found.matched)))
    for t, (matched, ignored) in enumerate(zip(found.matched, found.ignored, strict=True)):
        # Precision has its peaks where a true positive is, so that nothing else matters for its envelope.
        at = np.flatnonzero(matched & ~ignored)
        if not at.size:
            continue
        true = np.cumsum(weights[found.image[at]], axis=0, dtype=np.int32)
        all_ = seen[at]
        if (neither := np.flatnonzero(ignored)).size:
            before = np.searchsorted(neither, at)
            skipped = np.cumsum(weights[found.image[neither]], axis=0, dtype=np.int32)
            all_ -= np.concatenate([np.zeros_like(skipped[:1]), skipped])[before]
        result[:, t] = _interpolated(true, all_, needed)
    return result


def _needed(boxes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The true positives ``[R, 101]`` that reach each recall by floating-point division, as pycocotools compares."""
    needed = np.ceil(RECALLS * boxes[:, None]).astype(np.int64)
    needed -= (needed - 1) / boxes[:, None] >= RECALLS
    needed += needed / boxes[:, None] < RECALLS
    return np.maximum(needed, 0)


def _interpolated(true: NDArray[np.int32], all_: NDArray[np.int32], needed: NDArray[np.int64]) -> Floats:
    """Mean precision ``[R]`` over recalls, from counts ``[P, R]`` up to each true positive."""
    points, resamples = true.shape
    precision = true / np.maximum(all_, 1)
    envelope = np.zeros((resamples, points + 1))  # the last stays 0: a recall that is not reached
    envelope[:, :points] = np.maximum.accumulate(precision[::-1], axis=0)[::-1].T
    row = np.arange(resamples)[:, None]
    step = max(int(needed.max()), int(true[-1].max())) + 1  # makes one ascending sequence of all rows
    ascending = (np.ascontiguousarray(true.T) + row * step).ravel()
    first = np.searchsorted(ascending, needed + row * step) - row * points
    mean: Floats = np.take_along_axis(envelope, first, axis=1).mean(1)
    return mean


def interval(samples: Floats, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of resampled values ``[R]``; entries of NaN do not count. NaN where none is left."""
    known = samples[~np.isnan(samples)]
    if not known.size:
        return math.nan, math.nan
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def p_value(samples: Floats) -> float:
    """Two-sided bootstrap p-value, above 0 and at most 1, of no difference, for resampled differences ``[R]``.

    One is added to either count, so that p is never below what the number of resamples can show (Davison and Hinkley,
    Bootstrap Methods and their Application, 1997). NaN where no difference is known.
    """
    known = samples[~np.isnan(samples)]
    if not known.size:
        return math.nan
    fewer = min(np.count_nonzero(known <= 0), np.count_nonzero(known >= 0))
    return min(2 * (fewer + 1) / (known.size + 1), 1.0)


def with_seeds(resampled: Floats, values: Floats, rng: np.random.Generator, scale: Floats | None = None) -> Floats:
    """The distribution ``[R]`` of the mean over seeds, for the chance of images and of training together.

    The chance of training is a Student t of S - 1 degrees of freedom, scaled by the standard error over seeds:
    resampling a few seeds would give far too narrow an interval. The spread over seeds also holds what images do to
    each seed apart, and so does the resampling: that share is taken out of the resampling, where it is well known,
    not to count twice. With one seed, the chance of images alone. Intervals of 95 % held the truth in 94 to
    98 of 100 simulated cases with 3 or 5 seeds, in up to 99 with 2.

    Args:
        resampled: ``[S, R]``, one row a seed, all by the same image weights.
        values: ``[S]``, the scores on all images.
        rng: for the Student t.
        scale: ``[R]``, what the chance of images is multiplied with where few drives or blocks were drawn.
    """
    seeds, resamples = resampled.shape
    mean: Floats = resampled.mean(0)
    known = ~np.isnan(mean)
    if np.count_nonzero(known) < 2:
        return mean
    factor: Floats | float = 1.0 if scale is None else scale
    centre = mean[known].mean()
    if seeds < 2:
        return mean if scale is None else centre + (mean - centre) * factor
    spread = mean[known].var(ddof=1)
    apart = resampled[:, known] - resampled[:, known].mean(1, keepdims=True)
    twice = apart.var(axis=0, ddof=1).mean() / seeds
    shared = math.sqrt(max(1 - twice / spread, 0)) if spread > 0 else 1
    error = math.sqrt(values.var(ddof=1) / seeds)
    training: Floats = rng.standard_t(seeds - 1, resamples) * error
    both: Floats = centre + (mean - centre) * shared * factor + training
    return both


def sign_flip(differences: Sequence[float] | Floats) -> float | None:
    """Two-sided p-value of the sign-flip test (Fisher, The Design of Experiments, 1935) for paired differences.

    Exact, over all 2^n assignments of signs, up to n = 16; over 65,536 random ones beyond. None under 6 differences,
    where p cannot go under 0.05.
    """
    known = np.asarray(differences, float)
    if known.size < 6:
        return None
    if known.size <= EXACT:
        bits = np.arange(1 << known.size)[:, None] >> np.arange(known.size) & 1
    else:
        bits = np.random.default_rng(0).integers(0, 2, (1 << EXACT, known.size))
        bits[0] = 1  # the assignment at hand is one of them
    sums = np.abs((2 * bits - 1) @ known)
    return float(np.mean(sums >= abs(known.sum()) - 1e-12 * np.abs(known).sum()))


def benjamini_hochberg(p: Sequence[float | None]) -> list[float | None]:
    """The p-values adjusted for the false discovery rate (Benjamini and Hochberg, 1995); None and NaN stay None."""
    from scipy.stats import false_discovery_control  # takes half a second, and most of this module does without

    known = {i: value for i, value in enumerate(p) if value is not None and not math.isnan(value)}
    adjusted = dict(zip(known, false_discovery_control(list(known.values())).tolist(), strict=True))
    return [adjusted.get(i) for i in range(len(p))]


def evidence_needed(
    image_variance: float, seed_variance: float, images: int, seeds: int, target: float
) -> tuple[int | None, int | None]:
    """About how many images, or how many seeds, would bring the 95 % half width (1.96 sd) to a target.

    Args:
        image_variance: of the mean, by the chance of images, with the present number of them.
        seed_variance: of the mean, by the chance of training, with the present number of seeds.
        images: how many there are.
        seeds: how many there are.
        target: half width to reach.

    Returns:
        Images with the present seeds, and seeds with the present images; None where no number of them is enough.
    """
    allowed = (target / 1.96) ** 2
    return (
        _number(image_variance * images, allowed - seed_variance),
        _number(seed_variance * seeds, allowed - image_variance),
    )


def _number(variance_of_one: float, allowed: float) -> int | None:
    if not allowed > 0 or math.isnan(variance_of_one):
        return None
    return max(math.ceil(variance_of_one / allowed * (1 - 1e-12)), 1)
