"""The top of the report: the gates that were passed before training, and what translation broke."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tasks.audit import subject_label
from tasks.catalogue import say, t
from tasks.contracts import Arm, AuditCheck, Check
from tasks.report.model import AuditPart, Broken, Gate
from tasks.report.score_table import TaskTable
from tasks.report.words import arm_label, change, sign, task_name

DATA = "data"
_TOLD = ("flips", "detail", "recall", "geometry")  # colours and distances sum up what these say where


def gates(checks: Sequence[Check], audits: Iterable[AuditPart]) -> Iterator[Gate]:
    """The checks of the data sets, then each translation's audit; none of what was not checked."""
    if checks:
        yield _gate(DATA, checks)
    for part in audits:
        if part.audit.checks:
            yield _gate(part.name, part.audit.checks, len(part.audit.acted))


def _gate(name: str, checks: Sequence[Check] | Sequence[AuditCheck], acted: int = 0) -> Gate:
    failed = [c for c in checks if not c.passed]
    errors = any(c.severity == "error" for c in failed)
    outcome = "failed" if errors else "warned" if failed or acted else "passed"
    return Gate(name=name, outcome=outcome, passed=len(checks) - len(failed), checks=len(checks), acted=acted)  # type: ignore[arg-type]


def broken(tables: Iterable[TaskTable], audits: Iterable[AuditPart]) -> Iterator[Broken]:
    """Classes that translated images alone make worse than the baseline does, and what each audit saw break.

    Only what is sure, and shows in a tenth of a point: an interval below 0 after adjustment, or a measure over its
    threshold. The largest come first within each of the two; what was trained on comes before translations that no arm
    has.
    """
    tables = list(tables)
    worse = [b for table in tables for b in _classes(table)]
    yield from sorted(worse, key=lambda b: -b.measured)
    trained = {row.arm.translator for table in tables for row in table.rows}
    seen = [b for part in audits for b in _audited(part)]
    yield from sorted(seen, key=lambda b: (b.translator not in trained, _TOLD.index(b.kind), -b.measured))


def _classes(table: TaskTable) -> Iterator[Broken]:
    for row in table.rows:
        name = row.arm.translator
        if name is None or row.arm.mixed or not row.arm.simple:
            continue
        for column, cell in zip(table.columns, row.cells, strict=True):
            if column.is_class and cell.outcome == "harms" and cell.delta is not None and sign(cell.delta) < 0:
                told = change(cell.delta, cell.delta_low, cell.delta_high)
                values = {"task": task_name(table.task), "name": column.name, "told": told}
                yield Broken(
                    kind=table.task,
                    translator=name,
                    subject=column.name,
                    measured=-cell.delta,
                    unit="points",
                    sentence=t("page.broken_class", arm=row.label, **values),
                )


def _audited(part: AuditPart) -> Iterator[Broken]:
    for check in part.audit.checks:
        if check.passed or check.measure not in _TOLD:
            continue
        arm = arm_label(Arm.translated(part.name))
        yield Broken(
            kind=check.measure,
            translator=part.name,
            subject=subject_label(check),
            measured=check.measured,
            unit=check.unit,
            sentence=t("page.broken_audit", arm=arm, found=say(check.found)),
        )
