"""What can be known when a configuration is loaded, before anything is read, translated or trained."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from tasks.contracts import Finding
from tasks.datasets import RunConfig
from tasks.retrain import retrain_problems
from tasks.settings import Place, Problem, below

if TYPE_CHECKING:
    from flows.config import PipelineConfig, TrainTranslatorConfig


def pipeline_problems(settings: PipelineConfig) -> Iterator[Problem]:
    """Everything that is wrong with a pipeline's files, machine and sections."""
    yield from _run_problems(settings)
    yield from below(("retrain",), retrain_problems(settings.retrain))


def translator_problems(settings: TrainTranslatorConfig) -> Iterator[Problem]:
    """Everything that is wrong with the files, machine and sections of one translator's training."""
    yield from _run_problems(settings)


def _run_problems(settings: RunConfig) -> Iterator[Problem]:
    yield from _nobodys(settings, ())
    for key in ("store", "output"):
        yield from (Problem((key,), f) for f in (_unwritable(getattr(settings, key)),) if f is not None)
    yield from (Problem((), finding) for finding in _homeless())


def _nobodys(node: Any, place: Place) -> Iterator[Problem]:
    """Paths that begin with the name of a user that there is not."""
    if isinstance(node, Path):
        try:
            node.expanduser()
        except RuntimeError:
            yield Problem(place, Finding.of("settings.nobodys", path=node, user=node.parts[0]))
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from _nobodys(getattr(node, name), (*place, name))
    elif isinstance(node, tuple):
        for i, part in enumerate(node):
            yield from _nobodys(part, (*place, i))


def _homeless() -> Iterator[Finding]:
    """Whether Prefect has a folder of its own."""
    given = os.environ.get("PREFECT_HOME")
    try:
        folder = Path(given).expanduser() if given else Path.home() / ".prefect"
    except RuntimeError:
        yield Finding.of("settings.homeless")
        return
    if (finding := _unwritable(folder)) is not None:
        yield Finding.of("settings.prefect_home", reason=finding)


def _unwritable(folder: Path) -> Finding | None:
    """Why nothing can be written into a folder that need not exist yet, or None."""
    try:
        path = folder.expanduser().absolute()
    except RuntimeError:
        return None  # said of the path itself
    while not path.exists() and path != path.parent:
        path = path.parent
    if not path.is_dir():
        return Finding.of("settings.no_folder", path=folder, file=path)
    if not os.access(path, os.W_OK | os.X_OK):
        return Finding.of("settings.unwritable", path=folder, folder=path)
    return None
