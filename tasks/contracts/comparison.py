"""What the comparison of arms says, as plain data: ``comparison.json`` is ``Comparison``, dumped."""

from __future__ import annotations

from typing import ClassVar, Literal

from tasks.contracts.arm import Arm
from tasks.contracts.efficiency import Efficiency
from tasks.contracts.estimate import Estimate
from tasks.contracts.filed import Filed
from tasks.contracts.frozen import Frozen
from tasks.contracts.task import Task

Outcome = Literal["improves", "harms", "no difference", "not decidable"]
ClusterKind = Literal["sequence", "blocks", "image"]
ClusterReason = Literal["asked", "many_drives", "few_drives", "single_frames", "no_drives", "older"]
SliceKind = Literal["attribute", "size", "sequence", "stretch"]
NoteCode = Literal[
    "one_seed",
    "training_unknown",
    "no_common_seed",
    "few_common_seeds",
    "no_sign_flip",
    "few_resamples",
    "made_with",
    "no_slices",
    "no_attributes",
]


class Needs(Frozen):
    """How much evidence would decide a difference.

    Attributes:
        kind: ``least``: no fewer images, or drives, than these say anything; ``about``: the images alone, or the seeds
            alone, would do; ``more``: neither alone would.
        images, seeds: how many there would have to be in all, to two digits; None where no number of them would do.
        drives: of ``least``, where whole drives were drawn.
        shown: whether the images must show the class.
        comparisons: how many the difference is one of, where it would be decided but for the adjustment; else None.
    """

    kind: Literal["least", "about", "more"]
    images: int | None = None
    seeds: int | None = None
    drives: int | None = None
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
            ``resamples``; with ``least`` of them one could; ``made_with``: the arms were not all made with the same;
            ``no_slices``: the benchmark's images have no attributes of these ``names``; ``no_attributes``: nor any
            that divide them, the benchmark being named.
        values: the numbers by these names. made: of ``made_with``, the arms that were made alike.
    """

    code: NoteCode
    arms: tuple[Arm, ...] = ()
    seeds: tuple[int, ...] = ()
    values: dict[str, int | float] = {}
    made: tuple[MadeWith, ...] = ()
    names: tuple[str, ...] = ()


class Clusters(Frozen):
    """What was drawn as one when the benchmark's images were resampled, and how much evidence that leaves.

    Attributes:
        kind: ``sequence``: whole drives; ``blocks``: runs of consecutive frames of a drive; ``image``: each alone.
        reason: why that: ``asked``: the configuration says so; ``many_drives``: there are enough drives to draw from;
            ``few_drives``: there are not; ``single_frames``: every drive is of one frame; ``no_drives``: the
            benchmark does not say which images are of one drive; ``older``: the evaluations do not.
        benchmark: the data set's name; None in older evaluations.
        sequences: how many drives there are; None where that is not known.
        block: of ``blocks``, how many frames one has.
        units: about how many drives, blocks or images that count alike were drawn from; drives of unlike length count
            for fewer (Kish, Survey Sampling, 1965).
        effective: about how many independent images the images are worth; at most as many as there are.
        enough: whether there are enough units for any verdict; where not, every difference is ``not decidable``.
        beyond: whether verdicts hold for other drives as well. Blocks show how sure a difference is on the drives at
            hand; what differs from drive to drive they cannot show, and so for other drives it is not decidable.
    """

    kind: ClusterKind
    reason: ClusterReason
    benchmark: str | None = None
    sequences: int | None = None
    block: int | None = None
    units: float
    effective: int
    enough: bool = True
    beyond: bool = True


class SliceScore(Frozen):
    """An arm's score on a slice, and its difference to the baseline: None for itself, and without a common seed."""

    arm: Arm
    score: Estimate
    difference: Difference | None = None


class Slice(Frozen):
    """A part of the benchmark, and the task's first metric on it.

    Attributes:
        kind: ``attribute``: the images whose ``key`` has the value ``name``, as weather: rain; ``size``: the boxes of
            COCO's ``small``, ``medium`` or ``large`` area; ``sequence``: a drive; ``stretch``: consecutive frames of
            the only drive, ``name`` being the first and the last as ``1-43``.
        images: that have something to score. boxes: of ``size``, how many.
        against: the baseline.
        scores: of each arm. Differences of all slices are adjusted together, by Benjamini-Hochberg.
    """

    kind: SliceKind
    key: str
    name: str
    images: int
    boxes: int | None = None
    against: Arm
    scores: tuple[SliceScore, ...]


class TaskComparison(Frozen):
    """The comparison of one task's arms.

    Attributes:
        metric: the one that the verdict is about. margin: the largest difference that does not matter, 0 to 1.
        differences: of every arm to the baseline, to the oracle, and of mixed arms to one another.
        missing: what of the declared matrix is not there. notes: how far the intervals go.
        clusters: what was resampled as one; None in a comparison that does not say, where each image was.
        slices: the metric by part of the benchmark.
        efficiency: the metric against the number of labelled real images; None where no arms differ in it.
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
    clusters: Clusters | None = None
    slices: tuple[Slice, ...] = ()
    efficiency: Efficiency | None = None

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
