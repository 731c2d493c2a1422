"""What can be known when a configuration is loaded, before anything is read, translated or trained."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from tasks.audit import audit_problems
from tasks.contracts import Finding, Labels
from tasks.datasets import RunConfig, datasets_problems
from tasks.retrain import loader_problems, retrain_problems
from tasks.settings import Place, Problem, below
from tasks.translate import translator_problems

if TYPE_CHECKING:
    from flows.config import PipelineConfig, TrainTranslatorConfig


def pipeline_problems(settings: PipelineConfig) -> Iterator[Problem]:
    """Everything that is wrong with a pipeline's files, machine and sections."""
    yield from run_problems(settings, settings.labels_needed())
    for i, translator in enumerate(settings.translate.translators):
        yield from below(("translate", "translators", i), translator_problems(translator))
    yield from below(("retrain",), retrain_problems(settings.retrain))
    yield from loader_problems(settings.retrain, settings.compute)
    if settings.audit is not None:
        yield from below(("audit",), audit_problems(settings.audit))


def training_problems(settings: TrainTranslatorConfig) -> Iterator[Problem]:
    """Everything that is wrong with the files, machine and sections of one translator's training."""
    yield from run_problems(settings, {})
    yield from below(("translator",), translator_problems(settings.translator))


def run_problems(settings: RunConfig, needed: Mapping[str, Collection[Labels]]) -> Iterator[Problem]:
    """What is wrong with what every run has: its places and data sets; ``needed`` labels are by role."""
    if nobodys := list(_nobodys(settings, ())):
        yield from nobodys
    else:
        yield from below(("datasets",), datasets_problems(settings.datasets, needed))
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
    path = folder.expanduser().absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    if not path.is_dir():
        return Finding.of("settings.no_folder", path=folder, file=path)
    if not os.access(path, os.W_OK | os.X_OK):
        return Finding.of("settings.unwritable", path=folder, folder=path)
    return None
