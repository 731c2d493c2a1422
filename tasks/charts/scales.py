"""Scales and their axes: round numbers or moments as ticks, lines through all rows, a heavier one at zero."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from tasks.charts.svg import WIDTH, Block, line, text
from tasks.charts.typesetting import LINE, SMALL, width

_ROOM = 0.03  # of the span beyond the outermost values
_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
_DAYS = (1, 2, 3, 5, 7, 10, 14)
_MONTHS = (1, 2, 3, 6, 12)
_ROOMY = 6  # with fewer ticks than that there is no room for years
LEAST = 1.0  # points that a scale of scores or differences shows at least: tables show tenths


@dataclass(frozen=True)
class Scale:
    """From values to places: ``low`` is at ``start``, ``high`` at ``end`` (SVG units)."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    step: float

    def __call__(self, value: float) -> float:
        """The place of a value; one off the scale is at its end."""
        inside = min(max(value, self.low), self.high)
        return self.start + (self.end - self.start) * (inside - self.low) / (self.high - self.low)

    def label(self, tick: float, signed: bool = False) -> str:
        """A tick's number, all with the same decimals."""
        decimals = max(0, -math.floor(math.log10(self.step) + 1e-9))
        sign = "+" if signed and tick > 0 else ""
        return f"{sign}{tick + 0.0:,.{decimals}f}".replace("-", "−")


def scale(values: Iterable[float | None], start: float, end: float, most: int = 6, zero: bool = True) -> Scale:
    """A scale that all values are on, and 0 where ``zero``; at most ``most`` ticks, in steps of 1, 2 or 5."""
    known = [v for v in values if v is not None and math.isfinite(v)] + ([0.0] if zero else [])
    least, largest = min(known, default=0.0), max(known, default=0.0)
    span = largest - least
    if span <= 0:
        largest, span = least + 1.0, 1.0
    low = least - _ROOM * span if least < 0 or not zero else least
    high = largest + _ROOM * span if largest > 0 or not zero else largest
    step = round_step((high - low) / most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return Scale(low, high, start, end, tuple(step * k for k in range(first, last + 1)), step)


@dataclass(frozen=True)
class TimeScale(Scale):
    """From seconds since 1970 to places; ``form`` is that of its ticks' labels, in UTC."""

    form: str = "%Y-%m-%d"

    def label(self, tick: float, signed: bool = False) -> str:
        """A tick's moment."""
        return f"{datetime.fromtimestamp(tick, UTC):{self.form}}"


def time_scale(first: datetime, last: datetime, start: float, end: float, most: int) -> TimeScale:
    """A scale from one moment to another: ticks at round moments, about ``most``, or at the one moment there is."""
    if first == last:
        now = first.timestamp()
        return TimeScale(now - 1, now + 1, start, end, (now,), 1.0)
    moments, form = _moments(first.astimezone(UTC), last.astimezone(UTC), most)
    ticks = tuple(m.timestamp() for m in moments if first <= m <= last)
    return TimeScale(first.timestamp(), last.timestamp(), start, end, ticks, 1.0, form)


def _moments(first: datetime, last: datetime, most: int) -> tuple[list[datetime], str]:
    """Round moments: of minutes and hours within two days, then of days, then of months."""
    span = last - first
    if span <= timedelta(days=2):
        # Less than a minute: the moments themselves.
        step = next(m for m in _MINUTES if span / timedelta(minutes=m) <= most)
        found = _every(timedelta(minutes=step), first, last)
        return found or [first], "%H:%M" if found and first.date() == last.date() else "%m-%d %H:%M"
    for days in _DAYS:
        if span.days / days <= most:
            short = most < _ROOMY and first.year == last.year
            return _every(timedelta(days=days), first, last), "%m-%d" if short else "%Y-%m-%d"
    step = next((m for m in _MONTHS if span.days / 30.4 / m <= most), 12 * math.ceil(span.days / 365 / most))
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [datetime(m // 12, m % 12 + 1, 1, tzinfo=UTC) for m in months if m % step == 0], "%Y-%m"


def _every(step: timedelta, first: datetime, last: datetime) -> list[datetime]:
    """Each step from the first day's midnight on."""
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    steps = range(math.ceil((first - midnight) / step), int((last - midnight) / step) + 1)
    return [midnight + i * step for i in steps]


def round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is at least so much."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def rules(across: Scale, top: float, bottom: float) -> Markup:
    """The vertical lines at the ticks behind a strip of marks: names above it stay free of lines."""
    places = ((across(v), "zero" if abs(v) < across.step / 2 else "rule") for v in across.ticks)
    return Markup("").join(line(x, top, x, bottom, kind) for x, kind in places)


def axis(across: Scale, unit: str, signed: bool = False, above: bool = False) -> Block:
    """The ticks' numbers and the unit: below the rows, or ``above`` them."""
    rows = (1.7, 0.75) if above else (0.85, 1.75)
    drawn = [tick_label(across(v), rows[0] * LINE, across.label(v, signed)) for v in across.ticks]
    drawn.append(text((across.start + across.end) / 2, rows[1] * LINE, unit, "small", "middle"))
    return Block(2.1 * LINE, Markup("").join(drawn))


def tick_label(x: float, y: float, label: str, size: float = SMALL, right: float = WIDTH) -> Markup:
    """A tick's label below it, moved inwards where it would leave a figure so wide."""
    half = width(label, size) / 2
    return text(min(max(x, half), right - half), y, label, "small", "middle")
