"""What the checks of data sets found before anything is trained on them: ``checks.json`` is ``Checks``, dumped."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks.contracts.finding import Finding


class CheckExample(BaseModel):
    """One picture, or two that belong side by side."""

    model_config = ConfigDict(frozen=True)

    caption: Finding
    images: tuple[Path, ...]


class Check(BaseModel):
    """The outcome of one check.

    Attributes:
        name: what was checked, such as ``decodable``.
        roles: the data set, ``source``, ``target`` or ``benchmark``, or two of them that were compared.
        severity: what it means where it did not pass; after an ``error`` nothing should be trained.
        measured: what was found, in ``unit``: a share from 0 to 1, a count, or a ratio (``times``).
        threshold: the largest value that passes; of ``empty``, the smallest.
        finding: what, how much, what to do.
        examples: some of what was found, for the page of pictures; no file has them.
        listed: some of the files, ids or classes found; the finding says how many there are in all.
    """

    model_config = ConfigDict(frozen=True)

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


class Checks(BaseModel):
    """All checks of a run's data sets, passed or not, in order of the roles."""

    model_config = ConfigDict(frozen=True)

    checks: tuple[Check, ...]
