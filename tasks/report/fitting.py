"""Making Markdown fit: of each of its parts there are shorter versions, and the least important are shortened first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from tasks.catalogue import t

LINE_CHARS = 200  # as many as a line of a list needs
_NAME_CHARS, _TEXT_CHARS = 80, 1500
_SIZES = (100, 50, 20, 10, 5, 2, 0)  # items that the shorter versions of a list have


def escape(text: str, most: int = _TEXT_CHARS) -> str:
    """Make text from outside (names of files and classes, errors) plain in Markdown, in a table's cell too.

    Args:
        text: of any length; line breaks become spaces. most: characters of it that are kept.
    """
    flat = " ".join(text.split())
    flat = flat if len(flat) <= most else f"{flat[: most - 1]}…"
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def short(name: str) -> str:
    """A name from outside, plain in Markdown, and no longer than a table can show."""
    return escape(name, _NAME_CHARS)


class Rank(IntEnum):
    """How much a part matters: the lowest are shortened first."""

    CHECKS = 0
    AUDITS = 1
    CLASSES = 2
    NOTES = 3
    PROBLEMS = 4
    FAILURES = 5
    TABLES = 6
    VERDICTS = 7


@dataclass(frozen=True)
class TextBlock:
    """A part of the text: its versions from the whole to the least that is shown of it."""

    versions: tuple[str, ...]
    rank: Rank = Rank.VERDICTS


def listing(head: str, items: Sequence[str], rank: Rank, most: int, mark: str = "* ") -> TextBlock:
    """A list below a head, of at most so many items; what is left out is counted at its end."""
    sizes = (min(most, len(items)), *(n for n in _SIZES if n < min(most, len(items))))
    return TextBlock(tuple("\n".join([*([head] if head else []), *_first(items, n, mark)]) for n in sizes), rank)


def _first(items: Sequence[str], number: int, mark: str) -> Iterable[str]:
    yield from (f"{mark}{item}" for item in items[:number])
    if len(items) > number:
        yield f"{mark}{t('markdown.more', n=len(items) - number)}"


def fit(blocks: Sequence[TextBlock], room: int) -> str:
    """The blocks as one text of at most ``room`` characters; where the least of all is too much, it says that it ends.

    Of those that matter least, the longest is shortened first.
    """
    shown = [0] * len(blocks)
    while _length(blocks, shown) > room:
        longer = [i for i, b in enumerate(blocks) if shown[i] + 1 < len(b.versions)]
        if not longer:
            break
        shown[min(longer, key=lambda i: (blocks[i].rank, -len(blocks[i].versions[shown[i]])))] += 1
    text = "\n\n".join(filter(None, (b.versions[i] for b, i in zip(blocks, shown, strict=True)))) + "\n"
    if len(text) <= room:
        return text
    end = f"\n\n{t('markdown.cut')}\n"
    return text[: room - len(end)].rpartition("\n")[0] + end


def _length(blocks: Sequence[TextBlock], shown: Sequence[int]) -> int:
    return sum(len(b.versions[i]) + 2 for b, i in zip(blocks, shown, strict=True))
