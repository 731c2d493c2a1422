"""The verdict: what the run found for a task in one sentence, and how far that can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.evaluate.outcome import TaskComparison
from tasks.report.case import Case, score
from tasks.report.config import ReportConfig
from tasks.report.intervals import scaled
from tasks.report.model import TaskTable, Verdict
from tasks.report.notes import by_seed, notes
from tasks.report.record import Failure, Task
from tasks.report.words import METRICS, arm_label, arm_phrase, count, interval, points, sign, signed, translator_of


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
    metric = METRICS[task][0]
    rows = [r for r in table.rows if r.cells[0].value is not None] if table else []
    if not rows:
        failed = f": {count(len(failures), 'model')} failed" if failures else ""
        return Verdict(task=task, metric=metric, outcome="unknown", sentence=f"No {metric} was measured{failed}.")
    case = Case(metric, rows, failures, config, controls, compared)
    return Verdict(
        task=task,
        metric=metric,
        outcome=case.outcome,
        sentence=_sentence(case),
        notes=tuple(notes(case)),
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
        return f"No translated arm was scored, so nothing is known about translation ({case.metric}: {known})."
    if case.base is None:
        oracle = f", {arm_label(case.oracle.arm)} {points(score(case.oracle))}" if case.oracle else ""
        return (
            f"{arm_label(case.best.arm)} reaches {points(score(case.best))} {case.metric}{oracle}, but what "
            f"translation adds is unknown: {case.why_missing(case.base_name)}."
        )
    if case.difference is not None:
        return f"{_decided(case)}."
    disagree = len({sign(d) for d in by_seed(case).values()}) > 1
    doubt = "; the seeds disagree on the direction, so this is not settled" if disagree else ""
    return f"{_measured(case)}{_gap(case, sign(case.delta))}{doubt}."


def _decided(case: Case) -> str:
    """What the interval of the difference comes to."""
    assert case.best
    assert case.base
    assert case.difference
    low, high = scaled(case.difference.low), scaled(case.difference.high)
    label, over = arm_label(case.best.arm), arm_phrase(case.base.arm)
    numbers = f"({points(case.before)} → {points(case.after)})"
    told = f"{signed(case.delta)} {_unit(case.delta)} {interval(low, high)} against {over} {numbers}"
    match case.difference.outcome:
        case "improves":
            size = f"{points(case.delta)} {_unit(case.delta)} {interval(low, high)}"
            return f"{label} improves {case.metric} by {size} over {over} {numbers}{_gap(case, 1)}"
        case "harms":
            return f"{label} harms {case.metric}: {told}{_gap(case, -1)}"
        case "no difference":
            margin = f"{case.margin:g} {'point' if case.margin == 1 else 'points'}"
            return f"{label} makes no difference beyond {margin} in {case.metric}: {told}{_gap(case, 0)}"
    needs = f"; it would need {case.difference.needs}" if case.difference.needs else ""
    mixed = " added to real images" if case.mixed else ""
    name = f"translation ({translator_of(case.best.arm)}){mixed}"
    return f"Whether {name} changes {case.metric} is not decidable with this evidence: {told}{needs}"


def _measured(case: Case) -> str:
    """What the scores say without an interval."""
    assert case.best
    assert case.base
    assert case.delta is not None
    label, over = arm_label(case.best.arm), arm_phrase(case.base.arm)
    size, numbers = f"{points(abs(case.delta))} {_unit(case.delta)}", f"({points(case.before)} → {points(case.after)})"
    match sign(case.delta):
        case 1:
            return f"{label} raises {case.metric} by {size} over {over} {numbers}"
        case -1:
            return f"{label} lowers {case.metric} by {size} against {over} {numbers}"
    return f"{label} leaves {case.metric} where {over} put it {numbers}"


def _unit(delta: float | None) -> str:
    return "point" if points(abs(delta or 0.0)) == "1.0" else "points"


def _gap(case: Case, direction: int) -> str:
    """What a change (-1, 0 or 1) means for the gap to the oracle, as the rest of the sentence."""
    if case.oracle is None or case.gap is None or case.delta is None:
        return ""
    real = f"{arm_label(case.oracle.arm).lower()} ({points(score(case.oracle))})"
    if case.no_gap:
        return f"; there is no gap to speak of to {real}"
    if direction < 0:
        return f" and widens the gap to {real} from {points(case.gap)} to {points(case.gap - case.delta)} points"
    if direction == 0:
        return f"; the gap of {points(case.gap)} points to {real} stays"
    if case.delta >= case.gap:
        return f" and closes the gap to {real}"
    return f" and closes {100 * case.delta / case.gap:.0f} % of the gap to {real}"
