"""The marks of figures: markers of several shapes and colours, and estimates with their intervals."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from tasks.charts.scales import Scale
from tasks.charts.svg import number, rect, tag, title

COLOURS = 6  # ``.s1`` to ``.s6`` of figures.css
_CAP = 4.0  # half the height of an interval's ends
_HIT = 9.0  # half the height that the mouse finds a mark in
_SHAPES: tuple[tuple[tuple[float, float], ...], ...] = (  # around 0, 0, of about one area; the circle has no corners
    (),
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    ((0, -1.25), (1.25, 0.95), (-1.25, 0.95)),
    ((0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)),
    ((0, 1.25), (1.25, -0.95), (-1.25, -0.95)),
    tuple(
        (sign * x, sign * y)
        for sign in (1, -1)
        for x, y in ((-0.4, -1.3), (0.4, -1.3), (0.4, -0.4), (1.3, -0.4), (1.3, 0.4), (0.4, 0.4))
    ),
)


def shape(index: int, x: float, y: float, size: float = 5.0) -> str:
    """The path of a marker; ``size`` is the circle's radius, and shapes repeat after six."""
    corners = _SHAPES[index % len(_SHAPES)]
    if corners:
        return f"M{'L'.join(f'{number(x + size * a)} {number(y + size * b)}' for a, b in corners)}z"
    r, d = number(size), number(2 * size)
    return f"M{number(x - size)} {number(y)}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0z"


def series(index: int) -> tuple[str, int]:
    """The class and the shape of a series: no two are alike in both among the first 36."""
    return f"s{index % COLOURS + 1}", (index + index // COLOURS) % len(_SHAPES)


def marker(class_: str, form: int, x: float, y: float, size: float = 5.0) -> Markup:
    """A marker."""
    return tag("path", d=shape(form, x, y, size), class_=class_)


def path(points: Iterable[tuple[float, float]]) -> str:
    """The points of a line, or of an area's outline, as the attribute ``points`` has them."""
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)


def estimate(
    across: Scale,
    y: float,
    ends: tuple[float, float | None, float | None],
    look: tuple[str, int],
    told: str,
    filled: bool = True,
) -> Markup:
    """A value as a marker on its interval.

    Args:
        ends: value, low and high. look: class and shape of the marker.
        told: what it says when the mouse rests on it. filled: not hollow.
    """
    value, low, high = ends
    drawn = [title(told)]
    places = [across(v) for v in (value, low, high) if v is not None]
    left, right = min(places) - _HIT, max(places) + _HIT
    drawn.append(rect(left, y - _HIT, right - left, 2 * _HIT, "hit"))
    if low is not None and high is not None:
        drawn.append(interval(across, y, low, high))
    drawn.append(marker("dot" if filled else "dot open", look[1], across(value), y))
    return tag("g", *drawn, class_=look[0])


def interval(across: Scale, y: float, low: float, high: float) -> Markup:
    """An interval as a line with ends."""
    a, b = across(low), across(high)
    cap = number(_CAP)
    path = f"M{number(a)} {number(y - _CAP)}v{number(2 * _CAP)}m0 -{cap}H{number(b)}m0 -{cap}v{number(2 * _CAP)}"
    return tag("path", d=path, class_="ends")
