"""Scales: ticks are round, few, and where they belong."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tasks.charts.scales import scale, tick_label, time_scale

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize("days", [0, 1e-5, 0.001, 0.2, 1.5, 3, 9, 30, 120, 365, 4000])
@pytest.mark.parametrize("most", [4, 8])
def test_ticks_of_time_lie_inside_and_are_few(days: float, most: int) -> None:
    across = time_scale(START, START + timedelta(days=days), 50, 800, most)
    assert 1 <= len(across.ticks) <= most + 1
    assert all(50 <= across(tick) <= 800 for tick in across.ticks)
    assert len({across.label(tick) for tick in across.ticks}) == len(across.ticks)
    assert 50 <= across(START.timestamp()) <= 800


def test_ticks_of_time_are_midnights_hours_and_months_in_utc() -> None:
    def labels(first: datetime, days: float, most: int = 8) -> list[str]:
        across = time_scale(first, first + timedelta(days=days), 0, 1, most)
        return [across.label(tick) for tick in across.ticks]

    assert labels(START, 3) == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert labels(START, 3, 4) == ["03-02", "03-03", "03-04"]
    assert labels(START, 0.25) == ["03:00", "04:00", "05:00", "06:00", "07:00", "08:00", "09:00"]
    assert labels(START, 120) == ["2026-04", "2026-05", "2026-06"]
    assert labels(START, 0) == ["2026-03-01"]
    assert labels(START.astimezone(timezone(timedelta(hours=9))), 3) == labels(START, 3)


@pytest.mark.parametrize("found", [[], [0.0], [20.0, 21.0], [-3.0, 8.0], [0.0, 100.0]])
@pytest.mark.parametrize("zero", [True, False])
def test_ticks_are_round_and_the_scale_holds_all_values(found: list[float], zero: bool) -> None:
    up = scale(found, 300, 20, zero=zero)
    assert 2 <= len(up.ticks) <= 9
    assert all(20 <= up(v) <= 300 for v in found)
    numbers = [float(up.label(tick).replace("−", "-")) for tick in up.ticks]
    assert len({round(b - a, 6) for a, b in itertools.pairwise(numbers)}) == 1
    assert not zero or 0 in numbers


@pytest.mark.parametrize(("x", "at"), [(2, 20.4), (100, 100), (198, 179.6)])
def test_a_ticks_label_stays_in_the_figure(x: float, at: float) -> None:
    assert f'x="{at:g}"' in tick_label(x, 10, "00000", 12.75, 200)
