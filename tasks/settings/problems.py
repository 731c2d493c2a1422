"""What is wrong with well-formed settings: found by looking at files, at the machine, or at several sections."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from tasks.contracts import Finding
from tasks.store import known_sha256

Place = tuple[str | int, ...]  # the keys and list positions that lead to a value


@dataclass(frozen=True)
class Problem:
    """A finding, and the setting that is to be changed.

    Attributes:
        place: the keys and list positions that lead to it, from the section that was looked at.
        finding: what is wrong, and what to do.
    """

    place: Place
    finding: Finding


@runtime_checkable
class Foreseeing(Protocol):
    """A configuration that looks further than its own values, each time that it is loaded from a file."""

    def problems(self) -> Iterable[Problem]:
        """Everything that would stop a run later, and can be seen before."""
        ...


def below(place: Place, problems: Iterable[Problem]) -> Iterator[Problem]:
    """A section's problems as those of what holds it."""
    return (Problem((*place, *p.place), p.finding) for p in problems)


def file_problems(place: Place, path: Path, sha256: str) -> Iterator[Problem]:
    """Whether a file is there and the one that is meant; ``place``: of the section with its ``path`` and ``sha256``."""
    if not os.path.isfile(path):  # noqa: PTH113 - Path's raises an error for a name that is too long
        yield Problem((*place, "path"), Finding.of("settings.no_file", path=path))
    elif (found := known_sha256(path)) != sha256:
        yield Problem((*place, "sha256"), Finding.of("settings.other_file", path=path, found=found, expected=sha256))
