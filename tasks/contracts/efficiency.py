"""The data-efficiency curve, as plain data: the score against the number of labelled real images."""

from __future__ import annotations

from tasks.contracts.arm import Arm
from tasks.contracts.estimate import Estimate
from tasks.contracts.frozen import Frozen


class EfficiencyPoint(Frozen):
    """An arm as a point of a curve.

    Attributes:
        images: labelled real images that it was trained on; 0 of its partner alone.
        score: the task's first metric, 0 to 1.
    """

    arm: Arm
    images: int
    score: Estimate


class EfficiencyCurve(Frozen):
    """Arms that differ in the number of labelled real images alone.

    Attributes:
        arm: the same arm with all real images, as ``real`` or ``real+translated(cut)``, by which it is called.
        points: by ascending number of images.
    """

    arm: Arm
    points: tuple[EfficiencyPoint, ...]


class Saving(Frozen):
    """How many labelled real images a partner saves: it reaches with fewer what real images alone reach.

    The number is read off the partner's curve where it first reaches the score, on straight lines over log(1 + images)
    between its points.

    Attributes:
        arm: the partner's curve. images: real images alone that are to be matched, and ``score`` what they reach.
        fewest: real images of the partner's first point: where it reaches the score already, still fewer might do, and
            what is saved is ``images - fewest`` or more.
        needed: real images that reach it with the partner; None where no point of its curve does.
        saved: images less needed, with its 95 % interval over resamples and seeds. None where ``needed`` is; its low
            end is None where the partner may not reach the score at all.
        reached: share of the resamples in which the partner reaches the score.
    """

    arm: Arm
    images: int
    score: float
    fewest: int
    needed: float | None
    saved: Estimate
    reached: float


class Efficiency(Frozen):
    """The curves of a task, that of real images alone first, and what each partner saves of its largest number."""

    curves: tuple[EfficiencyCurve, ...]
    savings: tuple[Saving, ...]
