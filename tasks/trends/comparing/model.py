"""What comparing two runs says, as plain data: ``--format json`` is this, dumped."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from tasks.catalogue import Language
from tasks.contracts import Arm, Frozen, Outcome, Task

Method = Literal["identical", "paired", "independent", "incomparable"]


class Side(Frozen):
    """One of the two reports."""

    path: str
    name: str
    flow: str
    finished: datetime


class Setting(Frozen):
    """Something that differs.

    Attributes:
        key: dotted, or as people read it. before, after: None where a side does not have it.
        scores: whether the scores of an arm that both runs have can depend on it.
        subject: role of the data set, name of the translator, or stage of the code; empty for others.
    """

    key: str
    before: str | None
    after: str | None
    scores: bool = True
    subject: str = ""


class ScoreChange(Frozen):
    """A metric or a class of an arm, in points.

    Attributes:
        delta: after minus before; low, high: its 95 % interval; None where it is not known.
        outcome: what it comes to; None where nothing can be said.
    """

    name: str
    before: float | None
    after: float | None
    delta: float | None = None
    low: float | None = None
    high: float | None = None
    outcome: Outcome | None = None


class ArmChange(Frozen):
    """An arm that both reports have.

    Attributes:
        method: how differences were taken. reason: why so, in a sentence.
        same_models: whether the models are the same to the byte; None where that is not known.
        causes: what its scores can depend on of all that differs. traced: whether these are of the artifacts that the
            scores descend from; else they are all that differs.
    """

    task: Task
    arm: Arm
    method: Method
    reason: str
    same_models: bool | None
    metrics: tuple[ScoreChange, ...]
    classes: tuple[ScoreChange, ...]
    causes: tuple[Setting, ...] = ()
    traced: bool = True

    def decided(self) -> list[ScoreChange]:
        """The classes that improve or are harmed, the largest difference first."""
        found = [c for c in self.classes if c.outcome in {"improves", "harms"}]
        return sorted(found, key=lambda c: -abs(c.delta or 0.0))


class OneSided(Frozen):
    """An arm that only one of the two has, with its first metric in points."""

    task: Task
    arm: Arm
    side: Literal["before", "after"]
    metric: str
    value: float | None


class Compared(Frozen):
    """Two reports compared; A is before, B is after.

    Attributes:
        config, data, code, translators: what differs. arms: what became of the scores. only: arms of one side.
        config_known: whether both reports hold their configuration.
        comparable: whether any score was measured on the same images and classes.
        notes: what there is to know about the figures.
        summary: what changed and what that did, in sentences.
    """

    model_config = ConfigDict(populate_by_name=True)

    schema_version: Literal[1] = Field(default=1, alias="schema")
    language: Language
    a: Side
    b: Side
    config: tuple[Setting, ...]
    data: tuple[Setting, ...]
    code: tuple[Setting, ...]
    translators: tuple[Setting, ...]
    config_known: bool
    comparable: bool
    margin: float
    arms: tuple[ArmChange, ...]
    only: tuple[OneSided, ...]
    notes: tuple[str, ...]
    summary: tuple[str, ...]
