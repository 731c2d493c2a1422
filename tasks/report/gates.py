"""The top of the report: the gates that were passed before training, and what translation broke."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tasks.datasets.checks import Check
from tasks.evaluate.audit.model import Audit, AuditCheck
from tasks.report.language import t
from tasks.report.model import AuditPart, Broken, Gate, TaskTable
from tasks.report.words import arm_label, change, measure, percent, task_name, translator_of

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

    Only what is sure: an interval below 0 after adjustment, or a measure over its threshold. The largest come first
    within each of the two.
    """
    worse = [b for table in tables for b in _classes(table)]
    yield from sorted(worse, key=lambda b: -b.measured)
    seen = [b for part in audits for b in _audited(part)]
    yield from sorted(seen, key=lambda b: (_TOLD.index(b.kind), -b.measured))


def _classes(table: TaskTable) -> Iterator[Broken]:
    for row in table.rows:
        name = translator_of(row.arm)
        if name is None or row.arm.startswith("real+"):
            continue
        for column, cell in zip(table.columns, row.cells, strict=True):
            if column.is_class and cell.outcome == "harms" and cell.delta is not None:
                told = change(cell.delta, cell.delta_low, cell.delta_high)
                label = arm_label(row.arm)
                yield Broken(
                    kind=table.task,
                    translator=name,
                    subject=column.name,
                    measured=-cell.delta,
                    unit="points",
                    sentence=t("page.broken_class", arm=label, task=task_name(table.task), name=column.name, told=told),
                )


def _audited(part: AuditPart) -> Iterator[Broken]:
    for check in part.audit.checks:
        if check.passed or check.name not in _TOLD:
            continue
        yield Broken(
            kind=check.name,
            translator=part.name,
            subject=check.subject,
            measured=check.measured,
            unit=check.unit,
            sentence=_sentence(part, check),
        )


def _sentence(part: AuditPart, check: AuditCheck) -> str:
    values = {"arm": arm_label(f"translated({part.name})"), "size": measure(check.measured, check.unit)}
    match check.name:
        case "flips":
            name, _, to = check.subject.partition(" -> ")
            if not to:
                return t("page.broken_flips_all", **values)
            return t("page.broken_flips", name=name, to=to, share=percent(_to(part.audit, name, to)), **values)
        case "detail":
            region, _, what = check.subject.partition(": ")
            key = what.replace(" ", "_")
            whole = t("page.whole_image") if region == "image" else region
            return t(f"page.broken_{key}", name=whole, **values)
        case "recall":
            found = next(r for r in part.audit.recall if r.size == check.subject)
            before, after = percent(found.before.value), percent(found.after.value)
            return t("page.broken_recall", boxes=t(f"page.boxes_{found.size}"), before=before, after=after, **values)
    return t("page.broken_geometry", **values)


def _to(audit: Audit, name: str, to: str) -> float | None:
    flips = next((c for c in audit.flips.classes if c.name == name), None) if audit.flips else None
    return flips.to.get(to) if flips else None
