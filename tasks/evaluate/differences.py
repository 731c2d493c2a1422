"""From resampled scores to estimates, to differences, and to what a difference comes to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Difference, Estimate, Needs, Outcome
from tasks.evaluate.resampling import Support
from tasks.evaluate.statistics import benjamini_hochberg, evidence_needed, interval, p_value, sign_flip, with_seeds

Floats = NDArray[np.float64]

LEVEL = 0.05
FEW = 6  # seeds below which the exact sign-flip test cannot go under 0.05
_NORMAL = 1.96
_OPPOSITE: dict[Outcome, Outcome] = {"improves": "harms", "harms": "improves"}


@dataclass(frozen=True)
class Measured:
    """A difference that is measured but not judged, unrounded; NaN where the benchmark has nothing to score it on.

    Attributes:
        by_seed: seed -> difference. value: their mean. low, high: its 95 % interval.
        p: bootstrap p-value; None for NaN, and where evidence is lacking.
        images: of the benchmark.
        sampling: variance of the mean by the chance of images. training: by the spread over seeds.
        both: the part that is in both of these: what the images do to each seed apart.
        lacking: what it would take at the least, where there is too little of the benchmark for any verdict.
    """

    by_seed: dict[int, float]
    value: float
    low: float
    high: float
    p: float | None
    images: int
    sampling: float
    training: float
    both: float
    lacking: Needs | None = None

    @property
    def sure(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def estimate(values: Floats, resampled: Floats, support: Support, seed: int) -> Estimate:
    """The mean over seeds of a score from 0 to 1.

    Args:
        values: ``[S]``, on all images. resampled: ``[S, R]``. support: what it rests on. seed: of the random numbers.
    """
    scale = support.scale(resampled.shape[1], seed)
    low, high = np.clip(interval(with_seeds(resampled, values, _rng(seed), scale)), 0, 1)
    return Estimate(value=rounded(values.mean()), low=rounded(low), high=rounded(high))


def measured(seeds: Sequence[int], values: Floats, resampled: Floats, support: Support, seed: int) -> Measured:
    """Measure a difference over the seeds that two arms have in common.

    Args:
        seeds: S of them.
        values: ``[S]``, the differences on all images.
        resampled: ``[S, R]``, the same in resamples that both arms share.
        support: the part of the benchmark that has something to score.
        seed: of the random numbers.
    """
    samples = with_seeds(resampled, values, _rng(seed), support.scale(resampled.shape[1], seed))
    low, high = np.clip(interval(samples), -1, 1)
    known = resampled[:, ~np.isnan(resampled).any(0)]
    several, wider = len(seeds) > 1, _wider(support)
    return Measured(
        by_seed=dict(zip(seeds, values.tolist(), strict=True)),
        value=float(values.mean()),
        low=float(low),
        high=float(high),
        p=None if math.isnan(low) or support.lacking else p_value(samples),
        images=support.images,
        sampling=float(known.mean(0).var()) * wider if known.size else math.nan,
        training=float(values.var(ddof=1) / len(seeds)) if several else 0.0,
        both=_apart(known) / len(seeds) * wider if several and known.size else 0.0,
        lacking=support.lacking,
    )


def _wider(support: Support) -> float:
    """The variance of few drives or blocks as that of a normal with their interval of 95 %."""
    return 1.0 if math.isinf(support.freedom) else support.correction * _student(support.freedom) ** 2


def _apart(known: Floats) -> float:
    """The variance of a seed's resamples that it does not share with the other seeds."""
    return float((known - known.mean(1, keepdims=True)).var(axis=0, ddof=1).mean())


def judged_metric(found: Measured, margin: float) -> Difference:
    """What the difference of a metric comes to: one comparison, without adjustment."""
    return _judged(found, margin, None, 1)


def judged_classes(found: Sequence[Measured], margin: float) -> list[Difference]:
    """What differences of classes come to, as one family: to improve or to harm, q must be under 0.05 as well.

    Args:
        found: of all classes and all pairs of arms of a task.
        margin: the largest difference that does not matter.
    """
    comparisons = sum(t.p is not None for t in found)
    q = benjamini_hochberg([t.p for t in found])
    return [_judged(t, margin, adjusted, comparisons) for t, adjusted in zip(found, q, strict=True)]


def _judged(found: Measured, margin: float, q: float | None, comparisons: int) -> Difference:
    if math.isnan(found.value):
        return Difference(value=None)
    outcome = _outcome(found, margin, q)
    return Difference(
        value=rounded(found.value),
        low=rounded(found.low),
        high=rounded(found.high),
        p=rounded(found.p),
        q=rounded(q),
        outcome=outcome,
        needs=_needs(found, margin, comparisons) if outcome == "not decidable" else None,
        by_seed={seed: round(value, 6) + 0.0 for seed, value in found.by_seed.items()},
        sign_flip=rounded(sign_flip(list(found.by_seed.values()))),
    )


def _outcome(found: Measured, margin: float, q: float | None) -> Outcome:
    if found.lacking:
        return "not decidable"
    if found.sure:
        passed = q is None or q < LEVEL
        return "not decidable" if not passed else "improves" if found.low > 0 else "harms"
    return "no difference" if -margin <= found.low and found.high <= margin else "not decidable"


def _needs(found: Measured, margin: float, comparisons: int) -> Needs:
    """About how much evidence would decide."""
    if found.lacking:
        return found.lacking
    # The interval must come to exclude 0, at the level of the first of so many comparisons, or to fit into the margin.
    strict = NormalDist().inv_cdf(1 - LEVEL / 2 / max(comparisons, 1))
    target = abs(found.value) * _NORMAL / strict
    if found.sure:
        return _evidence(found, target).model_copy(update={"comparisons": comparisons})
    return _evidence(found, max(target, margin - abs(found.value)))


def _evidence(found: Measured, target: float) -> Needs:
    seeds = len(found.by_seed)
    fixed = max(found.training - found.both, 0) * _student(seeds - 1) ** 2
    images = evidence_needed(found.sampling, fixed, found.images, seeds, target)[0]
    trainings = _seeds_needed(found, seeds, target) if seeds > 1 else None
    return Needs(
        kind="about" if images or trainings else "more",
        # Fewer than there are cannot be the answer: the normal half width is an approximation.
        images=_about(max(images, found.images + 1)) if images else None,
        seeds=_about(trainings) if trainings else None,
    )


def _seeds_needed(found: Measured, seeds: int, target: float) -> int | None:
    """The least number of seeds for which the interval, with Student's t of that many, has the half width."""
    sampling = max(found.sampling - found.both, 0)
    number = seeds + 1
    while True:
        spread = found.training * _student(number - 1) ** 2
        needed = evidence_needed(sampling, spread, found.images, seeds, target)[1]
        if needed is None or needed <= number:
            return needed and number
        # With the normal quantile instead of t, the number is too low, and so a place to go on from.
        least = evidence_needed(sampling, found.training, found.images, seeds, target)[1] or 0
        number = max(number + 1, least)


def _student(freedom: float) -> float:
    """The 97.5 % quantile of Student's t, in those of the normal."""
    from scipy.stats import t  # takes half a second

    return float(t.ppf(0.975, freedom)) / _NORMAL if freedom else 1.0


def _about(number: int) -> int:
    """Two significant digits, rounded up."""
    unit = int(10 ** max(len(str(number)) - 2, 0))
    return -(-number // unit) * unit


def mirrored(difference: Difference) -> Difference:
    """The same difference, seen from the other arm."""
    value, low, high = (None if x is None else 0.0 - x for x in (difference.value, difference.high, difference.low))
    return difference.model_copy(
        update={
            "value": value,
            "low": low,
            "high": high,
            "outcome": _OPPOSITE.get(difference.outcome, difference.outcome),
            "by_seed": {seed: 0.0 - x for seed, x in difference.by_seed.items()},
        }
    )


def rounded(number: float | None) -> float | None:
    """Six digits; None for None and NaN."""
    return None if number is None or math.isnan(number) else round(float(number), 6) + 0.0


def _rng(seed: int) -> np.random.Generator:
    # Not the stream that draws images; and anew for each score, so that none depends on which others there are.
    return np.random.default_rng([seed, 1])
