"""Reading what other stages left: one file that cannot be read costs its own part of the report, not the report."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from pydantic import ValidationError

from tasks.catalogue import say, speaking, t
from tasks.contracts import Artifact, Filed, Finding, first_problem, readable
from tasks.datasets import REJECTED, DatasetError, SampleTable, read_rejected
from tasks.report.model import Rejected
from tasks.report.reasons import reason
from tasks.store import Manifest, StoreError

log = logging.getLogger(__name__)
F = TypeVar("F", bound=Filed)


class Reader:
    """Reads files of artifacts and keeps a list of what could not be read, in ``problems``."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def json(self, path: Path) -> Any:
        """The content of a JSON file, or None."""
        try:
            return json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            self.skip(path, error)
            return None

    def filed(self, artifact: Artifact, form: type[F], wrong: Finding | None = None) -> F | None:
        """What an artifact holds as ``form``, or None; ``wrong`` is what to say of a file of another form."""
        try:
            return form.read(artifact.path)
        except ValidationError as error:
            self.skip(artifact.file(form.FILE), wrong or error)
        except OSError as error:
            self.skip(artifact.file(form.FILE), error)
        return None

    def table(self, artifact: Artifact) -> SampleTable | None:
        """The artifact's sample table, or None."""
        try:
            return SampleTable.read(artifact.path)
        except (OSError, ValueError, pa.ArrowException) as error:
            self.skip(artifact.path, error)
            return None

    def rejected(self, artifact: Artifact) -> list[Rejected]:
        """The rows of a data set's ``rejected.csv``."""
        path = artifact.file(REJECTED)
        try:
            return [Rejected(file=readable(str(r.file)), finding=r.finding) for r in read_rejected(path)]
        except DatasetError as error:
            self.skip(path, error.finding)
        except OSError as error:
            self.skip(path, error)
        return []

    def manifest(self, folder: Path) -> Manifest | None:
        """An artifact's manifest, or None."""
        try:
            return Manifest.read(folder)
        except StoreError as error:
            self.skip(folder, error)
            return None

    def skip(self, path: Path, error: Exception | Finding) -> None:
        """Say which file of which artifact (``kind/key/file``: no machine paths in a report that travels)."""
        log.warning("%s could not be read: %s", path, _details(error))
        text = t("words.unreadable", name="/".join(path.parts[-3:]), reason=say(reason(error)))
        if text not in self.problems:
            self.problems.append(text)


def _details(error: Exception | Finding) -> str:
    """All that is known, in a line of English."""
    if isinstance(error, ValidationError):
        return first_problem(error)
    with speaking("en"):
        return say(error) if isinstance(error, Finding) else " ".join(str(error).split())
