"""Whether two scores from different runs differ by more than chance, from the intervals that their reports give."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from tasks.report import Cell

_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf(0.975)
LEVEL = 0.05


@dataclass(frozen=True)
class Independent:
    """A difference of two independent estimates, in points.

    Attributes:
        value: after minus before. low, high: its 95 % interval; None where one of the estimates has no usable one.
        p: two-sided, of no difference, by the normal distribution that the interval stands for.
    """

    value: float
    low: float | None = None
    high: float | None = None
    p: float | None = None


def independent(before: Cell, after: Cell) -> Independent:
    """The difference of two scores, both known, as if they had nothing in common.

    Each end is the value plus or minus the root of the sum of squares of the half widths that lead there, which keeps
    the skew of the intervals (Zou and Donner, Statistics in Medicine, 2008). Scores of the same images rise and fall
    together, so that this is wider than what a paired comparison gives.
    """
    assert before.value is not None
    assert after.value is not None
    value = after.value - before.value
    if not (_usable(before) and _usable(after)):
        return Independent(value)
    assert before.low is not None
    assert before.high is not None
    assert after.low is not None
    assert after.high is not None
    low = value - math.hypot(after.value - after.low, before.high - before.value)
    high = value + math.hypot(after.high - after.value, before.value - before.low)
    return Independent(value, low, high, _p(value, high - value if value < 0 else value - low))


def _usable(cell: Cell) -> bool:
    """An interval without width is one, if at all, at 0 and 100: elsewhere a single image shows the class."""
    if cell.low is None or cell.high is None:
        return False
    return cell.high > cell.low or cell.value in (0.0, 100.0)


def _p(value: float, half: float) -> float:
    if value == 0:
        return 1.0
    return 0.0 if half == 0 else 2 * (1 - _NORMAL.cdf(_Z * abs(value) / half))
