"""What can be known before anything is trained: when a configuration is loaded, and when its data sets are read."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from tasks.audit import audit_problems
from tasks.contracts import Artifact, Finding, Labels
from tasks.datasets import DatasetError, RunConfig, SampleTable, datasets_problems, label_problems
from tasks.retrain import batch_problems, loader_problems, retrain_problems
from tasks.settings import Place, Problem, below
from tasks.translate import size_problems, translator_problems

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
    yield from _nobodys(settings, ())
    yield from below(("datasets",), datasets_problems(settings.datasets, needed))
    for key in ("store", "output"):
        yield from (Problem((key,), finding) for finding in unwritable(getattr(settings, key)))
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
    while not path.exists() and path != path.parent:
        path = path.parent
    if not path.is_dir():
        yield Finding.of("settings.no_folder", path=folder, file=path)
    elif not os.access(path, os.W_OK | os.X_OK):
        yield Finding.of("settings.unwritable", path=folder, folder=path)


def refuse_data(settings: PipelineConfig | TrainTranslatorConfig, sets: Mapping[str, Artifact]) -> None:
    """Refuse data sets that what is configured cannot be trained or scored on, before anything is trained.

    Raises:
        DatasetError: every problem on its own line, with the setting that is to be changed.
    """
    tables = {role: SampleTable.read(artifact.path) for role, artifact in sets.items()}
    found = tuple(
        Finding.of("settings.at_key", key=".".join(map(str, p.place)), problem=p.finding)
        for p in _data_problems(settings, tables)
    )
    if found:
        raise DatasetError(Finding.of("settings.unsuited", found=found))


def _data_problems(
    settings: PipelineConfig | TrainTranslatorConfig, tables: Mapping[str, SampleTable]
) -> Iterator[Problem]:
    from flows.config import TrainTranslatorConfig

    sizes = {role: table.sizes() for role, table in tables.items()}
    if isinstance(settings, TrainTranslatorConfig):
        yield from below(("translator",), size_problems(settings.translator, sizes))
        return
    for role, needed in settings.labels_needed().items():
        yield from below(("datasets", role), label_problems(role, tables[role], needed))
    for i, translator in enumerate(settings.translate.translators):
        yield from below(("translate", "translators", i), size_problems(translator, sizes))
    if (training := settings.retrain.segmentation) is not None:
        read = sizes if settings.audit is not None else {"benchmark": sizes["benchmark"]}  # judges read all of them
        yield from below(("evaluate",), batch_problems(training, read, settings.evaluate.batch))
