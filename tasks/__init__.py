"""The rooms of the pipeline. Each shows the same front; ``CONTRIBUTING.md`` has the plan of the house.

A room's ``__init__.py`` is its face: what other rooms, the flows and users may import. Its ``stage.py`` holds its
Prefect tasks and is the only file that imports Prefect. Everything else is plain Python.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_IMPORT = re.compile(r"^    from (tasks[\w.]+) import (\([^)]*\)|[^\n(]+)$", re.MULTILINE)


def face(package: str, file: str) -> tuple[list[str], Callable[[str], Any]]:
    """A package's ``__all__`` and ``__getattr__`` (PEP 562): a name's module is imported when the name is first used.

    So the face of a room costs nothing to import: a command line that only reads a configuration never loads torch.
    The names are those that the file imports for type checkers; they are found by their form, and not by ``ast``, whose
    constructor fails at random in Python 3.11 when several threads parse at once.

    Args:
        package: the face's ``__name__``.
        file: the face's ``__file__``.
    """
    homes = exported(Path(file))

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"{package} has no {name!r} for others; it has: {', '.join(sorted(homes))}")
        value = getattr(importlib.import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return sorted(homes), get


def exported(file: Path) -> dict[str, str]:
    """Name -> the module that a face takes it from."""
    found = _IMPORT.findall(file.read_text(encoding="utf-8"))
    return {name: module for module, names in found for name in re.findall(r"\w+", names)}
