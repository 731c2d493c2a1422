"""The shape of a run: what is trained and read, on what. The flows and the plan follow it; no Prefect is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

from flows.config import PipelineConfig
from tasks.audit import Judged
from tasks.contracts import Arm, Artifact, Task
from tasks.retrain import RetrainConfig
from tasks.translate import Learned, wants_judge

JUDGE = "judge"
READS_IN_TRAINING = "tasks.evaluate.frozen_judge"  # what reads the judge while a translator is trained
Cell = tuple[Task, Arm, int]
Reading = tuple[Task, str]  # a judge's task, and the name of the set that it reads


def trained(settings: PipelineConfig) -> dict[str, Learned]:
    """The translators that a run trains: name -> configuration."""
    return {t.name: t for t in settings.translate.translators if isinstance(t, Learned) and t.weights is None}


def judges_trainings(settings: PipelineConfig) -> bool:
    """Whether the judge of segmentation validates a translator's training, so that it is trained before that."""
    return any(map(wants_judge, settings.translate.translators))


def cells(settings: PipelineConfig) -> tuple[Cell, ...]:
    """The cells of the matrix, in the order of the configuration."""
    return tuple(product(settings.retrain.tasks(), settings.arms(), settings.retrain.seeds))


def lesson(cell: Cell) -> Cell | None:
    """The training whose model labels target images for a cell; None where it needs none."""
    task, arm, seed = cell
    return None if arm.teacher is None else (task, arm.teacher, seed)


def lessons(settings: PipelineConfig) -> tuple[Cell, ...]:
    """The trainings whose models label target images for others; those that are cells themselves, too."""
    return tuple(dict.fromkeys(found for cell in cells(settings) if (found := lesson(cell)) is not None))


def trainings(settings: PipelineConfig) -> tuple[Cell, ...]:
    """All trainings of a run, each after the one that labels images for it."""
    matrix = cells(settings)
    return (
        *dict.fromkeys((*(cell for cell in matrix if lesson(cell) is None), *lessons(settings))),
        *(cell for cell in matrix if lesson(cell) is not None),
    )


def tables_of(
    arm: Arm, sets: Mapping[str, Artifact], translated: Mapping[str, Artifact], labelled: Artifact | None = None
) -> tuple[Artifact, ...]:
    """The images that an arm is trained on: the set of each of its parts.

    Args:
        arm: the arm.
        sets: ``source`` and ``target``.
        translated: translator -> translated source.
        labelled: the target with what the arm's teacher says of it, where it has one.
    """
    members = {"real": sets["target"], "source": sets["source"]}
    members |= {Arm.translated(name): images for name, images in translated.items()}
    if labelled is not None:
        members |= {part: labelled for part in arm.parts if part.teacher is not None}
    return tuple(members[part if part.teacher is not None else part.origin] for part in arm.parts)


def judges(settings: PipelineConfig) -> RetrainConfig:
    """The retraining of the judges: the arm ``real`` of one seed, unless they are trained for longer."""
    config = settings.audit
    assert config is not None
    retrain = settings.retrain.absolute()
    tasks: dict[str, Any] = {}
    for task, training in retrain.tasks().items():
        iterations = config.judge_iterations or training.iterations
        budget = {"iterations": iterations, "log_every": min(training.log_every, iterations)}  # a curve needs a point
        tasks[task] = training.model_copy(update=budget)
    return retrain.model_copy(update={**tasks, "seeds": (config.seed,)})


def readings(settings: PipelineConfig, labelled: Callable[[str, Task], bool]) -> dict[Task, tuple[str, ...]]:
    """What each judge reads: task -> roles of data sets, then translators.

    Args:
        settings: the pipeline's configuration.
        labelled: whether the data set of a role has the labels of a task.
    """
    found = {}
    for task in settings.retrain.tasks():
        if labelled("source", task) and labelled("target", task):  # else the audit says what it could not measure
            roles = ("source", "target", "benchmark") if task == "segmentation" else ("source",)
            sets = tuple(role for role in roles if labelled(role, task))
            found[task] = (*sets, *(t.name for t in settings.translate.translators))
    return found


def judged(read: Mapping[Reading, Artifact], translator: str) -> Judged:
    """What the judges read, as the audit of one translator's images takes it."""
    return Judged(
        source=read.get(("segmentation", "source")),
        translated=read.get(("segmentation", translator)),
        real=read.get(("segmentation", "target")),
        benchmark=read.get(("segmentation", "benchmark")),
        boxes_source=read.get(("detection", "source")),
        boxes_translated=read.get(("detection", translator)),
    )
