"""Which classes count in the means; without what training needs, so that a configuration is looked at in no time."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.contracts import Task
from tasks.datasets import TableInfo
from tasks.evaluate.config import EvaluateConfig


def left_out_of(kind: Task, config: EvaluateConfig, infos: Sequence[TableInfo]) -> tuple[str, ...]:
    """Those that some side's labels cannot have, where only shared ones count; see ``scoring_problems`` for all."""
    if config.classes == "benchmark":
        return ()
    return tuple(sorted({n for i in infos for n in (i.impossible_boxes if kind == "detection" else i.impossible)}))
