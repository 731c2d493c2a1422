"""What the checks of data sets found before anything is trained on them: ``checks.json`` is ``Checks``, dumped."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from tasks.contracts.filed import Filed
from tasks.contracts.finding import Finding
from tasks.contracts.frozen import Frozen


class CheckExample(Frozen):
    """One picture, or two that belong side by side."""

    caption: Finding
    images: tuple[Path, ...]


class Check(Frozen):
    """The outcome of one check.

    Attributes:
        name: what was checked, such as ``decodable``.
        roles: the data set, ``source``, ``target`` or ``benchmark``, or two of them that were compared.
        severity: what it means where it did not pass; after an ``error`` nothing should be trained.
        measured: what was found, in ``unit``: a share from 0 to 1, a count, or a ratio (``times``).
        threshold: the largest value that passes; of ``empty``, ``has_masks`` and ``has_boxes``, the smallest.
        finding: what, how much, what to do.
        examples: some of what was found, for the page of pictures; no file has them.
        listed: some of the files, ids or classes found; the finding says how many there are in all.
        nothing: there was nothing to look at: it did not fail, and is not counted among those that passed.
    """

    name: str
    roles: tuple[str] | tuple[str, str]
    severity: Literal["error", "warning"]
    passed: bool
    measured: float
    threshold: float
    finding: Finding
    examples: tuple[CheckExample, ...] = Field(default=(), exclude=True)
    listed: tuple[Finding, ...] = ()
    unit: Literal["share", "count", "times"] = "share"
    nothing: bool = False


class Checks(Filed):
    """All checks of a run's data sets, passed or not, in order of the roles."""

    FILE: ClassVar[str] = "checks.json"

    checks: tuple[Check, ...]
