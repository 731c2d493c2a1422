"""Where every score comes from: the artifacts behind it, and what each was made from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tasks.contracts import Arm, Frozen, Task


class Node(Frozen):
    """An artifact in the provenance.

    Attributes:
        inputs: role -> reference (``kind/key``) of what it was made from.
        config: the slice of the configuration that entered its key, and nothing else of the configuration can have
            changed it; None where its manifest is no longer in the store, and in reports of schema 3.
        environment: index into the report's environments; None where its manifest is no longer in the store.
        device: ``cpu``, ``cuda`` or a GPU's name, where its stage says so.
    """

    kind: str
    key: str
    digest: str
    config: dict[str, Any] | None = None
    code: str | None = None
    created: datetime | None = None
    environment: int | None = None
    device: str | None = None
    inputs: dict[str, str] = {}


class ScoreRef(Frozen):
    """A score's way into the provenance; ``value`` in points."""

    task: Task
    arm: Arm
    seed: int
    metric: str
    value: float | None
    evaluation: str


class Provenance(Frozen):
    """Where every score comes from: ``nodes`` by reference, and the environments they were made in."""

    scores: tuple[ScoreRef, ...]
    nodes: dict[str, Node]
    environments: tuple[dict[str, Any], ...]

    def scored(self, task: Task, arm: Arm) -> dict[int, ScoreRef]:
        """The scores of an arm by seed."""
        return {s.seed: s for s in self.scores if (s.task, s.arm) == (task, arm)}
