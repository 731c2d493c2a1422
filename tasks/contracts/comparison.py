"""What the comparison of arms says, as plain data: ``comparison.json`` is ``Comparison``, dumped."""

from __future__ import annotations

from typing import ClassVar, Literal

from tasks.contracts.arm import Arm
from tasks.contracts.filed import Filed
from tasks.contracts.frozen import Frozen
from tasks.contracts.task import Task

Outcome = Literal["improves", "harms", "no difference", "not decidable"]
NoteCode = Literal[
    "one_seed",
    "training_unknown",
    "no_common_seed",
    "few_common_seeds",
    "no_sign_flip",
    "few_resamples",
    "made_with",
]


class Estimate(Frozen):
    """A score from 0 to 1 with its 95 % interval; all None where the benchmark has nothing to score it on."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Needs(Frozen):
    """How much evidence would decide a difference.

    Attributes:
        kind: ``least``: no fewer images than these say anything; ``about``: the images alone, or the seeds alone, would
            do; ``more``: neither alone would.
        images, seeds: how many there would have to be in all, to two digits; None where no number of them would do.
        shown: whether the images must show the class.
        comparisons: how many the difference is one of, where it would be decided but for the adjustment; else None.
    """

    kind: Literal["least", "about", "more"]
    images: int | None = None
    seeds: int | None = None
    shown: bool = False
    comparisons: int | None = None


class Difference(Estimate):
    """A difference of scores, -1 to 1, with its 95 % interval.

    Attributes:
        p: two-sided bootstrap p-value. q: the same, adjusted by Benjamini-Hochberg over the classes of all
            differences of its task; None for a metric, which is one comparison and needs no adjustment.
        outcome: what it comes to. needs: for ``not decidable``, how much evidence would decide; None otherwise, and
            where the benchmark has nothing to score.
        by_seed: seed -> difference of the two models of that seed.
        sign_flip: p-value of the exact sign-flip test over seeds; None under 6 seeds, where it cannot go under 0.05.
    """

    p: float | None = None
    q: float | None = None
    outcome: Outcome = "not decidable"
    needs: Needs | None = None
    by_seed: dict[int, float] = {}
    sign_flip: float | None = None


class ArmScores(Frozen):
    """An arm's scores: the mean over its seeds of each metric (``mIoU``; ``mAP``, ``AP50``) and of each class.

    Attributes:
        metrics, classes: name -> score. A class's score is its IoU or its AP.
        classes50: class -> AP at IoU 0.5; empty for segmentation.
        images: of the benchmark.
    """

    arm: Arm
    seeds: tuple[int, ...]
    images: int
    metrics: dict[str, Estimate]
    classes: dict[str, Estimate]
    classes50: dict[str, Estimate] = {}


class ArmDifference(Frozen):
    """An arm against another, by the seeds that both have; names as in ``ArmScores``."""

    arm: Arm
    against: Arm
    seeds: tuple[int, ...]
    metrics: dict[str, Difference]
    classes: dict[str, Difference]
    classes50: dict[str, Difference] = {}


class Missing(Frozen):
    """A cell of the declared matrix without a result."""

    arm: Arm
    seed: int


class MadeWith(Frozen):
    """What some of the arms were made with: package or ``device`` -> version or kind, where others differ."""

    arms: tuple[Arm, ...]
    versions: dict[str, str]


class Note(Frozen):
    """How far the intervals go.

    Attributes:
        code: ``one_seed``: the intervals of ``arms`` (none: of all) leave out the chance of training;
            ``training_unknown``: so does a difference, and how many seeds would decide cannot be told;
            ``no_common_seed``: the two ``arms`` are not compared; ``few_common_seeds``: they are by ``seeds`` alone, of
            ``declared``; ``no_sign_flip``: not reported under ``least`` seeds, where it cannot go under ``level``;
            ``few_resamples``: of so many ``comparisons`` of classes none can pass the adjustment alone, with so many
            ``resamples``; with ``least`` of them one could; ``made_with``: the arms were not all made with the same.
        values: the numbers by these names. made: of ``made_with``, the arms that were made alike.
    """

    code: NoteCode
    arms: tuple[Arm, ...] = ()
    seeds: tuple[int, ...] = ()
    values: dict[str, int | float] = {}
    made: tuple[MadeWith, ...] = ()


class TaskComparison(Frozen):
    """The comparison of one task's arms.

    Attributes:
        metric: the one that the verdict is about. margin: the largest difference that does not matter, 0 to 1.
        differences: of every arm to the baseline, to the oracle, and of mixed arms to one another.
        missing: what of the declared matrix is not there. notes: how far the intervals go.
    """

    task: Task
    metric: str
    images: int
    resamples: int
    margin: float
    arms: tuple[ArmScores, ...]
    differences: tuple[ArmDifference, ...]
    missing: tuple[Missing, ...] = ()
    notes: tuple[Note, ...] = ()

    def difference(self, arm: Arm, against: Arm) -> ArmDifference | None:
        """The difference of two arms, or None."""
        return next((d for d in self.differences if (d.arm, d.against) == (arm, against)), None)


class Comparison(Filed):
    """The comparisons of a run, one a task; the room ``evaluate`` writes them."""

    FILE: ClassVar[str] = "comparison.json"

    tasks: tuple[TaskComparison, ...]

    def task(self, name: Task) -> TaskComparison | None:
        """The comparison of a task, or None."""
        return next((t for t in self.tasks if t.task == name), None)
