"""Comparing arms on the benchmark: paired by image and seed, with intervals for the chance of both.

Every score of every model is computed in the same resamples of the benchmark's images (``scoreboard``), so that a
difference is that of two models on the same images. What a resample draws as one is in ``resampling``, what differences
come to in ``differences``, and the parts of the benchmark in ``slices``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tasks.contracts import (
    TASKS,
    Arm,
    ArmDifference,
    Comparison,
    Difference,
    Missing,
    Note,
    Task,
    TaskComparison,
)
from tasks.evaluate import differences
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.differences import FEW, LEVEL
from tasks.evaluate.efficiency import curves_of
from tasks.evaluate.scoreboard import GROUPS, Cell, Pair, Scoreboard, Scored, read_evidence, resample, score_models
from tasks.evaluate.slices import slice_notes, sliced


def compare_arms(
    scored: Sequence[Scored],
    declared: Mapping[Task, Sequence[Cell]],
    config: EvaluateConfig,
    baseline: Arm,
    oracle: Arm,
    seed: int = 0,
    labelled: Mapping[Task, Mapping[Arm, int]] | None = None,
) -> Comparison:
    """Compare the arms of each task with the baseline, the oracle, and what they are built on (``Arm.built_on``).

    Args:
        scored: the evaluated models.
        declared: task -> arm and seed of all cells of the matrix; those without a result are listed as missing.
        config: resamples, what they draw as one, the margin, and the slices.
        baseline: an arm, as ``source``; mixed arms are compared with its mixed one as well (``real+source``).
            Differences to an arm that is not there are left out.
        oracle: an arm, as ``real``.
        seed: of the random numbers; the same results and seed give the same comparison.
        labelled: task -> arm -> labelled real images that it was trained on, of those with real images.

    Raises:
        EvidenceError: a result cannot be read, or two are not of the same benchmark; it says what differs.
    """
    tasks = dict.fromkeys([*declared, *(result.task for result in scored)])
    compared = []
    for task in tasks:
        results = [s for s in scored if s.task == task]
        evidence = read_evidence(task, results)
        how = resample(evidence, config.resamples, seed, config.cluster)
        board = score_models(task, evidence, how, seed)
        found = _compared(task, board, tuple(declared.get(task, ())), config, baseline, oracle)
        if how is not None:
            arms = [of.arm for of in found.arms]
            slices = sliced(task, results, evidence, how, config, arms, baseline, seed)
            notes = (*found.notes, *slice_notes(evidence, config, slices))
            found = found.model_copy(update={"slices": slices, "notes": notes})
        compared.append(found.model_copy(update={"efficiency": curves_of(board, (labelled or {}).get(task, {}))}))
    return Comparison(tasks=tuple(compared))


def _compared(
    task: Task, board: Scoreboard, cells: tuple[Cell, ...], config: EvaluateConfig, baseline: Arm, oracle: Arm
) -> TaskComparison:
    there = {arm for arm, _ in board.models}
    arms = [arm for arm in dict.fromkeys(Arm(name) for name, _ in (*cells, *board.models)) if arm in there]
    common = {pair: board.common(pair) for pair in _pairs(arms, baseline, oracle)}
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
    pairs += [(arm, other) for arm in arms for other in arm.built_on]
    return [pair for pair in dict.fromkeys(pairs) if pair[1] in arms]


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
