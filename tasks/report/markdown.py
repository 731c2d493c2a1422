"""The report as Markdown, short enough for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from tasks.audit import check_sentence, measure_label, subject_label
from tasks.catalogue import say, speaking, t
from tasks.contracts import Arm, AuditCheck
from tasks.report.audits import acted, failed, passed
from tasks.report.fitting import LINE_CHARS, Rank, TextBlock, escape, fit, listing, short
from tasks.report.gates import DATA
from tasks.report.intervals import class_changes
from tasks.report.markdown_table import at_a_glance, by_part, protocol, scores
from tasks.report.model import AuditPart, Cost, Gate, Report
from tasks.report.savings import savings
from tasks.report.words import (
    arm_label,
    check_label,
    count,
    duration,
    legend,
    listed,
    measure,
    memory,
    role_label,
    roles_label,
    severity_label,
    stage_label,
    sums,
    task_label,
    task_name,
)

ROOM = 60_000  # characters; GitHub takes 65,536
_LISTED, _BROKEN, _SEVERAL = 20, 6, 12  # as many are listed of most things, of what broke, and within a line


def render_markdown(report: Report) -> str:
    """Render all but pictures and the audits' tables as GitHub-flavoured Markdown of at most ``ROOM`` characters.

    Where all of it is more, its lists are shortened, the least important first; it says what is left out.
    """
    parts = (_head, _verdicts, _gates, _glance, _failures, _tables, _audits, _cost, _rejected, _checks, _provenance)
    with speaking(report.language):
        return fit(list(chain.from_iterable(part(report) for part in parts)), ROOM)


def first_line(error: str) -> str:
    """The line of an error that says most, cut to a readable length: the last of a traceback, else the first."""
    lines = [line.strip() for line in error.splitlines() if line.strip()] or [t("markdown.no_message")]
    line = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    return line if len(line) <= LINE_CHARS else line[: LINE_CHARS - 1] + "…"


def gate_words(gate: Gate) -> str:
    """A gate in a line: ``cut: passed with warnings, 11 of 14 checks, 3 images left out or replaced``."""
    name = t("markdown.gate_data") if gate.name == DATA else gate.name
    outcome, checks = t(f"markdown.gate_{gate.outcome}"), count(gate.checks, "check")
    told = t("markdown.gate", name=name, outcome=outcome, passed=gate.passed, checks=checks)
    return told + (t("markdown.gate_acted", images=count(gate.acted, "image")) if gate.acted else "")


def _head(report: Report) -> Iterable[TextBlock]:
    yield TextBlock((f"# {escape(report.title, LINE_CHARS)}",))
    yield TextBlock((t("markdown.run", name=short(report.name), moment=f"{report.finished:%Y-%m-%d %H:%M}"),))


def _verdicts(report: Report) -> Iterable[TextBlock]:
    if not report.verdicts:
        yield TextBlock((t("markdown.nothing"),))
    for verdict in report.verdicts:
        told = "> " + t("markdown.verdict", task=task_label(verdict.task), sentence=escape(verdict.sentence))
        notes = [escape(n) for n in verdict.notes]
        yield listing(f"{told}\n>", notes, Rank.VERDICTS, len(notes), "> * ") if notes else TextBlock((told,))


def _gates(report: Report) -> Iterable[TextBlock]:
    if report.gates:
        each = [escape(gate_words(g), LINE_CHARS) for g in report.gates[:_SEVERAL]]
        rest = len(report.gates) - len(each)
        yield TextBlock(
            (t("markdown.gates", gates="; ".join([*each, *([t("markdown.more", n=rest)] if rest else [])])),)
        )
    if report.broken:
        yield _list("markdown.broken", [escape(b.sentence) for b in report.broken], Rank.VERDICTS, _BROKEN)


def _glance(report: Report) -> Iterable[TextBlock]:
    if report.glance:
        yield TextBlock((f"## {t('glance.title')}",))
        yield TextBlock(tuple(at_a_glance(report.glance)), Rank.TABLES)


def _list(key: str, items: Sequence[str], rank: Rank, most: int = _LISTED, **values: str) -> TextBlock:
    """A list below the text of a key."""
    return listing(f"{t(key, **values)}\n", items, rank, most)


def _failures(report: Report) -> Iterable[TextBlock]:
    if report.failures:
        each = [
            t(
                "markdown.failure",
                task=task_name(f.task),
                arm=short(arm_label(f.arm)),
                seed=f.seed,
                error=escape(first_line(f.error)),
            )
            for f in report.failures
        ]
        yield _list("markdown.failed", each, Rank.FAILURES, models=count(len(each), "model"))
    if report.problems:
        yield _list("markdown.problems", [escape(p, LINE_CHARS) for p in report.problems], Rank.PROBLEMS)


def _tables(report: Report) -> Iterable[TextBlock]:
    for table in report.tables:
        yield TextBlock((f"## {task_label(table.task)}",))
        yield TextBlock(tuple(scores(table)), Rank.TABLES)
        if table.margin is not None:
            yield TextBlock((legend(table.margin),))
        yield from (TextBlock((escape(told),)) for told in savings(table))
        arms = [row for row in table.rows if row.role != "oracle"]
        told = [(row.label, class_changes(table, row)) for row in arms]
        if classes := [escape(t("markdown.of_arm", label=label, told=text)) for label, text in told if text]:
            yield _list("markdown.classes", classes, Rank.CLASSES)
        if table.slices:
            yield TextBlock((*by_part(table), ""), Rank.CLASSES)
        yield TextBlock((protocol(table),))
        yield listing("", [escape(n) for n in table.notes], Rank.NOTES, len(table.notes))


def _audits(report: Report) -> Iterable[TextBlock]:
    if report.audits:
        yield TextBlock((f"## {t('markdown.audits')}",))
    for part in report.audits:
        label = short(arm_label(Arm.translated(part.name)))
        passes = f" {passed(part.audit)}." if part.audit.checks else ""
        head = f"**{label}.** {escape(part.summary)}{passes}"
        head += f"\n\n{escape(acted(part.audit))}" if part.audit.acted else ""
        yield _audit(head, f"**{label}.**{passes}", part)


def _audit(head: str, least: str, part: AuditPart) -> TextBlock:
    """What an audit found; at the least, how many of its checks passed."""
    checks = [_check(c) for c in failed(part.audit)]
    whole = listing(f"{head}\n", checks, Rank.AUDITS, _LISTED) if checks else TextBlock((head,), Rank.AUDITS)
    return TextBlock((*whole.versions, least), Rank.AUDITS)


def _check(check: AuditCheck) -> str:
    figures = t(
        "markdown.at_most",
        measured=measure(check.measured, check.unit),
        threshold=measure(check.threshold, check.unit),
    )
    told = t(
        "markdown.check",
        severity=severity_label(check.severity),
        name=measure_label(check.measure),
        subject=subject_label(check),
        figures=figures,
        sentence=check_sentence(check),
    )
    return escape(told)


def _cost(report: Report) -> Iterable[TextBlock]:
    told = [t("markdown.cost", total=duration(report.total_seconds))]
    told += [
        t(f"markdown.{name}", memory=memory(getattr(most, name)), stage=escape(stage_label(most.stage), LINE_CHARS))
        for name in ("peak_memory", "peak_gpu_memory")
        if (most := _most(report.costs, name)) is not None
    ]
    yield TextBlock((" ".join(told),))
    speeds = {r.name: r.images_per_second for r in report.translators if r.images_per_second is not None}
    if speeds:
        each = listed((f"{short(name)} {speed:.1f}" for name, speed in speeds.items()), _SEVERAL)
        yield TextBlock((t("markdown.speed", each=each),))


def _most(costs: Sequence[Cost], name: str) -> Cost | None:
    """The stage that held most memory of a kind; None where none was measured."""
    measured = [c for c in costs if getattr(c, name) is not None]
    return max(measured, key=lambda c: getattr(c, name), default=None)


def _rejected(report: Report) -> Iterable[TextBlock]:
    each = [
        t(
            "markdown.rejected_of",
            role=role_label(d.role),
            dataset=short(d.dataset),
            n=d.rejected,
            images=count(d.images, "image"),
        )
        for d in report.datasets
    ]
    yield TextBlock((t("markdown.rejected", each="; ".join(each)),))
    counted = [d for d in report.datasets if d.counts is not None]
    if counted:
        yield TextBlock(tuple(f"- {role_label(d.role)}: {sums(d.counts)}" for d in counted if d.counts is not None))


def _checks(report: Report) -> Iterable[TextBlock]:
    if not report.checks:
        return
    each = [
        escape(
            t(
                "markdown.data_check",
                severity=severity_label(c.severity),
                role=roles_label(c.roles),
                name=check_label(c.name),
                message=say(c.finding),
            )
        )
        for c in report.checks
        if not c.passed
    ]
    nothing = sum(c.nothing for c in report.checks)
    made = len(report.checks) - nothing
    told = t("markdown.checks", n=made, passed=made - len(each))
    told += f" {t('checks.nothing', n=nothing)}." if nothing else ""
    yield listing(f"{told}\n", each, Rank.CHECKS, len(each)) if each else TextBlock((told,))


def _provenance(report: Report) -> Iterable[TextBlock]:
    commits = sorted({str(e.get("git") or t("markdown.no_commit")) for e in report.provenance.environments})
    yield TextBlock((t("markdown.code", commits=listed((f"`{c[:LINE_CHARS]}`" for c in commits), _SEVERAL)),))
