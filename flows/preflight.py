"""What can be known of a run's places and data sets when its configuration is loaded, and when they are read."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from tasks.contracts import Artifact, Finding, Labels
from tasks.datasets import DatasetError, RunConfig, SampleTable, datasets_problems
from tasks.settings import Place, Problem, below

if TYPE_CHECKING:
    from flows.config import PipelineConfig, TrainTranslatorConfig


def run_problems(settings: RunConfig, needed: Mapping[str, Collection[Labels]]) -> Iterator[Problem]:
    """What is wrong with what every run has: its places and data sets; ``needed`` labels are by role."""
    yield from _nobodys(settings, ())
    yield from below(("datasets",), datasets_problems(settings.datasets, needed))
    for key in ("store", "output"):
        yield from (Problem((key,), finding) for finding in unwritable(getattr(settings, key)))
    yield from (Problem((), finding) for finding in _homeless())


def refuse_data(settings: PipelineConfig | TrainTranslatorConfig, sets: Mapping[str, Artifact]) -> None:
    """Refuse data sets that what is configured cannot be trained or scored on, before anything is trained.

    Raises:
        DatasetError: every problem on its own line, with the setting that is to be changed.
    """
    tables = {role: SampleTable.read(artifact.path) for role, artifact in sets.items()}
    found = tuple(
        Finding.of("settings.at_key", key=".".join(map(str, p.place)), problem=p.finding)
        for p in settings.data_problems(tables)
    )
    if found:
        raise DatasetError(Finding.of("settings.unsuited", found=found))


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
    try:
        folder = prefect_home()
    except RuntimeError:
        yield Finding.of("settings.homeless")
        return
    yield from (Finding.of("settings.prefect_home", reason=finding) for finding in unwritable(folder))


def prefect_home() -> Path:
    """Prefect's folder.

    Raises:
        RuntimeError: there is no home folder, and PREFECT_HOME names none.
    """
    given = os.environ.get("PREFECT_HOME")
    return Path(given).expanduser() if given else Path.home() / ".prefect"


def unwritable(folder: Path) -> Iterator[Finding]:
    """Why nothing can be written into a folder, which need not exist yet."""
    try:
        path = folder.expanduser().absolute()
    except RuntimeError:
        return  # ``_nobodys`` says it
    there = existing(path)
    if not there.is_dir():
        yield Finding.of("settings.no_folder", path=folder, file=there)
    elif not os.access(there, os.W_OK | os.X_OK):
        yield Finding.of("settings.unwritable", path=folder, folder=there)


def existing(path: Path) -> Path:
    """An absolute path, or the nearest above it that is there."""
    # Not Path.exists, which raises PermissionError in a folder that may not be entered.
    return next(p for p in (path, *path.parents) if os.path.exists(p) or p == p.parent)  # noqa: PTH110
