"""A comparison of two runs as Markdown, for a pull request's comment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tasks.catalogue import points, speaking, t
from tasks.report import MARKS, arm_label, change, escape, legend, task_label
from tasks.trends.comparing.model import ArmChange, Compared
from tasks.trends.comparing.parts import classes_line, head, only_line, sections
from tasks.trends.comparing.scores import families


def render_markdown(found: Compared) -> str:
    """Render the comparison, the summary first."""
    with speaking(found.language):
        return "\n".join(_lines(found)) + "\n"


def _lines(found: Compared) -> Iterator[str]:
    yield f"## {t('compare.title')}"
    yield ""
    yield from (f"- {escape(line)}" for line in head(found))
    yield ""
    yield from (f"> {escape(line)}  " for line in found.summary)
    for task, arms in families(found.arms).items():
        yield from ("", f"### {t('compare.scores', task=task_label(task))}", "")
        yield from _scores(arms)
        if classes := [line for arm in arms if (line := classes_line(arm))]:
            yield ""
            yield from (f"- {escape(line)}" for line in classes)
    if found.only:
        yield ""
        yield from (f"- {escape(only_line(o))}" for o in found.only)
    yield ""
    yield from (f"- {escape(note)}" for note in found.notes)
    if found.comparable and found.arms:
        yield f"- {escape(legend(found.margin))}"
    for title, settings in sections(found):
        yield from ("", f"### {title}", "")
        yield from _table(
            [t(f"compare.{name}") for name in ("what", "before", "after")],
            ([_code(s.key), _code(s.before), _code(s.after)] for s in settings),
        )


def _scores(arms: Sequence[ArmChange]) -> Iterator[str]:
    header = [t("compare.arm"), "", *(t(f"compare.{name}") for name in ("before", "after", "difference"))]
    yield from _table(
        header,
        (
            [
                escape(arm_label(arm.arm)),
                m.name,
                points(m.before),
                points(m.after),
                f"{MARKS[m.outcome] if m.outcome else ''} {change(m.delta, m.low, m.high)}".strip() or "-",
            ]
            for arm in arms
            for m in arm.metrics
        ),
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _code(text: str | None) -> str:
    return "-" if text is None else escape(text)
