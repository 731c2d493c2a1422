"""How far a run is, as a progress artifact in Prefect's page."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from tasks.compute import artifact_key

log = logging.getLogger(__name__)


class _Progress:
    """Counts steps; a server that does not answer costs the display, not the run."""

    def __init__(self, name: str, steps: int) -> None:
        self.steps, self.done = steps, 0
        key, told = artifact_key("progress", name), f"{name}: 0 of {steps} steps"
        self.artifact: UUID | None = _shown(create_progress_artifact, 0.0, key=key, description=told)

    def advance(self, what: str) -> None:
        self.done = min(self.done + 1, self.steps)
        told = f"{self.done} of {self.steps} steps; last: {what}"
        log.info("%s", told)
        if self.artifact is not None:
            _shown(update_progress_artifact, self.artifact, 100 * self.done / self.steps, description=told)


_current: ContextVar[_Progress | None] = ContextVar("progress", default=None)


@contextmanager
def progress_shown(name: str, steps: int) -> Iterator[None]:
    """Show a progress artifact while the block runs: ``progress-<name>``, 0 to 100 %.

    Args:
        name: the run's.
        steps: how many there will be.
    """
    token = _current.set(_Progress(name, steps))
    try:
        yield
    finally:
        _current.reset(token)


def advance(what: str) -> None:
    """Say that a step is done; nothing outside ``progress_shown``."""
    progress = _current.get()
    if progress is not None:
        progress.advance(what)


def _shown(call: Any, *args: Any, **more: Any) -> Any:
    try:
        return call(*args, **more)
    except Exception as error:  # noqa: BLE001 - whatever Prefect's client raises
        log.warning("progress is not shown in Prefect: %s", error)
        return None
