"""The report as Markdown, short enough for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tasks.evaluate.audit.model import AuditCheck
from tasks.report.audits import acted, failed, passed
from tasks.report.intervals import class_changes, mark
from tasks.report.model import Cell, Column, Report, Row, TaskTable
from tasks.report.words import arm_label, change, count, duration, interval, legend, measure, mixture, points

_FAILURES = 20  # as many as are listed
_ERROR_CHARS = 200


def render_markdown(report: Report) -> str:
    """Render all but pictures and the audits' tables as GitHub-flavoured Markdown."""
    blocks = [
        f"# {escape(report.title)}",
        f"Run **{escape(report.name)}**, finished {report.finished:%Y-%m-%d %H:%M} UTC",
    ]
    blocks += _verdicts(report)
    blocks += _failures(report)
    for table in report.tables:
        blocks += _table(table)
    blocks += _audits(report)
    blocks += _cost(report)
    blocks += _rejected(report)
    blocks += _checks(report)
    blocks += _provenance(report)
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    """Make text from outside (names of files and classes, errors) plain in Markdown, in a table's cell too."""
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def first_line(error: str) -> str:
    """The line of an error that says most, cut to a readable length: the last of a traceback, else the first."""
    lines = [line.strip() for line in error.splitlines() if line.strip()] or ["no message"]
    line = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    return line if len(line) <= _ERROR_CHARS else line[: _ERROR_CHARS - 1] + "…"


def _verdicts(report: Report) -> Iterable[str]:
    if not report.verdicts:
        yield "**Nothing was trained or scored in this run.**"
    for verdict in report.verdicts:
        notes = "\n".join(f"> * {escape(n)}" for n in verdict.notes)
        yield f"> **{verdict.task.capitalize()}.** {escape(verdict.sentence)}" + (f"\n>\n{notes}" if notes else "")


def _failures(report: Report) -> Iterable[str]:
    if report.failures:
        lines = [f"**{count(len(report.failures), 'model')} failed:**", ""]
        lines += [
            f"* {f.task}, {escape(arm_label(f.arm))}, seed {f.seed}: {escape(first_line(f.error))}"
            for f in report.failures[:_FAILURES]
        ]
        if len(report.failures) > _FAILURES:
            lines.append(f"* and {len(report.failures) - _FAILURES} more")
        yield "\n".join(lines)
    if report.problems:
        lines = [f"* {escape(p)}" for p in report.problems[:_FAILURES]]
        if len(report.problems) > _FAILURES:
            lines.append(f"* and {len(report.problems) - _FAILURES} more")
        yield "\n".join(["**Not in this report, because it could not be read:**", "", *lines])


def _table(table: TaskTable) -> Iterable[str]:
    yield f"## {table.task.capitalize()}"
    header = ["Trained on", "Images", *(escape(_heading(c)) for c in table.columns)]
    lines = [_line(header), _line(["---"] + ["---:"] * (len(header) - 1))]
    lines += [_line(_cells(row, table.columns)) for row in table.rows]
    yield "\n".join(lines)
    if table.margin is not None:
        yield legend(table.margin)
    arms = [row for row in table.rows if row.role != "oracle"]
    if classes := [f"* {escape(f'{row.label}. {told}')}" for row in arms if (told := class_changes(table, row))]:
        yield "\n".join(["**Classes, against the baseline:**", "", *classes])
    protocol = [
        f"{f.name} {escape(f.value)}" + (" **(differs between arms)**" if f.differs else "") for f in table.protocol
    ]
    yield " · ".join(protocol)
    yield "\n".join(f"* {escape(n)}" for n in table.notes)


def _heading(column: Column) -> str:
    return column.name if column.boxes is None else f"{column.name} ({count(column.boxes, 'box', 'boxes')})"


def _cells(row: Row, columns: Sequence[Column]) -> list[str]:
    images = "-" if row.train_images is None else f"{row.train_images:,}"
    images += f" ({escape(mixture(row.images))})" if mixture(row.images) else ""
    role = f" ({row.role})" if row.role != "other" else ""
    cells = zip(row.cells, columns, strict=True)
    return [escape(row.label) + role, images, *(_cell(cell, not column.is_class) for cell, column in cells)]


def _cell(cell: Cell, with_delta: bool) -> str:
    text = f"**{points(cell.value)}**" if cell.best else points(cell.value)
    if not with_delta:
        return text
    text = f"{text} {interval(cell.low, cell.high)}".rstrip()
    told = f"{mark(cell)} {change(cell.delta, cell.delta_low, cell.delta_high)}".strip()
    return f"{text} ({told})" if cell.delta is not None else text


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _audits(report: Report) -> Iterable[str]:
    if report.audits:
        yield "## Audit of the translations"
    for part in report.audits:
        checks = failed(part.audit)
        passes = f" {passed(part.audit)}." if part.audit.checks else ""
        lines = [f"**{escape(arm_label(f'translated({part.name})'))}.** {escape(part.summary)}{passes}"]
        lines += [f"\n{escape(acted(part.audit))}"] if part.audit.acted else []
        lines += ["", *(_check(c) for c in checks[:_FAILURES])] if checks else []
        lines += [f"* and {len(checks) - _FAILURES} more"] if len(checks) > _FAILURES else []
        yield "\n".join(lines)


def _check(check: AuditCheck) -> str:
    figures = f"{measure(check.measured, check.unit)}, at most {measure(check.threshold, check.unit)}"
    return f"* {check.severity}, {escape(f'{check.name}, {check.subject} ({figures}): {check.message}')}"


def _cost(report: Report) -> Iterable[str]:
    yield f"**Cost** {duration(report.total_seconds)} for all stages, whenever they were built."
    speeds = [
        f"{escape(t.name)} {t.images_per_second:.1f}" for t in report.translators if t.images_per_second is not None
    ]
    if speeds:
        yield f"**Translation speed** (images/s): {', '.join(speeds)}."


def _rejected(report: Report) -> Iterable[str]:
    each = [f"{d.role} {escape(d.dataset)} {d.rejected:,} beside {count(d.images, 'image')}" for d in report.datasets]
    yield f"**Rejected files** {'; '.join(each)}."


def _checks(report: Report) -> Iterable[str]:
    failed = [c for c in report.checks if not c.passed]
    if report.checks:
        passed = f"{len(report.checks) - len(failed)} of {len(report.checks)} passed"
        lines = [f"* {c.severity}, {escape(c.role)}, {escape(c.name)}: {escape(c.message)}" for c in failed]
        yield "\n".join([f"**Checks of the data sets** {passed}.", *([""] if lines else []), *lines])


def _provenance(report: Report) -> Iterable[str]:
    commits = sorted({str(e.get("git") or "not in a git checkout") for e in report.provenance.environments})
    yield f"**Code** {', '.join(f'`{c}`' for c in commits)}. Every score's way back to its data is in report.html."
