"""What became of the scores of the arms that two reports both have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasks.catalogue import t
from tasks.contracts import Arm, Difference, Outcome, Task
from tasks.evaluate import Measured, Quantity, benjamini_hochberg
from tasks.report import Cell, Column, Report, Row, TaskTable, scaled
from tasks.trends.comparing import paired
from tasks.trends.comparing.model import ArmChange, Method, OneSided, ScoreChange
from tasks.trends.comparing.paired import Incomparable, Pairing, Unpaired
from tasks.trends.history.archive import Chain
from tasks.trends.history.chance import LEVEL, Independent, independent
from tasks.trends.history.trend import models


@dataclass(frozen=True)
class _Arm:
    """An arm in both reports, before anything is judged. found: its paired differences, where there are."""

    task: Task
    columns: tuple[Column, ...]
    cells: tuple[tuple[Cell, Cell], ...]
    arm: Arm
    method: Method
    reason: str
    same_models: bool | None
    found: Mapping[Quantity, Measured]


def benchmark(report: Report) -> str | None:
    """The digest of the content of a report's benchmark."""
    return next((d.digest for d in report.datasets if d.role == "benchmark"), None)


def counted(task: Task, report: Report) -> set[str]:
    """The classes that the means of a task are over."""
    columns = next((table.columns for table in report.tables if table.task == task), ())
    return {c.name for c in columns if c.is_class and c.counts}


def arm_changes(before: Report, after: Report, how: Pairing) -> list[ArmChange]:
    """Compare the arms that both reports have, task by task."""
    found: list[ArmChange] = []
    old = {table.task: table for table in before.tables}
    for table in after.tables:
        if table.task in old:
            found += _task(old[table.task], table, before, after, how)
    return found


def one_sided(before: Report, after: Report) -> list[OneSided]:
    """The arms that only one of the reports has."""
    rows = {"before": dict(_rows(before)), "after": dict(_rows(after))}
    return [
        OneSided(task=key[0], arm=key[1], side=side, metric=columns[0].name, value=row.cells[0].value)  # type: ignore[arg-type]
        for side, other in (("before", "after"), ("after", "before"))
        for key, (columns, row) in rows[side].items()
        if key not in rows[other]
    ]


def _rows(report: Report) -> Iterator[tuple[tuple[Task, str], tuple[tuple[Column, ...], Row]]]:
    for table in report.tables:
        yield from (((table.task, row.arm), (table.columns, row)) for row in table.rows)


def _task(old: TaskTable, new: TaskTable, before: Report, after: Report, how: Pairing) -> Iterator[ArmChange]:
    arms = [
        _arm(old, new, row, earlier, before, after, how)
        for row in new.rows
        if (earlier := old.row(row.arm)) is not None
    ]
    decided = paired.judged([arm.found for arm in arms], how.margin)
    for arm, differences in zip(arms, decided, strict=True):
        changes = list(_changes(arm, differences, 100 * how.margin))
        yield ArmChange(
            task=arm.task,
            arm=arm.arm,
            method=arm.method,
            reason=arm.reason,
            same_models=arm.same_models,
            metrics=tuple(c for c, column in zip(changes, arm.columns, strict=True) if not column.is_class),
            classes=tuple(c for c, column in zip(changes, arm.columns, strict=True) if column.is_class),
        )


def _arm(old: TaskTable, new: TaskTable, row: Row, earlier: Row, before: Report, after: Report, how: Pairing) -> _Arm:
    places = {(c.name, c.is_class): i for i, c in enumerate(old.columns)}
    both = [(i, places[c.name, c.is_class]) for i, c in enumerate(new.columns) if (c.name, c.is_class) in places]
    method, reason, found = _measured(new.task, row.arm, before, after, how)
    return _Arm(
        task=new.task,
        columns=tuple(new.columns[i] for i, _ in both),
        cells=tuple((earlier.cells[j], row.cells[i]) for i, j in both),
        arm=row.arm,
        method=method,
        reason=reason,
        same_models=_same_models(new.task, row.arm, before, after),
        found=found,
    )


def _measured(
    task: Task, arm: Arm, before: Report, after: Report, how: Pairing
) -> tuple[Method, str, Mapping[Quantity, Measured]]:
    """How the arm's differences are taken, why, and the paired ones."""
    old, new = (r.provenance.scored(task, arm) for r in (before, after))
    if old and {s: r.evaluation for s, r in old.items()} == {s: r.evaluation for s, r in new.items()}:
        return "identical", t("compare.identical"), {}
    if benchmark(before) != benchmark(after):
        return "incomparable", t("compare.other_benchmark"), {}
    if counted(task, before) != counted(task, after):
        return "incomparable", t("compare.other_classes"), {}
    try:
        found, told = paired.measured(task, old, new, how)
    except Incomparable as error:
        return "incomparable", t("compare.other_evidence", reason=str(error)), {}
    except Unpaired as error:
        return "independent", t("compare.independent", reason=str(error)), {}
    return "paired", told, found


def _same_models(task: Task, arm: Arm, before: Report, after: Report) -> bool | None:
    old, new = (
        models(Chain(scores=r.provenance.scores, nodes=r.provenance.nodes)).get((task, arm)) for r in (before, after)
    )
    return old == new if old and new else None


def _changes(arm: _Arm, differences: Mapping[Quantity, Difference], margin: float) -> Iterable[ScoreChange]:
    match arm.method:
        case "paired":
            return [_paired(arm, i, differences) for i in range(len(arm.columns))]
        case "independent":
            return _independent(arm, margin)
        case "identical":
            return [
                _shown(arm, i, delta=None if _unknown(arm, i) else 0.0, outcome=None) for i in range(len(arm.columns))
            ]
    return [_shown(arm, i, delta=None, outcome=None) for i in range(len(arm.columns))]


def _unknown(arm: _Arm, index: int) -> bool:
    return any(cell.value is None for cell in arm.cells[index])


def _shown(arm: _Arm, index: int, **values: object) -> ScoreChange:
    old, new = arm.cells[index]
    return ScoreChange.model_validate(
        {"name": arm.columns[index].name, "before": old.value, "after": new.value, **values}
    )


def _paired(arm: _Arm, index: int, differences: Mapping[Quantity, Difference]) -> ScoreChange:
    column = arm.columns[index]
    found = differences.get(("classes" if column.is_class else "metrics", column.name))
    if found is None or found.value is None:
        return _shown(arm, index)
    ends = {"delta": scaled(found.value), "low": scaled(found.low), "high": scaled(found.high)}
    return _shown(arm, index, **ends, outcome=found.outcome)


def _independent(arm: _Arm, margin: float) -> list[ScoreChange]:
    """Classes have to pass Benjamini-Hochberg as well."""
    found = [None if _unknown(arm, i) else independent(*cells) for i, cells in enumerate(arm.cells)]
    tested = [d.p if d and column.is_class else None for d, column in zip(found, arm.columns, strict=True)]
    changes = []
    for i, (difference, q) in enumerate(zip(found, benjamini_hochberg(tested), strict=True)):
        if difference is None:
            changes.append(_shown(arm, i))
            continue
        outcome = _outcome(difference, margin, q)
        ends = {"delta": difference.value, "low": difference.low, "high": difference.high}
        changes.append(
            _shown(arm, i, **{k: None if v is None else round(v, 4) for k, v in ends.items()}, outcome=outcome)
        )
    return changes


def _outcome(found: Independent, margin: float, q: float | None) -> Outcome | None:
    if found.low is None or found.high is None:
        return None
    if found.low > 0 or found.high < 0:
        passed = q is None or q < LEVEL
        return "not decidable" if not passed else "improves" if found.low > 0 else "harms"
    return "no difference" if -margin <= found.low and found.high <= margin else "not decidable"


def families(arms: Sequence[ArmChange]) -> dict[Task, list[ArmChange]]:
    """The arms by task."""
    return {task: [a for a in arms if a.task == task] for task in dict.fromkeys(a.task for a in arms)}
