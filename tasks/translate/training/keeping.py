"""Which step of a training is the best by its validations, and when there is no hope of a better one."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.contracts import KeptStep, Validated


def best_step(history: Sequence[Validated], margin: float) -> KeptStep:
    """The step that is nearest to the target among those that keep the accuracy; the first of equals.

    Nearness alone prefers translations that exchange content for more of what the target shows: sky for trees. So where
    there is a judge, a step counts only if its accuracy is at most ``margin`` below that on the source itself; where
    none is, the most accurate step is the best.

    Args:
        history: the source's own values first (step 0), then at least one validation, in order.
        margin: as a share of the pixels.

    Returns:
        The step, and why: ``closest`` or ``most_accurate``.
    """
    own, *steps = history
    if own.accuracy is not None:
        true = [v for v in steps if _accuracy(v) >= own.accuracy - margin]
        if not true:
            return KeptStep(step=max(steps, key=_accuracy).step, why="most_accurate")
        steps = true
    return KeptStep(step=min(steps, key=lambda v: remoteness(v, own)).step, why="closest")


def remoteness(validated: Validated, own: Validated) -> float:
    """How far from the target, as a share of how far the source itself is: the mean over distance and colour.

    Each sees what the other does not: features of content hardly mind wrong colours, and colours mind nothing else. A
    measure by which the source is as near as can be does not count.
    """
    pairs = ((validated.distance, own.distance), (validated.colour, own.colour))
    shares = [found / before for found, before in pairs if before > 0]
    return sum(shares) / max(1, len(shares))


def is_hopeless(history: Sequence[Validated], margin: float, patience: int | None) -> bool:
    """Whether the last ``patience`` validations brought nothing better; never where that is None."""
    if patience is None or len(history) <= patience + 1:
        return False
    best = best_step(history, margin).step
    return sum(v.step > best for v in history) >= patience


def _accuracy(validated: Validated) -> float:
    assert validated.accuracy is not None  # a training has a judge throughout, or none
    return validated.accuracy
