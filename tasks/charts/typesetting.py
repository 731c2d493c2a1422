"""How wide text is and where it breaks, without a font: estimates on the wide side, so that nothing overlaps."""

from __future__ import annotations

import re
import unicodedata

FONT = 19.0  # size in SVG units that is laid out for: a phone's; wider screens show the text smaller
SMALL = 17.0
LINE = 24.0  # of a line of text
_NARROW, _WIDE = set("fijlrtI.,:;'|!()[]/ ·"), set("mwMW@%+=−→")
_PIECES = re.compile(r"\s+|[^\s_/+-]+[_/+-]?|[_/+-]")


def width(content: str, size: float = FONT, bold: bool = False) -> float:
    """About how wide a line is, in the unit of ``size``."""
    return sum(map(_em, content)) * size * (1.12 if bold else 1.0)


def _em(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if character in _NARROW:
        return 0.41
    return 0.95 if character in _WIDE else 0.71 if character.isupper() else 0.64


def wrap(content: str, room: float, most: int = 2, size: float = FONT, bold: bool = False) -> list[str]:
    """Break into at most so many lines of the given width, at spaces and hyphens first; the rest is cut (…)."""
    found = [""]
    for piece in (p for whole in _PIECES.findall(content) for p in _split(whole, room, size, bold)):
        if width(found[-1] + piece.rstrip(), size, bold) > room:
            found.append("")
        found[-1] += piece if found[-1] else piece.lstrip()
    if len(found) > most:
        found[most - 1 :] = [fit("".join(found[most - 1 :]).strip(), room, size, bold)]
    return [words.strip() for words in found]


def fit(content: str, room: float, size: float = FONT, bold: bool = False) -> str:
    """As much of a line as has room, ending with … where that is not all."""
    if width(content, size, bold) <= room:
        return content
    while content and width(f"{content}…", size, bold) > room:
        content = content[:-1]
    return f"{content.rstrip()}…"


def _split(piece: str, room: float, size: float, bold: bool) -> list[str]:
    """A piece without a place to break in as many as have room."""
    parts = [""]
    for character in piece:
        if parts[-1] and width(parts[-1] + character, size, bold) > room:
            parts.append("")
        parts[-1] += character
    return parts
