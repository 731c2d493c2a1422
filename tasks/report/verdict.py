"""The verdict: what the run found for a task in one sentence, and how far that can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.catalogue import points, t
from tasks.contracts import TASKS, Failure, Needs, Task, TaskComparison
from tasks.report.case import Case, score
from tasks.report.clusters import scope, worth
from tasks.report.config import ReportConfig
from tasks.report.intervals import scaled
from tasks.report.model import Verdict
from tasks.report.notes import by_seed, notes
from tasks.report.score_table import TaskTable
from tasks.report.words import (
    arm_label,
    arm_phrase,
    count,
    interval,
    margin_words,
    part_label,
    shift,
    sign,
    size,
)


def verdict(
    task: Task,
    table: TaskTable | None,
    failures: Sequence[Failure],
    config: ReportConfig,
    controls: frozenset[str] = frozenset(),
    compared: TaskComparison | None = None,
) -> Verdict:
    """Find the best translated arm and compare it with the baseline and the oracle.

    Args:
        table: the task's table; None where nothing was scored.
        failures: the task's failed arms, which explain what is missing.
        controls: names of translators that change nothing, so that they cannot be the best one.
        compared: the task's comparison; without one, the sentence says what was measured, and the outcome is unknown.
    """
    metric = TASKS[task].metrics[0]
    rows = [r for r in table.rows if r.cells[0].value is not None] if table else []
    if not rows:
        failed = count(len(failures), "model")
        told = t("verdict.nothing_failed" if failures else "verdict.nothing", metric=metric, failed=failed)
        return Verdict(task=task, metric=metric, outcome="unknown", sentence=told)
    case = Case(metric, rows, failures, config, controls, compared)
    return Verdict(
        task=task,
        metric=metric,
        outcome=case.outcome,
        sentence=_sentence(case),
        notes=tuple(notes(case)),
        evidence=(worth(compared.clusters, compared.images) if compared else None) or "",
        arm=case.best.arm if case.best else None,
        baseline=case.base.arm if case.base else None,
        oracle=case.oracle.arm if case.oracle else None,
        delta=_rounded(case.delta),
        low=scaled(case.difference.low) if case.difference else None,
        high=scaled(case.difference.high) if case.difference else None,
        gap_closed=_rounded(case.gap_closed),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _sentence(case: Case) -> str:
    if case.best is None:
        known = ", ".join(f"{arm_label(r.arm)} {points(score(r))}" for r in case.rows.values())
        return t("verdict.no_arm", metric=case.metric, known=known)
    label = arm_label(case.best.arm)
    if case.base is None:
        oracle = case.oracle
        beside = t("verdict.beside", label=arm_label(oracle.arm), score=points(score(oracle))) if oracle else ""
        why = case.why_missing(case.base_name)
        return t(
            "verdict.no_base", label=label, score=points(score(case.best)), metric=case.metric, oracle=beside, why=why
        )
    values = {
        "label": label,
        "metric": case.metric,
        "over": arm_phrase(case.base.arm),
        "before": points(case.before),
        "after": points(case.after),
    }
    return _measured(case, values) if case.difference is None else _decided(case, values)


def _decided(case: Case, values: dict[str, str]) -> str:
    """What the interval of the difference comes to."""
    assert case.best
    assert case.difference
    assert case.delta is not None
    low, high = scaled(case.difference.low), scaled(case.difference.high)
    change = shift(case.delta, low, high)
    about = scope(case.compared.clusters) if case.compared else ""
    match case.difference.outcome:
        case "improves":
            ends = interval(low, high)
            return t("verdict.improves", size=size(case.delta), interval=ends, gap=_gap(case, 1), **values) + about
        case "harms":
            return t("verdict.harms", change=change, gap=_gap(case, -1), **values) + about
        case "no difference":
            margin = margin_words(case.margin)
            return t("verdict.no_difference", margin=margin, change=change, gap=_gap(case, 0), **values) + about
    needs = case.difference.needs
    told = t("verdict.would_need", needs=needed(needs)) if needs else ""
    key = "verdict.not_decidable_mixed" if case.mixed else "verdict.not_decidable"
    return t(key, name=case.best.arm.translator, change=change, needs=told, **values)


def needed(needs: Needs) -> str:
    """How much evidence would decide, as ``about 700 images or 12 seeds``."""
    images = count(needs.drives, "drive") if needs.drives else count(needs.images, "image") if needs.images else ""
    seeds = count(needs.seeds, "seed") if needs.seeds else ""
    match needs.kind:
        case "least":
            told = t("verdict.needs_least_shown" if needs.shown else "verdict.needs_least", images=images)
        case "about":
            either = t("verdict.needs_either", images=images, seeds=seeds) if images and seeds else images or seeds
            told = t("verdict.needs_about", evidence=either)
        case "more":
            told = t("verdict.needs_more")
    if needs.comparisons is None:
        return told
    return t("verdict.needs_adjusted", comparisons=count(needs.comparisons, "comparison"), needs=told)


def _measured(case: Case, values: dict[str, str]) -> str:
    """What the scores say without an interval."""
    assert case.delta is not None
    direction = sign(case.delta)
    disagree = len({sign(d) for d in by_seed(case).values()}) > 1
    rest = {"gap": _gap(case, direction), "doubt": t("verdict.doubt") if disagree else "", "size": size(case.delta)}
    key = {1: "verdict.raises", -1: "verdict.lowers", 0: "verdict.leaves"}[direction]
    return t(key, **rest, **values)


def _gap(case: Case, direction: int) -> str:
    """What a change (-1, 0 or 1) means for the gap to the oracle, as the rest of the sentence."""
    if case.oracle is None or case.gap is None or case.delta is None:
        return ""
    real = {"real": part_label(case.oracle.arm), "score": points(score(case.oracle))}
    if case.no_gap:
        return t("verdict.gap_none", **real)
    if direction < 0:
        return t("verdict.gap_widens", gap=points(case.gap), wider=points(case.gap - case.delta), **real)
    if direction == 0:
        return t("verdict.gap_stays", gap=points(case.gap), **real)
    if case.delta >= case.gap:
        return t("verdict.gap_closes", **real)
    return t("verdict.gap_share", share=100 * case.delta / case.gap, **real)
