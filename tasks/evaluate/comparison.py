"""Comparing arms on the benchmark: paired by image and seed, with intervals for the chance of both.

Every score of every model is computed in the same resamples of the benchmark's images, so that a difference is that
of two models on the same images. What a resample draws as one is in ``resampling``, and what differences come to in
``differences``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.compute import with_progress
from tasks.contracts import (
    TASKS,
    Arm,
    ArmDifference,
    ArmScores,
    Clusters,
    Comparison,
    Difference,
    Estimate,
    Missing,
    Note,
    Task,
    TaskComparison,
)
from tasks.evaluate import differences
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.differences import FEW, LEVEL, Measured
from tasks.evaluate.evidence import DetectionEvidence, EvidenceError, SegmentationEvidence, check_comparable
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


def compare_arms(
    scored: Sequence[Scored],
    declared: Mapping[Task, Sequence[Cell]],
    config: EvaluateConfig,
    baseline: Arm,
    oracle: Arm,
    seed: int = 0,
) -> Comparison:
    """Compare the arms of each task with the baseline, the oracle, and mixed arms with the mixed baseline.

    Args:
        scored: the evaluated models.
        declared: task -> arm and seed of all cells of the matrix; those without a result are listed as missing.
        config: resamples, what they draw as one, and margin.
        baseline: an arm, as ``source``; mixed arms are compared with its mixed one as well (``real+source``).
            Differences to an arm that is not there are left out.
        oracle: an arm, as ``real``.
        seed: of the random numbers; the same results and seed give the same comparison.

    Raises:
        EvidenceError: a result cannot be read, or two are not of the same benchmark; it says what differs.
    """
    tasks = dict.fromkeys([*declared, *(result.task for result in scored)])
    compared = []
    for task in tasks:
        board = read_scores(task, [s for s in scored if s.task == task], config.resamples, seed, config.cluster)
        compared.append(_compared(task, board, tuple(declared.get(task, ())), config, baseline, oracle))
    return Comparison(tasks=tuple(compared))


def read_scores(
    task: Task, scored: Sequence[Scored], resamples: int, seed: int, cluster: Cluster = "auto"
) -> Scoreboard:
    """Read the results of a task, and score each on all images and in the same resamples.

    Raises:
        EvidenceError: a result cannot be read, is there twice, or is not of the same benchmark as the first.
    """
    read = SegmentationEvidence.read if task == "segmentation" else DetectionEvidence.read
    found: dict[Cell, Evidence] = {}
    for result in with_progress(scored, len(scored), f"{task} results", bar=False):
        cell = result.arm, result.seed
        if cell in found:
            raise EvidenceError(f"{task}: {_what(result)} is there twice, the second time as {result.folder}")
        found[cell] = read(result.folder)
        check_comparable(next(iter(found.values())), found[cell], _what(scored[0]), _what(result))
    return scoreboard(task, found, resamples, seed, cluster)


def scoreboard(
    task: Task, evidence: Mapping[Cell, Evidence], resamples: int, seed: int, cluster: Cluster = "auto"
) -> Scoreboard:
    """Score the evidence of one benchmark on all images, and in the same resamples.

    Args:
        evidence: arm and seed -> what its evaluation left.
        resamples: of the images. seed: of the random numbers. cluster: see ``resampling.resampled``.
    """
    if not evidence:
        return Scoreboard(0, (), (), {}, None, seed)
    first = next(iter(evidence.values()))
    facts = next((e.facts for e in evidence.values() if e.facts is not None), None)
    how = resampled(cluster, facts, len(first.ids), _per_image(evidence), resamples, seed)
    models = {
        cell: ModelScores(_scores(of, None), _scores(of, how.weights).astype(np.float32))
        for cell, of in with_progress(evidence.items(), len(evidence), f"{task} resampling", bar=False)
    }
    return Scoreboard(len(first.ids), *_quantities(task, first, how), models, how.clusters, seed)


def _per_image(evidence: Mapping[Cell, Evidence]) -> list[Floats]:
    """The arms' per-image scores ``[A, N]``, each the mean over seeds, and the differences of all pairs of arms."""
    by_arm: dict[str, list[Floats]] = {}
    for (arm, _), of in evidence.items():
        by_arm.setdefault(arm, []).append(influence(of))
    arms = np.array([np.mean(seeds, axis=0) for seeds in by_arm.values()])
    first, second = np.triu_indices(len(arms), 1)
    return [arms, *([arms[first] - arms[second]] if first.size else [])]


def _what(result: Scored) -> str:
    return f"arm {result.arm}, seed {result.seed}"


def _quantities(task: Task, evidence: Evidence, how: Resampling) -> tuple[tuple[Quantity, ...], tuple[Support, ...]]:
    """The scores in ``_scores``'s order, and what each rests on."""
    metrics = TASKS[task].metrics
    there = evidence.counts[..., 1] if isinstance(evidence, SegmentationEvidence) else evidence.boxes
    groups = GROUPS[1 : 1 + len(metrics)]  # each metric is the mean of a group
    names = [("metrics", name) for name in metrics] + [(group, name) for group in groups for name in evidence.names]
    classes = [how.support(shown) for shown in (there > 0).T]
    whole = how.support(np.ones(len(evidence.ids), bool))
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


def _compared(
    task: Task, board: Scoreboard, cells: tuple[Cell, ...], config: EvaluateConfig, baseline: Arm, oracle: Arm
) -> TaskComparison:
    there = {arm for arm, _ in board.models}
    arms = [arm for arm in dict.fromkeys(Arm(name) for name, _ in (*cells, *board.models)) if arm in there]
    common = {pair: _common(board, pair) for pair in _pairs(arms, baseline, oracle)}
    differences = _differences(board, common, config.margin)
    return TaskComparison(
        task=task,
        metric=TASKS[task].metrics[0],
        images=board.images,
        resamples=config.resamples,
        margin=config.margin,
        arms=tuple(board.arm(arm) for arm in arms),
        differences=differences,
        missing=tuple(Missing(arm=arm, seed=seed) for arm, seed in cells if (arm, seed) not in board.models),
        notes=(*_notes(board, arms, common, cells), *_resamples_note(differences, config.resamples)),
        clusters=board.clusters,
    )


def _pairs(arms: Sequence[Arm], baseline: Arm, oracle: Arm) -> list[Pair]:
    pairs = [(arm, other) for other in (baseline, oracle) for arm in arms if arm != other]
    pairs += [(arm, baseline.with_real) for arm in arms if arm.mixed and arm != baseline.with_real]
    return [pair for pair in dict.fromkeys(pairs) if pair[1] in arms]


def _common(board: Scoreboard, pair: Pair) -> tuple[int, ...]:
    return tuple(seed for seed in board.seeds(pair[0]) if seed in board.seeds(pair[1]))


def _differences(board: Scoreboard, common: Mapping[Pair, tuple[int, ...]], margin: float) -> tuple[ArmDifference, ...]:
    distinct = [pair for pair in _distinct(common) if common[pair]]
    found = {(pair, q): t for pair in distinct for q, t in board.measured(pair, common[pair]).items()}
    judged = {key: differences.judged_metric(t, margin) for key, t in found.items() if key[1][0] == "metrics"}
    classes = {key: t for key, t in found.items() if key not in judged}
    judged |= zip(classes, differences.judged_classes(list(classes.values()), margin), strict=True)
    made = []
    for pair, seeds in common.items():
        parts: dict[str, dict[str, Difference]] = {group: {} for group in GROUPS}
        for group, name in board.quantities if seeds else ():
            of = judged.get((pair, (group, name)))
            parts[group][name] = of or differences.mirrored(judged[pair[::-1], (group, name)])
        made += [ArmDifference(arm=pair[0], against=pair[1], seeds=seeds, **parts)] if seeds else []
    return tuple(made)


def _distinct(pairs: Iterable[Pair]) -> list[Pair]:
    """Baseline and oracle are compared with each other: measured once, not to count twice in the family."""
    found: list[Pair] = []
    for pair in pairs:
        found += [] if pair[::-1] in found else [pair]
    return found


def _notes(
    board: Scoreboard, arms: Sequence[Arm], common: Mapping[Pair, tuple[int, ...]], cells: Sequence[Cell]
) -> Iterator[Note]:
    """How far the intervals go."""
    single = tuple(arm for arm in arms if len(board.seeds(arm)) == 1)
    if single:
        yield Note(code="one_seed", arms=() if single == tuple(arms) else single)
    if any(len(seeds) == 1 for seeds in common.values()):
        yield Note(code="training_unknown")
    for pair in _distinct(common):
        declared = {seed for of, seed in cells if of == pair[0]} & {seed for of, seed in cells if of == pair[1]}
        if not (seeds := common[pair]):
            yield Note(code="no_common_seed", arms=pair)
        elif len(seeds) < len(declared):
            yield Note(code="few_common_seeds", arms=pair, seeds=seeds, values={"declared": len(declared)})
    if any(0 < len(seeds) < FEW for seeds in common.values()):
        yield Note(code="no_sign_flip", values={"least": FEW, "level": LEVEL})


def _resamples_note(differences: Sequence[ArmDifference], resamples: int) -> Iterator[Note]:
    pairs = _distinct((d.arm, d.against) for d in differences)
    of = [d for d in differences if (d.arm, d.against) in pairs]
    tests = sum(c.p is not None for d in of for c in (*d.classes.values(), *d.classes50.values()))
    if 2 * tests / (resamples + 1) >= LEVEL:
        values = {"comparisons": tests, "resamples": resamples, "least": math.ceil(2 * tests / LEVEL)}
        yield Note(code="few_resamples", values=values)
