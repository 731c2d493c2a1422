"""Learning curves as small SVG line charts: one an arm, all of a task on the same scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.report.model import Curve
from tasks.report.words import arm_label

WIDTH, HEIGHT = 220.0, 90.0  # of the drawing area, in SVG units
_TOP_SHARE = 0.98  # of the points lie below the top: the first iterations' spike may be cut off


@dataclass(frozen=True)
class Chart:
    """An arm's chart: an SVG ``points`` attribute for each seed, the scales' ends, and the mean of the last losses."""

    label: str
    lines: tuple[str, ...]
    iterations: float
    bottom: float
    top: float
    last: float


def charts(curves: Sequence[Curve]) -> list[Chart]:
    """Draw the curves of a task: y from 0 (or the lowest loss, where negative) to the top that all charts share."""
    if not curves:
        return []
    losses = sorted(y for c in curves for _, y in c.points)
    top, bottom = (losses[min(len(losses) - 1, int(_TOP_SHARE * len(losses)))], min(0.0, losses[0]))
    end = max(c.points[-1][0] for c in curves) or 1.0
    span = (top - bottom) or 1.0

    def line(curve: Curve) -> str:
        clipped = ((x, min(y, top)) for x, y in curve.points)
        return " ".join(f"{WIDTH * x / end:.1f},{HEIGHT * (1 - (y - bottom) / span):.1f}" for x, y in clipped)

    found = []
    for arm in dict.fromkeys(c.arm for c in curves):
        mine = [c for c in curves if c.arm == arm]
        last = sum(c.points[-1][1] for c in mine) / len(mine)
        found.append(Chart(arm_label(arm), tuple(line(c) for c in mine), end, bottom, top, last))
    return found
