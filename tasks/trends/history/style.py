"""How arms are told apart in charts: a colour each, dashed where real images were added, dotted where more was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.contracts import Arm

COLOURS = 7  # of translators, in history.html.j2: --arm-0 ...
_DASHES = ("", "8 3 2 3", "2 3")


@dataclass(frozen=True)
class Style:
    """colour: name of the CSS variable ``--arm-<colour>``. dash: as of ``stroke-dasharray``."""

    colour: str
    dash: str

    def attributes(self) -> dict[str, str | None]:
        """Of an SVG element."""
        return {"style": f"--arm: var(--arm-{self.colour})", "stroke_dasharray": self.dash or None}


def styles(arms: Sequence[Arm]) -> dict[str, Style]:
    """A style for each arm: a translator's colour is that of its place among the translators."""
    names = list(dict.fromkeys(map(_name, arms)))
    others = [n for n in names if n not in {"real", "source"}]
    return {arm: _style(arm, others) for arm in arms}


def _style(arm: Arm, others: Sequence[str]) -> Style:
    name = _name(arm)
    dash = "6 4" if arm.mixed else "" if arm.simple else "1 3"
    if name not in others:
        return Style(name, dash)
    place = others.index(name)
    return Style(str(place % COLOURS), dash or _DASHES[place // COLOURS % len(_DASHES)])


def _name(arm: Arm) -> str:
    """What gives an arm its colour: its translator, or its last set of images that has the labels of its origin."""
    return arm.translator or [part.origin for part in arm.parts if part.teacher is None][-1]
