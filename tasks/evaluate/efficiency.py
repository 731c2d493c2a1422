"""The data-efficiency curve: what labelled real images bring, alone and with a partner that saves some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Arm, Efficiency, EfficiencyCurve, EfficiencyPoint, Estimate, Saving
from tasks.evaluate.differences import estimate
from tasks.evaluate.scoreboard import Scoreboard
from tasks.evaluate.statistics import with_seeds

Floats = NDArray[np.float64]
_LEVEL = 0.05
_LEAST = 2  # numbers of labelled real images that make a curve


@dataclass(frozen=True, eq=False)
class Chance:
    """An arm's score of the first metric, and by the chance of images and training: ``samples [R]``, NaN undefined."""

    estimate: Estimate
    samples: Floats


def curves_of(board: Scoreboard, labelled: Mapping[Arm, int]) -> Efficiency | None:
    """The curves of a task's arms by the first metric; None where the arms with real images differ in no number.

    Args:
        board: all models' scores.
        labelled: arm -> labelled real images that it was trained on, of those with real images alone or in a mix.
    """
    if len(set(labelled.values())) < _LEAST:
        return None
    arms = [Arm(name) for name in dict.fromkeys(name for name, _ in board.models)]
    return efficiency({arm: _chance(board, arm, k) for k, arm in enumerate(arms)}, labelled)


def _chance(board: Scoreboard, arm: Arm, number: int) -> Chance:
    """The chance of training of one arm says nothing of another's: each has random numbers of its own."""
    models = [board.models[arm, seed] for seed in board.seeds(arm)]
    values, drawn = np.array([m.values[0] for m in models]), np.array([m.resampled[:, 0] for m in models], float)
    support = board.support[0]
    scale = support.scale(drawn.shape[1], board.seed)
    samples = with_seeds(drawn, values, np.random.default_rng([board.seed, 3, number]), scale)
    return Chance(estimate(values, drawn, support, board.seed), samples)


def efficiency(scores: Mapping[Arm, Chance], labelled: Mapping[Arm, int]) -> Efficiency | None:
    """The curves of a task's arms; None where the arms with real images differ in no number of them.

    Args:
        scores: of every arm that was scored, all by the same resamples.
        labelled: arm -> labelled real images that it was trained on, of those with real images alone or in a mix.
    """
    families: dict[Arm, dict[int, Arm]] = {}
    for arm, images in sorted(labelled.items(), key=lambda pair: pair[1]):
        if arm in scores and scores[arm].estimate.value is not None:
            families.setdefault(arm.of_all_real, {})[images] = arm
    if not any(len(points) >= _LEAST for points in families.values()):
        return None
    for whole, points in families.items():
        alone = _without_real(whole)
        if alone is not None and alone in scores and scores[alone].estimate.value is not None:
            families[whole] = {0: alone, **points}
    kept = {whole: points for whole, points in families.items() if len(points) >= _LEAST}
    order = sorted(kept, key=lambda whole: whole != "real")
    curves = tuple(_curve(whole, kept[whole], scores) for whole in order)
    base = kept.get(Arm("real"))
    savings = [_saving(whole, kept[whole], base, scores) for whole in order if base and whole != "real"]
    return Efficiency(curves=curves, savings=tuple(savings))


def _without_real(whole: Arm) -> Arm | None:
    """What a mix adds to real images, where that is one set that the mix draws alike; None else."""
    others = whole.others
    return others[0] if len(others) == 1 and others[0].with_real == whole else None


def _curve(whole: Arm, points: Mapping[int, Arm], scores: Mapping[Arm, Chance]) -> EfficiencyCurve:
    made = (EfficiencyPoint(arm=arm, images=n, score=scores[arm].estimate) for n, arm in points.items())
    return EfficiencyCurve(arm=whole, points=tuple(made))


def _saving(whole: Arm, points: Mapping[int, Arm], base: Mapping[int, Arm], scores: Mapping[Arm, Chance]) -> Saving:
    """What a partner saves of the largest number of real images."""
    images = max(base)
    target, numbers = scores[base[images]], np.array(list(points), float)
    value = target.estimate.value
    assert value is not None  # arms without a score are left out before
    needed = reaching(
        numbers, np.array([[scores[arm].estimate.value] for arm in points.values()], float), np.array([value])
    )
    samples = reaching(numbers, np.stack([scores[arm].samples for arm in points.values()]), target.samples)
    known = ~np.isnan(target.samples)
    reached = ~np.isnan(samples[known])
    found = None if np.isnan(needed[0]) else float(needed[0])
    return Saving(
        arm=whole,
        images=images,
        score=value,
        fewest=int(numbers[0]),
        needed=None if found is None else round(found, 1),
        saved=_saved(images, found, samples[known]),
        reached=round(float(reached.mean()), 4) if reached.size else 0.0,
    )


def _saved(images: int, needed: float | None, samples: Floats) -> Estimate:
    """Where the partner never reaches the score, nothing is saved: less than any number."""
    if needed is None:
        return Estimate(value=None)
    saved = np.where(np.isnan(samples), -np.inf, images - samples)
    low, high = (float(np.quantile(saved, q, method="lower")) for q in (_LEVEL / 2, 1 - _LEVEL / 2))
    ends = {"low": low, "high": high} if samples.size else {}
    known = {name: round(end, 1) for name, end in ends.items() if np.isfinite(end)}
    return Estimate(value=round(images - needed, 1), **known)


def reaching(images: Floats, scores: Floats, target: Floats) -> Floats:
    """The least number of images with which a curve reaches a score, on straight lines over log(1 + images).

    Args:
        images: ``[P]``, ascending. scores: ``[P, R]``, of each number, a column a resample. target: ``[R]``.

    Returns:
        ``[R]``; the first number where it reaches the score already, NaN where no point does.
    """
    places = np.log1p(images)
    result = np.where(scores[0] >= target, images[0], np.nan)
    for left, right in zip(range(len(images) - 1), range(1, len(images)), strict=True):
        below, above = scores[left], scores[right]
        here = np.isnan(result) & (below < target) & (above >= target)
        share = np.divide(target - below, above - below, out=np.zeros_like(target), where=here)
        result[here] = np.expm1(places[left] + share[here] * (places[right] - places[left]))
    return result
