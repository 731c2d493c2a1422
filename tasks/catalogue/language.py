"""Every text for people by key, in the language that is being spoken.

``texts/<language>/<area>.yaml`` maps keys to texts with ``{placeholders}`` as of ``str.format``, whose format may
also be one of ``formats.FORMATS``, as in ``{share:percent}``. A text that depends on a number is a mapping of plural
forms, ``one`` and ``other``, chosen by the placeholder ``n``; Korean needs ``other`` alone. A key is ``area.name``,
such as ``verdict.improves``.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from tasks.catalogue.formats import FORMATS
from tasks.contracts import Finding

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
CATALOGUE = Path(__file__).parent / "texts"
Text = str | dict[str, str]

_spoken: ContextVar[Language] = ContextVar("language", default="en")


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Speak a language while the block runs."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def spoken() -> Language:
    """The language that is being spoken."""
    return _spoken.get()


def t(key: str, /, **values: Any) -> str:
    """The text of a key in the spoken language, its placeholders filled in.

    Raises:
        KeyError: the catalogue has no such key, or the text needs a value that was not given.
    """
    text = catalogue(spoken())[key]
    if isinstance(text, dict):
        text = text["one"] if values["n"] == 1 and "one" in text else text["other"]
    return _Texts().vformat(text, (), values)


def say(finding: Finding) -> str:
    """A finding in the spoken language, and the findings among its values as well.

    Raises:
        KeyError: the catalogue has no text for its code, or the text needs a value that it has not.
    """
    said = {name: say(v) if isinstance(v, Finding) else v for name, v in finding.values.items()}
    return t(finding.code, **said)


class _Texts(string.Formatter):
    """``str.format`` with the formats of the catalogue."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """A value as its placeholder wants it: in a format of the catalogue, or in one of Python's."""
        shown, value = FORMATS.get(format_spec), _said(value)
        if shown is not None:
            return shown(value)
        return str(super().format_field(", ".join(value) if isinstance(value, tuple) else value, format_spec))


def _said(value: Any) -> Any:
    """A value with the findings in it as words."""
    if isinstance(value, tuple):
        return tuple(map(_said, value))
    return say(value) if isinstance(value, Finding) else value


def known(key: str) -> bool:
    """Whether the catalogue has a key."""
    return key in catalogue(spoken())


@functools.cache
def catalogue(language: Language) -> Mapping[str, Text]:
    """All texts of a language by key."""
    found: dict[str, Text] = {}
    for path in sorted((CATALOGUE / language).glob("*.yaml")):
        texts: dict[str, Text] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        found |= {f"{path.stem}.{key}": text for key, text in texts.items()}
    return found
