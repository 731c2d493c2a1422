"""What a partner of real images saves of them, in words."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.catalogue import percent, points, t
from tasks.contracts import Saving
from tasks.report.intervals import scaled
from tasks.report.score_table import TaskTable
from tasks.report.words import arm_label, count


def savings(table: TaskTable) -> Iterable[str]:
    """A sentence for each partner of the data-efficiency curve."""
    if table.efficiency is not None:
        yield from (_told(saving, table.columns[0].name) for saving in table.efficiency.savings)


def _told(saving: Saving, metric: str) -> str:
    values = {
        "arm": arm_label(saving.arm),
        "metric": metric,
        "score": points(scaled(saving.score)),
        "images": count(saving.images, "image"),
        "share": percent(saving.reached),
    }
    if saving.needed is None:
        return t("tables.saves_none", **values)
    saved = saving.saved.value or 0.0
    values |= {"needed": count(round(saving.needed), "image"), "saved": f"{round(saved):,}"}
    said = [t("tables.saves_least" if saving.needed == saving.fewest else "tables.saves", **values)]
    low, high = saving.saved.low, saving.saved.high
    if low is None:
        said.append(t("tables.saves_unsure", **values))
    elif high is not None:
        said.append(t("tables.saves_interval", low=f"{round(low):,}", high=f"{round(high):,}"))
    return " ".join(said)
