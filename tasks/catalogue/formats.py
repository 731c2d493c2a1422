"""How values are shown in texts, the same in every language and renderer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

ABSENT = "-"
_NAMED = 6  # of a longer list, so many names are shown


def points(value: float | None) -> str:
    """A score in points with one decimal, or ``-`` where there is none."""
    return ABSENT if value is None else f"{rounded(value):.1f}".replace("-", "−")


def percent(share: float | None) -> str:
    """A share from 0 to 1 in percent with one decimal, or ``-`` where there is none."""
    return ABSENT if share is None else f"{points(100 * share)} %"


def figure(value: float | None) -> str:
    """A distance or divergence with three significant digits, never in powers of ten."""
    if value is None:
        return ABSENT
    decimals = max(0, 2 - (math.floor(math.log10(abs(value))) if value else 0))
    text = f"{value:,.{min(decimals, 4)}f}"
    return text.replace("-", "−")


def names(found: Iterable[str]) -> str:
    """The first names of a list, and how many more there are: ``a, b, c (+4)``."""
    found = list(found)
    more = f" (+{len(found) - _NAMED})" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more


def share(part: float) -> str:
    """A share from 0 to 1 in percent, as ``3.2 %``, ``100 %``, or ``< 0.1 %`` where that is not nothing."""
    return "< 0.1 %" if 0 < part < 0.001 else f"{100 * part:.1f} %".replace(".0 %", " %")


def several(found: Iterable[str]) -> str:
    """Parts that hold commas themselves: ``a, b; c``."""
    return "; ".join(found)


def lines(found: Iterable[str]) -> str:
    """Each on a line of its own, indented."""
    return "".join(f"\n  {line}" for line in found)


def rounded(value: float) -> float:
    """One decimal, and no minus zero."""
    return round(value, 1) + 0.0


FORMATS: Mapping[str, Callable[[Any], str]] = {
    f.__name__: f for f in (points, percent, figure, share, names, several, lines)
}
