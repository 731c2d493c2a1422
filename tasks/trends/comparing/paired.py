"""Differences of two runs' models on the same images, from their evaluations in the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.catalogue import t
from tasks.contracts import Difference, Task
from tasks.evaluate import (
    Cluster,
    DetectionEvidence,
    EvidenceError,
    Measured,
    Quantity,
    Scored,
    SegmentationEvidence,
    check_comparable,
    judged_classes,
    judged_metric,
    read_scores,
)
from tasks.report import ScoreRef, worth

BEFORE, AFTER = "before", "after"
Refs = Mapping[int, ScoreRef]


class Unpaired(Exception):
    """An arm's models cannot be compared by image; the message says why."""


class Incomparable(Exception):
    """An arm's models were scored on other images, labels or classes; the message says which."""


@dataclass(frozen=True)
class Pairing:
    """How differences are taken.

    Attributes:
        store: its folder. cluster: what a resample draws as one, as ``evaluate.cluster``.
        margin: the largest difference that does not matter, 0 to 1.
    """

    store: Path
    resamples: int
    cluster: Cluster
    margin: float


def measured(task: Task, before: Refs, after: Refs, how: Pairing) -> tuple[dict[Quantity, Measured], str]:
    """Measure an arm's differences, by the seeds that both runs have, in the same resamples of the images.

    Args:
        before, after: seed -> the score's way to its evaluation.

    Returns:
        The differences, and how they were taken.

    Raises:
        Unpaired: an evaluation is not in the store, or cannot be read, or no seed is common.
        Incomparable: the evaluations are not of the same images, labels and classes.
    """
    seeds = sorted(before.keys() & after.keys())
    if not seeds:
        raise Unpaired(t("compare.no_common_seed"))
    sides = ((BEFORE, before), (AFTER, after))
    scored = [Scored(task, side, seed, _folder(how.store, refs[seed])) for side, refs in sides for seed in seeds]
    try:
        board = read_scores(task, scored, how.resamples, seed=0, cluster=how.cluster)
    except EvidenceError as error:
        _check(task, scored)
        raise Unpaired(t("compare.unfit_evidence", reason=str(error))) from error
    told = worth(board.clusters, board.images)
    return board.measured((AFTER, BEFORE), seeds), " ".join([t("compare.paired"), *([told] if told else [])])


def _check(task: Task, scored: Sequence[Scored]) -> None:
    """Tell evaluations that can be read but do not fit from those that cannot be read."""
    read = SegmentationEvidence.read if task == "segmentation" else DetectionEvidence.read
    try:
        evidence = [read(s.folder) for s in scored]
    except EvidenceError:
        return
    for each, of in zip(evidence, scored, strict=True):
        try:
            check_comparable(evidence[0], each, scored[0].arm, of.arm)
        except EvidenceError as error:
            raise Incomparable(str(error)) from error


def _folder(store: Path, score: ScoreRef) -> Path:
    folder = store / score.evaluation
    if not folder.is_dir():
        raise Unpaired(t("compare.not_in_store"))
    return folder


def judged(found: Sequence[Mapping[Quantity, Measured]], margin: float) -> list[dict[Quantity, Difference]]:
    """What the differences of a task's arms come to: metrics each alone, the classes of all arms as one family."""
    classes = [(i, q) for i, arm in enumerate(found) for q in arm if q[0] != "metrics"]
    family = judged_classes([found[i][q] for i, q in classes], margin)
    decided: list[dict[Quantity, Difference]] = [
        {q: judged_metric(m, margin) for q, m in arm.items() if q[0] == "metrics"} for arm in found
    ]
    for (i, quantity), difference in zip(classes, family, strict=True):
        decided[i][quantity] = difference
    return decided
