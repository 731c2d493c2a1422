"""Translators at a glance, as plain data: one row a translator, one cell a measure."""

from __future__ import annotations

from typing import Literal, get_args

from tasks.contracts import Frozen, Outcome

GlanceMeasure = Literal[
    "distance", "flips", "detail", "accuracy", "recall", "speed", "training", "segmentation", "detection"
]
MEASURES: tuple[GlanceMeasure, ...] = get_args(GlanceMeasure)
LESS_IS_BETTER = frozenset[GlanceMeasure]({"distance", "flips", "training"})


class GlanceCell(Frozen):
    """One measure of one translator.

    Attributes:
        measure: ``distance`` to the real set; ``flips``, ``detail`` (kept in thin classes), ``accuracy`` (of the judge
            on the labels) and ``recall`` as shares from 0 to 1; ``speed`` in images a second; ``training`` in seconds;
            ``segmentation`` and ``detection``: the gain in mIoU and mAP, in points.
        value: None where it was not measured. low, high: its 95 % interval, where one is known.
        outcome: of a gain, what it comes to.
        best: the best of the translators that change something, as printed.
        about: what the value is of, in words. missing: why there is none, in words.
    """

    measure: GlanceMeasure
    value: float | None = None
    low: float | None = None
    high: float | None = None
    outcome: Outcome | None = None
    best: bool = False
    about: str = ""
    missing: str = ""


class GlanceRow(Frozen):
    """A translator; ``source`` is the simulator's own images, a ``control`` a translator that changes nothing."""

    name: str
    kind: Literal["source", "control", "translator"]
    cells: tuple[GlanceCell, ...]

    def cell(self, measure: GlanceMeasure) -> GlanceCell:
        """The cell of a measure."""
        return next(c for c in self.cells if c.measure == measure)


class Glance(Frozen):
    """All translators of a run; the simulator's own images come first, as what they are to be measured by.

    Attributes:
        distance: name of the distance; None where none was measured. floor: between two halves of the real set.
        judge_accuracy, judge_miou: the judge's own scores on the real benchmark, 0 to 1: how far its word goes.
    """

    distance: str | None = None
    floor: float | None = None
    judge_accuracy: float | None = None
    judge_miou: float | None = None
    rows: tuple[GlanceRow, ...]

    @property
    def has_intervals(self) -> bool:
        """Whether any cell has one."""
        return any(c.low is not None for row in self.rows for c in row.cells)
