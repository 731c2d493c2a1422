"""All models' scores of a task, on all images and in the same resamples of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.compute import with_progress
from tasks.contracts import TASKS, Arm, ArmScores, Clusters, Estimate, Finding, Task
from tasks.evaluate import differences
from tasks.evaluate.differences import Measured
from tasks.evaluate.errors import EvidenceError
from tasks.evaluate.evidence import DetectionEvidence, SegmentationEvidence, check_comparable
from tasks.evaluate.influence import influence
from tasks.evaluate.resampling import Cluster, Resampling, Support, resampled
from tasks.evaluate.statistics import average_precision, iou, mean_over

Floats = NDArray[np.float64]
Weights = NDArray[np.int32]
Evidence = SegmentationEvidence | DetectionEvidence
Cell = tuple[str, int]
Pair = tuple[str, str]
Quantity = tuple[str, str]

GROUPS = ("metrics", "classes", "classes50")


@dataclass(frozen=True)
class Scored:
    """An evaluated model: ``folder`` is that of its evaluation artifact; ``arm`` its arm, or whatever it is one of."""

    task: Task
    arm: str
    seed: int
    folder: Path


@dataclass(frozen=True, eq=False)
class ModelScores:
    """The Q scores of a model: ``float64 [Q]`` on all images, ``float32 [R, Q]`` in resamples; NaN where undefined."""

    values: Floats
    resampled: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scoreboard:
    """All models' scores of a task.

    Attributes:
        images: of the benchmark.
        quantities: the Q scores: group (of ``GROUPS``) and name.
        support: what each of them rests on.
        models: arm and seed -> scores.
        clusters: what was drawn as one; None without models.
        seed: of the random numbers.
    """

    images: int
    quantities: tuple[Quantity, ...]
    support: tuple[Support, ...]
    models: dict[Cell, ModelScores]
    clusters: Clusters | None
    seed: int

    def seeds(self, arm: str) -> tuple[int, ...]:
        """The seeds that an arm has, ascending."""
        return tuple(sorted(seed for of, seed in self.models if of == arm))

    def common(self, pair: Pair) -> tuple[int, ...]:
        """The seeds that both arms have, ascending."""
        return tuple(seed for seed in self.seeds(pair[0]) if seed in self.seeds(pair[1]))

    def arm(self, arm: Arm) -> ArmScores:
        """An arm's scores over its seeds."""
        seeds = self.seeds(arm)
        models = [self.models[arm, seed] for seed in seeds]
        values, resampled = np.stack([m.values for m in models]), np.stack([m.resampled for m in models])
        found: dict[str, dict[str, Estimate]] = {group: {} for group in GROUPS}
        for i, (group, name) in enumerate(self.quantities):
            of = values[:, i], resampled[..., i].astype(float), self.support[i]
            found[group][name] = differences.estimate(*of, self.seed)
        return ArmScores(arm=arm, seeds=seeds, images=self.images, **found)

    def measured(self, pair: Pair, seeds: Sequence[int]) -> dict[Quantity, Measured]:
        """Measure the differences of two arms, seed by seed."""
        models = [(self.models[pair[0], seed], self.models[pair[1], seed]) for seed in seeds]
        values = np.stack([a.values - b.values for a, b in models])
        resampled = np.stack([a.resampled - b.resampled for a, b in models])
        return {
            quantity: differences.measured(
                seeds, values[:, i], resampled[..., i].astype(float), self.support[i], self.seed
            )
            for i, quantity in enumerate(self.quantities)
        }


def read_scores(
    task: Task, scored: Sequence[Scored], resamples: int, seed: int, cluster: Cluster = "auto"
) -> Scoreboard:
    """Read the results of a task, and score each on all images and in the same resamples.

    Args:
        resamples: of the images. seed: of the random numbers. cluster: see ``resampling.resampled``.

    Raises:
        EvidenceError: a result cannot be read, is there twice, or is not of the same benchmark as the first.
    """
    evidence = read_evidence(task, scored)
    return score_models(task, evidence, resample(evidence, resamples, seed, cluster), seed)


def read_evidence(task: Task, scored: Sequence[Scored]) -> dict[Cell, Evidence]:
    """Read the results of a task: arm and seed -> evidence.

    Raises:
        EvidenceError: a result cannot be read, is there twice, or is not of the same benchmark as the first.
    """
    read = SegmentationEvidence.read if task == "segmentation" else DetectionEvidence.read
    found: dict[Cell, Evidence] = {}
    for result in with_progress(scored, len(scored), f"{task} results", bar=False):
        cell = result.arm, result.seed
        if cell in found:
            raise EvidenceError(Finding.of("evidence.twice", task=task, what=_what(result), folder=result.folder))
        found[cell] = read(result.folder)
        check_comparable(next(iter(found.values())), found[cell], _what(scored[0]), _what(result))
    return found


def resample(
    evidence: Mapping[Cell, Evidence], resamples: int, seed: int, cluster: Cluster = "auto"
) -> Resampling | None:
    """Resamples of the images of one benchmark, as these models' scores on them ask for; None without models."""
    if not evidence:
        return None
    images = len(next(iter(evidence.values())).ids)
    facts = next((e.facts for e in evidence.values() if e.facts is not None), None)
    return resampled(cluster, facts, images, _per_image(evidence), resamples, seed)


def score_models(task: Task, evidence: Mapping[Cell, Evidence], how: Resampling | None, seed: int) -> Scoreboard:
    """Score the evidence of one benchmark on all images, and in the same resamples.

    Args:
        evidence: arm and seed -> what its evaluation left.
        how: the resamples of its images; None without models.
        seed: of the random numbers for the chance of training.
    """
    if how is None:
        return Scoreboard(0, (), (), {}, None, seed)
    models = {
        cell: ModelScores(_scores(of, None), _scores(of, how.weights).astype(np.float32))
        for cell, of in with_progress(evidence.items(), len(evidence), f"{task} resampling", bar=False)
    }
    first = next(iter(evidence.values()))
    return Scoreboard(len(first.ids), *_quantities(task, first, how), models, how.clusters, seed)


def _per_image(evidence: Mapping[Cell, Evidence]) -> list[Floats]:
    """The arms' per-image scores ``[A, N]``, each the mean over seeds, and the differences of all pairs of arms."""
    by_arm: dict[str, list[Floats]] = {}
    for (arm, _), of in evidence.items():
        by_arm.setdefault(arm, []).append(influence(of))
    arms = np.array([np.mean(seeds, axis=0) for seeds in by_arm.values()])
    first, second = np.triu_indices(len(arms), 1)
    return [arms, *([arms[first] - arms[second]] if first.size else [])]


def _what(result: Scored) -> Finding:
    return Finding.of("evidence.model", arm=str(result.arm), seed=result.seed)


def _quantities(task: Task, evidence: Evidence, how: Resampling) -> tuple[tuple[Quantity, ...], tuple[Support, ...]]:
    """The scores in ``_scores``'s order, and what each rests on."""
    metrics = TASKS[task].metrics
    there = evidence.counts[..., 1] if isinstance(evidence, SegmentationEvidence) else evidence.boxes
    groups = GROUPS[1 : 1 + len(metrics)]  # each metric is the mean of a group
    names = [("metrics", name) for name in metrics] + [(group, name) for group in groups for name in evidence.names]
    classes = [how.support(shown) for shown in (there > 0).T]
    whole = how.support(np.any(there > 0, axis=1))
    return tuple(names), (*(whole for _ in metrics), *(classes * len(groups)))


def _scores(evidence: Evidence, weights: Weights | None) -> Floats:
    """Metrics, then classes, then for detection classes at IoU 0.5: ``[Q]``, or ``[R, Q]`` with weights."""
    counted = np.array([name not in evidence.left_out for name in evidence.names], bool)
    if isinstance(evidence, SegmentationEvidence):
        classes = [iou(evidence.counts, weights)]
    else:
        precision = average_precision(evidence, weights)
        classes = [precision.mean(axis=-2), precision[..., 0, :]]
    return np.concatenate([*(mean_over(c, counted)[..., None] for c in classes), *classes], axis=-1)
