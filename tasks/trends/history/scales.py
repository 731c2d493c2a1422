"""Axes of a chart over time: where ticks go, and what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tasks.charts import round_step

_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
_DAYS = (1, 2, 3, 5, 7, 10, 14)
_MONTHS = (1, 2, 3, 6, 12)
_ROOMY = 6  # with fewer ticks than that there is no room for years


@dataclass(frozen=True)
class Tick:
    """A position in pixels and its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Scale:
    """A linear map of values ``low`` to ``high`` onto pixels ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def values(found: Sequence[float], bottom: float, top: float, most: int = 5) -> tuple[Scale, list[Tick]]:
    """The axis of points: from a round figure below all values to one above; pixels from ``bottom`` up to ``top``."""
    low, high = min(found, default=0.0), max(found, default=1.0)
    span = max(high - low, 1.0)
    step = round_step(span / most)
    first = math.floor((low - 0.05 * span) / step)
    last = math.ceil((high + 0.05 * span) / step)
    scale = Scale(first * step, last * step, bottom, top)
    digits = next(d for d in range(4) if math.isclose(step, round(step, d)))
    ticks = [Tick(scale(i * step), f"{i * step + 0.0:.{digits}f}".replace("-", "−")) for i in range(first, last + 1)]
    return scale, ticks


def times(first: datetime, last: datetime, start: float, end: float, most: int) -> tuple[Scale, list[Tick]]:
    """The axis of time: ticks at round moments in UTC, so many at most, or at the one moment there is."""
    if first == last:
        scale = Scale(first.timestamp() - 1, first.timestamp() + 1, start, end)
        return scale, [Tick(scale(first.timestamp()), f"{first:%Y-%m-%d}")]
    scale = Scale(first.timestamp(), last.timestamp(), start, end)
    moments, form = _moments(first, last, most)
    return scale, [Tick(scale(m.timestamp()), f"{m:{form}}") for m in moments if first <= m <= last]


def _moments(first: datetime, last: datetime, most: int) -> tuple[list[datetime], str]:
    """Round moments: of minutes and hours within two days, then of days, then of months."""
    span = last - first
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    if span <= timedelta(days=2):
        # Less than a minute: the moments themselves.
        fitting = (m for m in _MINUTES if span / timedelta(minutes=m) <= most)
        step = timedelta(minutes=next(fitting))
        found = _every(midnight, step, first, last)
        return found or [first], "%H:%M" if found and first.date() == last.date() else "%m-%d %H:%M"
    for days in _DAYS:
        if span.days / days <= most:
            short = most < _ROOMY and first.year == last.year
            return _every(midnight, timedelta(days=days), first, last), "%m-%d" if short else "%Y-%m-%d"
    months = next((m for m in _MONTHS if span.days / 30.4 / m <= most), 12 * math.ceil(span.days / 365 / most))
    return _monthly(first, last, months), "%Y-%m"


def _every(start: datetime, step: timedelta, first: datetime, last: datetime) -> list[datetime]:
    skipped = math.ceil((first - start) / step)
    number = max(int((last - start) / step) - skipped + 1, 0)
    return [start + (skipped + i) * step for i in range(number)]


def _monthly(first: datetime, last: datetime, step: int) -> list[datetime]:
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [datetime(m // 12, m % 12 + 1, 1, tzinfo=UTC) for m in months if m % step == 0]
