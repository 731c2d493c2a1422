"""JSON files of any size: what is not needed of a row is dropped as soon as the row is parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks.datasets.errors import MalformedError
from tasks.datasets.files import text_of

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# An escape, or two that are one character; alone, half of such a pair is none, and no file can hold it.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(?P<half>[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def parsed_json(file: Path, keep: Callable[[dict[str, Any]], Any]) -> Any:
    """The content of a JSON file in UTF-8, UTF-16 or UTF-32, with or without a byte-order mark.

    Args:
        file: the file.
        keep: what an object is kept as; it is given the innermost objects first.

    Raises:
        OSError: it cannot be read.
        MalformedError: it is no JSON, is nested too deep, has half a character, or has an object one of whose keys
            stands for two things.
    """
    try:
        text = text_of(file)
        if _SURROGATE.search(text) and (half := _half(text)) is not None:
            raise MalformedError("data.json_half", half=half)
        return json.loads(text, object_pairs_hook=lambda pairs: keep(_object(pairs)))
    except MalformedError:
        raise
    except RecursionError:
        raise MalformedError("data.json_deep") from None
    except ValueError as error:
        raise MalformedError("data.no_json", problem=str(error)) from error


def _half(text: str) -> str | None:
    return next((m["half"] for m in _ESCAPE.finditer(text) if m["half"]), None)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs) and (twice := next((key for key, value in pairs if row[key] != value), None)) is not None:
        raise MalformedError("data.json_twice", key=twice)
    return row


def is_number(value: object) -> bool:
    """Whether a value is a number, which true and false are not, though Python takes them for 1 and 0."""
    return isinstance(value, int | float) and not isinstance(value, bool)
