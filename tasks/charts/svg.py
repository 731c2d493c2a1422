"""SVG as text: elements with everything from outside escaped, and figures as blocks one below the other.

Own code, as plotting libraries' SVG follows neither the page's theme nor its filter of classes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from tasks.charts.typesetting import LINE, wrap

WIDTH = 560.0  # of every figure, in SVG units; as narrow as a phone shows it with text that can be read
NAMESPACE = "http://www.w3.org/2000/svg"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Block:
    """A strip of a figure, drawn from its own top at y = 0 and ``height`` tall.

    Attributes:
        about: what it shows, as ``data-`` attributes by which a script can find and hide it.
    """

    height: float
    content: Markup
    about: tuple[tuple[str, str], ...] = ()


def tag(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """An element; text is escaped, ``class_`` is ``class``, ``data_arm`` is ``data-arm``, None is left out."""
    known = {k.rstrip("_").replace("_", "-"): v for k, v in attributes.items() if v is not None}
    head = Markup("").join(Markup(' {}="{}"').format(k, _value(v)) for k, v in known.items())
    inside = Markup("").join(_clean(c) for c in children)
    return Markup("<{0}{1}>{2}</{0}>" if children else "<{0}{1}/>").format(name, head, inside)


def text(x: float, y: float, content: str, class_: str | None = None, anchor: str | None = None) -> Markup:
    """A line of text on the baseline ``y``; ``anchor`` is ``middle`` or ``end``."""
    classes = " ".join(c for c in (class_, "wide" if any(map(is_wide, content)) else None) if c)
    return tag("text", content, x=x, y=y, class_=classes or None, text_anchor=anchor)


def title(content: str) -> Markup:
    """What a mark says when the mouse rests on it."""
    return tag("title", content)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def rect(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    """A rectangle; one that would have a negative size has none."""
    return tag("rect", x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), class_=class_)


def lines(x: float, top: float, content: Iterable[str], class_: str | None = None) -> Markup:
    """Lines of text, one below the other, the first one's top at ``top``."""
    return Markup("").join(text(x, top + LINE * (i + 0.75), words, class_) for i, words in enumerate(content))


@dataclass(frozen=True)
class Figure:
    """A figure: its blocks one below the other.

    Attributes:
        kind: what it shows, and ``fig-<kind>`` its class.
        title: its heading, and its name for those who cannot see it. note: what its marks mean.
    """

    kind: str
    title: str
    note: str
    blocks: tuple[Block, ...]

    @property
    def svg(self) -> Markup:
        """The drawing for a page that has title and note beside it and ``figures.css``.

        Each block is a ``<g class="block" data-height>`` moved to its place, so that a script that hides some can move
        the others up.
        """
        return self._drawn(self.blocks)

    def standalone(self, style: str) -> Markup:
        """The drawing with title and note on it and a style sheet inside, as a file of its own."""
        return self._drawn((_heading(self.title, self.note), *self.blocks), Markup(style), 14.0)

    def _drawn(self, blocks: Iterable[Block], style: Markup | None = None, edge: float = 0.0) -> Markup:
        y, drawn = 0.0, []
        for block in blocks:
            about = {f"data_{k}": v for k, v in block.about}
            move = f"translate(0 {number(y)})"
            drawn.append(tag("g", block.content, class_="block", data_height=block.height, transform=move, **about))
            y += block.height
        width, height = WIDTH + 2 * edge, y + 2 * edge
        named = {"viewBox": f"{number(-edge)} {number(-edge)} {number(width)} {number(height)}"}
        named |= {"role": "img", "aria_label": self.title, "class_": f"fig fig-{self.kind}"}
        if style is None:
            return tag("svg", tag("desc", self.note), *drawn, **named)
        inside = (title(self.title), tag("desc", self.note), tag("style", style))
        return tag("svg", *inside, *drawn, xmlns=NAMESPACE, width=width, height=height, **named)


def _heading(name: str, note: str) -> Block:
    """Title and note, in the sizes that ``figures.css`` gives them on a wide screen."""
    above, below = wrap(name, WIDTH, 3, 17.0, bold=True), wrap(note, WIDTH, 8, 13.5)
    drawn = [text(0, 18 + 23 * i, words, "head") for i, words in enumerate(above)]
    top = 23.0 * len(above)
    drawn += [text(0, top + 17 + 19 * i, words, "small") for i, words in enumerate(below)]
    return Block(top + 19.0 * len(below) + 18, Markup("").join(drawn))


def number(value: float) -> str:
    """A coordinate with one decimal at most."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _value(value: str | float) -> str:
    return _clean(value) if isinstance(value, str) else number(value)


def _clean(content: str) -> str:
    """Without what XML cannot hold: control characters and halves of surrogate pairs."""
    plain = _NOT_XML.sub("\ufffd", content)
    return Markup(plain) if isinstance(content, Markup) else escape(plain)


def is_wide(character: str) -> bool:
    """Whether only a font for Korean, Chinese or Japanese has it."""
    return "\u1100" <= character <= "\u11ff" or "\u2e80" <= character <= "\uffdc"
