"""How figures are put into words."""

from __future__ import annotations

import pytest

from tasks.evaluate.audit.model import Rate
from tasks.report.words import change, duration, figure, interval, legend, measure, mixture, probability, rate_words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (48.2, "48 s"), (59.7, "1 min 0 s"), (270, "4 min 30 s"), (7500, "2 h 5 min")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_intervals_are_printed_as_points() -> None:
    assert interval(-1.04, 1.86) == "[−1.0, 1.9]"
    assert interval(-0.04, None) == ""
    assert change(0.44, -1.0, 1.9) == "+0.4 [−1.0, 1.9]"
    assert change(-0.04) == "0.0"
    assert rate_words(Rate(value=0.061, low=0.052, high=0.07)) == "6.1 % [5.2, 7.0]"
    assert rate_words(Rate(value=None)) == "-"


@pytest.mark.parametrize(
    ("images", "text"),
    [
        ({"real": 367, "translated(cut)": 250}, "367 real + 250 translated (cut), 59 : 41"),
        ({"real": 1367, "source": 12}, "1,367 real + 12 simulator, 99.1 : 0.9"),
        ({"real": 367}, ""),
        ({"real": 0, "source": 0}, ""),
        ({}, ""),
    ],
)
def test_mixture_states_the_ratio(images: dict[str, int], text: str) -> None:
    assert mixture(images) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0.00"), (812.4, "812"), (12345.6, "12,346"), (0.0117, "0.0117"), (-2.5, "−2.50")],
)
def test_figures_have_three_digits(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_measures_have_their_unit() -> None:
    assert measure(0.31, "share") == "31.0 %"
    assert measure(0.02, "px") == "0.0200 px"
    assert measure(1.62, "times") == "1.62 ×"


def test_legend_and_probability() -> None:
    assert "= no difference beyond 0.5 points" in legend(0.5)
    assert "beyond 1 point," in legend(1.0)
    assert [probability(p) for p in (0.03125, 1e-5)] == ["0.031", "below 0.001"]
