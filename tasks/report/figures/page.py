"""The figures of a report by where they belong: a task's, a translator's, and that of all translators.

One that cannot be drawn is left out.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable

from tasks.charts import Figure
from tasks.contracts import Arm
from tasks.report.figures.classes import classes
from tasks.report.figures.curves import curves
from tasks.report.figures.differences import differences
from tasks.report.figures.domains import domains
from tasks.report.figures.efficiency import efficiency
from tasks.report.figures.flips import flips
from tasks.report.figures.gap import gap
from tasks.report.figures.scores import scores
from tasks.report.figures.slices import slices
from tasks.report.figures.trade import trade
from tasks.report.glance import Glance
from tasks.report.model import AuditPart
from tasks.report.score_table import TaskTable
from tasks.report.words import arm_label

log = logging.getLogger(__name__)


def of_task(table: TaskTable, best: str | None = None, with_scores: bool = False) -> list[Figure]:
    """Differences to the baseline, data efficiency, learning curves, and classes and parts by difference.

    Args:
        table: of a task.
        best: the arm that the verdict is about.
        with_scores: also the bars of the scores, which the page has in its verdict.
    """
    makers: list[Callable[[], Figure | None]] = [
        functools.partial(f, table) for f in (differences, efficiency, curves, classes)
    ]
    makers += [functools.partial(f, table, with_real=True) for f in (classes, slices)]
    makers.insert(-1, functools.partial(slices, table))
    if with_scores:
        makers.insert(0, functools.partial(scores, table, best))
    return _drawn(table.task, makers)


def of_audit(part: AuditPart) -> list[Figure]:
    """The map of domains, flips by class and the colour gap by class of a translated set, in the spoken language."""
    name = arm_label(Arm.translated(part.name))
    return _drawn(part.name, [functools.partial(f, part, name) for f in (domains, flips, gap)])


def of_translators(found: Glance) -> list[Figure]:
    """What the translators trade, closeness to real against labels, in the spoken language."""
    return _drawn("translators", [functools.partial(trade, found)])


def _drawn(of: str, makers: Iterable[Callable[[], Figure | None]]) -> list[Figure]:
    found = []
    for make in makers:
        try:
            figure = make()
            if figure is not None and figure.svg:  # drawn now, so that nothing can fail in the middle of a page
                found.append(figure)
        except Exception as error:  # noqa: BLE001 - a figure that cannot be drawn costs itself, not the report
            log.warning("a figure of %s could not be drawn: %s: %s", of, type(error).__name__, error)
    return found
