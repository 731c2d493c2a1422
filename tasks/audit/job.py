"""What an audit's process is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from tasks.audit.config import AuditConfig
from tasks.contracts import Artifact

Entry = TypeVar("Entry")
_JUDGED = "judged_"  # what the roles of the judges' readings begin with among an audit's inputs


@dataclass(frozen=True)
class Judged:
    """What the frozen judges, trained on the real set, read in each set: artifacts of kind ``evaluation``, or None.

    Attributes:
        source, translated: the segmenter on these sets; both or none.
        real: the segmenter on the target, for its features. benchmark: on the benchmark, for its scores.
        boxes_source, boxes_translated: the detector on these sets; both or none.
    """

    source: Artifact | None = None
    translated: Artifact | None = None
    real: Artifact | None = None
    benchmark: Artifact | None = None
    boxes_source: Artifact | None = None
    boxes_translated: Artifact | None = None

    def inputs(self) -> dict[str, Artifact]:
        """Role -> artifact, of those that there are."""
        found = {f"{_JUDGED}{f.name}": getattr(self, f.name) for f in fields(self)}
        return {role: artifact for role, artifact in found.items() if artifact is not None}


def judged_inputs(inputs: Mapping[str, Entry]) -> dict[str, Entry]:
    """What the judges read, by the names of ``Judged``, of an audit's inputs as its manifest has them."""
    return {f.name: inputs[role] for f in fields(Judged) if (role := f"{_JUDGED}{f.name}") in inputs}


class AuditJob(BaseModel):
    """One audit of a translated set.

    Attributes:
        name: the translator's.
        source, target, translated: folders of the sample tables.
        judged: what the frozen judges read in the sets.
        config: the section of the configuration, with absolute paths.
        work: where the result goes.
        device: ``cpu`` or ``cuda``.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    source: Path
    target: Path
    translated: Path
    judged: Judged
    config: AuditConfig
    work: Path
    device: str
