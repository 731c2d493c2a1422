"""The report at the terminal: what a flow prints when it ends."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tasks.audit import check_sentence
from tasks.catalogue import ABSENT, points, speaking, t
from tasks.contracts import Arm, Artifact, RunRecord
from tasks.report.audits import acted, failed
from tasks.report.glance import Glance, GlanceCell
from tasks.report.glance_rows import label, printed, printed_interval
from tasks.report.intervals import mark
from tasks.report.markdown import first_line, gate_words
from tasks.report.model import AuditPart, Outcome, Report
from tasks.report.savings import savings
from tasks.report.score_table import Cell, TaskTable
from tasks.report.words import (
    arm_label,
    count,
    duration,
    interval,
    legend,
    mixture,
    severity_label,
    sign,
    signed,
    stage_label,
    task_name,
)

_STYLES = {"improves": "green", "harms": "red"}
_GATES = {"passed": "green", "warned": "yellow", "failed": "red"}
_SIGNS = {1: "green", -1: "red", 0: "dim"}


def print_report(artifact: Artifact, record: RunRecord, console: Console | None = None) -> None:
    """Print verdicts, gates, tables, audits, failures, and what was built or found, in the report's language.

    Args:
        artifact: what ``write_report`` returned.
        record: the run's record; it knows what this run found finished.
    """
    report = Report.read(artifact.path)
    with speaking(report.language):
        _print(report, record, console or Console())


def _print(report: Report, record: RunRecord, console: Console) -> None:
    for verdict in report.verdicts:
        body = Text(verdict.sentence, style="bold")
        for note in verdict.notes:
            body.append(f"\n· {note}", style="not bold dim")
        style = _style(verdict.outcome)
        console.print(Panel(body, title=task_name(verdict.task), title_align="left", border_style=style))
    if report.glance:
        console.print(_glance(report.glance))
    for gate in report.gates:
        console.print(Text(gate_words(gate), style=_GATES[gate.outcome]))
    for table in report.tables:
        console.print(_scores(table))
        if table.slices:
            console.print(_by_part(table))
        for line in _beside(table):
            console.print(Text(line, style="dim"))
    for part in report.audits:
        _print_audit(part, console)
    for failure in report.failures:
        values = {"task": task_name(failure.task), "arm": arm_label(failure.arm), "seed": failure.seed}
        console.print(Text(t("terminal.failed", error=first_line(failure.error), **values), style="red"))
    for problem in report.problems:
        console.print(Text(problem, style="yellow"))
    console.print(_stages(record))


def _glance(found: Glance) -> Table:
    """Measures downwards, so that many translators fit a narrow terminal; why something is missing is in the page."""
    shown = Table(title=t("glance.title"), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    shown.add_column("", no_wrap=True)
    for row in found.rows:
        shown.add_column(escape(label(row)), justify="right", overflow="fold")
    for index, measure in enumerate(cell.measure for cell in found.rows[0].cells):
        shown.add_row(t(f"glance.{measure}"), *(_glance_cell(row.cells[index]) for row in found.rows))
    return shown


def _glance_cell(cell: GlanceCell) -> Text:
    text = Text(f"{mark(cell)} {printed(cell)}".strip(), style="bold" if cell.best else "")
    if cell.value is None:
        return Text(ABSENT, style="dim")
    if told := printed_interval(cell):
        text.append(f"\n{told}", style="not bold dim")
    return text


def _scores(table: TaskTable) -> Table:
    """Metrics and classes downwards, so that many classes fit a narrow terminal."""
    title = t("terminal.points", task=task_name(table.task))
    printed = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    printed.add_column("", no_wrap=True)
    for row in table.rows:
        printed.add_column(escape(row.label), justify="right", overflow="fold")
    for index, column in enumerate(table.columns):
        last_metric = not column.is_class and (index + 1 == len(table.columns) or table.columns[index + 1].is_class)
        printed.add_row(
            escape(column.name),
            *(_cell(r.cells[index], not column.is_class) for r in table.rows),
            end_section=last_metric,
        )
    return printed


def _by_part(table: TaskTable) -> Table:
    """The first metric by part of the benchmark."""
    title = t("slices.title", metric=table.columns[0].name)
    printed = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    printed.add_column("", overflow="fold")
    printed.add_column(t("slices.images"), justify="right")
    for row in table.rows:
        printed.add_column(escape(row.label), justify="right", overflow="fold")
    for part in table.slices:
        printed.add_row(escape(part.label), f"{part.images:,}", *(_cell(cell, False) for cell in part.cells))
    return printed


def _cell(cell: Cell, with_delta: bool) -> Text:
    """A metric's interval and difference on lines of their own; of a class, the mark alone."""
    text = Text(points(cell.value), style="bold" if cell.best else "")
    color = _style(cell.outcome, "dim") if cell.outcome else _SIGNS[sign(cell.delta)]
    if not with_delta:
        text.append(f" {mark(cell)}" if cell.outcome else "", style=f"not bold {color}")
        return text
    if cell.low is not None:
        text.append(f"\n{interval(cell.low, cell.high)}", style="not bold dim")
    if cell.delta is not None:
        text.append(f"\n{mark(cell)} {signed(cell.delta)}".replace("\n ", "\n"), style=f"not bold {color}")
    if cell.delta_low is not None:
        text.append(f"\n{interval(cell.delta_low, cell.delta_high)}", style="not bold dim")
    return text


def _style(outcome: Outcome, other: str = "yellow") -> str:
    return _STYLES.get(outcome, other)


def _beside(table: TaskTable) -> Iterable[str]:
    """What the table's figures mean and hold under."""
    if table.margin is not None:
        yield legend(table.margin)
    yield from savings(table)
    yield from (
        t("terminal.mixture", arm=row.label, images=m) for row in table.rows if (m := mixture(row.images, row.drawn))
    )
    yield ", ".join(t("terminal.fact", name=f.name, value=f.value) for f in table.protocol)


def _print_audit(part: AuditPart, console: Console) -> None:
    label = arm_label(Arm.translated(part.name))
    text = Text(f"{label}: ", style="bold").append(part.summary, style="not bold")
    console.print(text)
    for check in failed(part.audit):
        style = "red" if check.severity == "error" else "yellow"
        sentence = check_sentence(check)
        console.print(
            Text(t("terminal.check", severity=severity_label(check.severity), sentence=sentence), style=style)
        )
    if told := acted(part.audit):
        console.print(Text(told))


def _stages(record: RunRecord) -> Table:
    artifacts = record.artifacts()
    built = {a.key: a.seconds for a in artifacts.values() if not a.cached}
    caption = t("terminal.built_in", artifacts=count(len(built), "artifact"), took=duration(sum(built.values())))
    printed = Table(
        title=t("terminal.stages"),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        caption=caption,
        caption_justify="left",
    )
    printed.add_column(t("terminal.stage"))
    printed.add_column(t("terminal.took"), justify="right")
    printed.add_column(t("terminal.this_run"))
    for stage, artifact in artifacts.items():
        state = Text(t("terminal.found"), style="dim") if artifact.cached else Text(t("terminal.built"))
        printed.add_row(escape(stage_label(stage)), duration(artifact.seconds), state)
    return printed
