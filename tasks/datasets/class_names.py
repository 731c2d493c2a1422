"""Lists of class names beside a data set's labels: YAML with ``names``, or text with a name a line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from tasks.contracts import Finding
from tasks.datasets.errors import DatasetError, reason_of
from tasks.datasets.files import read_bytes, text_of

CLASS_LISTS = ("classes.txt", "names.txt", "labels.txt")  # what labelling tools put beside the labels
_NAMES = TypeAdapter(dict[Annotated[int, Field(ge=0, le=65535)], str] | list[str])
_WINDOWS = "cp949"  # how a Korean Windows writes a text that does not say its encoding


def class_names(path: Path) -> dict[int, str]:
    """The classes' names by their numbers: of a YAML file, under ``names``; else of a text file, one a line.

    Every scalar of the YAML is a text: a class may be called ``no``, ``1`` or ``2024-13-45``. A blank line of a text
    file counts, and names nothing; those at its end do not.

    Raises:
        DatasetError: it cannot be read, or has no such list.
    """
    text = _text(path)
    if path.suffix.lower() not in (".yaml", ".yml"):
        return {number: name for number, line in enumerate(text.splitlines()) if (name := line.strip())}
    try:
        content = yaml.load(text, yaml.BaseLoader)
        names = _NAMES.validate_python(content.get("names") if isinstance(content, dict) else None)
    except yaml.YAMLError as error:
        raise DatasetError(Finding.of("data.no_yaml", problem=" ".join(str(error).split())), path) from error
    except (ValidationError, RecursionError, TypeError) as error:  # deeply nested; a list as a key
        raise DatasetError(Finding.of("data.no_yolo_names"), path) from error
    return names if isinstance(names, dict) else dict(enumerate(names))


def in_order(names: dict[int, str]) -> tuple[str, ...]:
    """All names by their numbers from 0 on; a number without one is called after itself."""
    return tuple(names.get(n, f"class {n}") for n in range(1 + max(names, default=-1)))


def _text(path: Path) -> str:
    try:
        try:
            return text_of(path)
        except UnicodeDecodeError:
            return read_bytes(path).decode(_WINDOWS)
    except (OSError, UnicodeDecodeError) as error:
        why = Finding.of("data.not_readable", problem=reason_of(error))
        wanted = Finding.of("data.wanted_yolo_names")
        raise DatasetError(Finding.of("data.not_there", why=why, wanted=wanted), path) from error
