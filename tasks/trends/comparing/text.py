"""A comparison of two runs at the terminal, 80 columns wide."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.catalogue import points, speaking, t
from tasks.report import MARKS, arm_label, change, legend, task_label
from tasks.trends.comparing.model import ArmChange, Compared, ScoreChange, Setting
from tasks.trends.comparing.parts import classes_line, head, only_line, sections
from tasks.trends.comparing.scores import families

_STYLES = {"improves": "green", "harms": "red"}


def print_text(found: Compared, console: Console | None = None) -> None:
    """Print what changed, what became of the scores, and the summary last."""
    console = console or Console()
    with speaking(found.language):
        for line in head(found):
            console.print(Text(line, style="bold"))
        for title, settings in sections(found):
            console.print(_settings(title, settings))
        for task, arms in families(found.arms).items():
            console.print(_scores(t("compare.scores", task=task_label(task)), arms))
            for line in filter(None, map(classes_line, arms)):
                console.print(Text(line))
        for only in found.only:
            console.print(Text(only_line(only)))
        for note in (*found.notes, *([legend(found.margin)] if found.comparable and found.arms else [])):
            console.print(Text(f"· {note}", style="dim"))
        console.print()
        for line in found.summary:
            console.print(Text(line, style="bold"))


def _table(title: str) -> Table:
    return Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)


def _settings(title: str, settings: Sequence[Setting]) -> Table:
    table = _table(title)
    for name in ("what", "before", "after"):
        table.add_column(t(f"compare.{name}"), overflow="fold")
    for s in settings:
        table.add_row(Text(s.key), Text(s.before or "-"), Text(s.after or "-"), style="" if s.scores else "dim")
    return table


def _scores(title: str, arms: Sequence[ArmChange]) -> Table:
    table = _table(title)
    table.add_column(t("compare.arm"), overflow="fold")
    table.add_column("", no_wrap=True)
    for name in ("before", "after"):
        table.add_column(t(f"compare.{name}"), justify="right", no_wrap=True)
    table.add_column(t("compare.difference"), no_wrap=True)
    for arm in arms:
        for i, m in enumerate(arm.metrics):
            label = Text(arm_label(arm.arm) if i == 0 else "")
            table.add_row(label, m.name, points(m.before), points(m.after), _difference(m))
    return table


def _difference(m: ScoreChange) -> Text:
    mark = MARKS[m.outcome] if m.outcome else " "
    told = change(m.delta, m.low, m.high)
    return Text(f"{mark} {told}" if told else "-", style=_STYLES.get(m.outcome or "", ""))
