"""The experiment's matrix: every arm x task x seed trained and scored, each on its own."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from prefect import flow
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.config import PipelineConfig
from flows.progress import advance
from flows.shape import Cell, cells, lesson, tables_of, trainings
from tasks.contracts import Arm, Artifact, Failure, ModelCard, Result, TrainSet
from tasks.datasets import SampleTable
from tasks.evaluate.stage import compare, evaluate_model, label_images
from tasks.retrain import weighted
from tasks.retrain.stage import train_model
from tasks.store import Store


@flow(name="experiment-matrix")
def experiment_matrix(
    settings: PipelineConfig, sets: dict[str, Artifact], translated: dict[str, Artifact]
) -> tuple[tuple[Result, ...], tuple[Failure, ...]]:
    """Train and score every cell at an equal budget; one that fails does not stop the others.

    Args:
        settings: the pipeline's configuration.
        sets: ``source``, ``target`` and ``benchmark``.
        translated: translator -> translated source.

    Returns:
        What finished and what failed, in the order of the configuration.
    """
    store = Store(settings.store, settings.model_dump(mode="json"))
    retrain = weighted(settings.retrain.absolute(), SampleTable.read(sets["target"].path))
    compute = settings.compute
    how = (retrain, compute, store)
    # What another waits for inside a worker is submitted before it: teachers, their labels, the rest of the trainings,
    # and then the evaluations.
    made = Made({}, {}, {})
    for cell in trainings(settings):
        if (taught := lesson(cell)) is not None and taught not in made.labels:
            teacher: Any = made.models[taught]  # Prefect passes its result on
            made.labels[taught] = label_images.submit(
                *taught, teacher, sets["target"], retrain.self_training, settings.evaluate, compute, store
            )
        labels: Any = made.labels[taught] if taught is not None else None
        tables = tables_of(cell[1], sets, translated, labels)
        made.models[cell] = train_model.submit(*cell, tables, *how, cell[1].drawing)
    sides = (sets["source"], sets["target"])
    for cell in cells(settings):
        model: Any = made.models[cell]
        made.scores[cell] = evaluate_model.submit(
            *cell, model, sets["benchmark"], settings.evaluate, compute, store, sides
        )
    _follow(made)
    return _outcomes(made)


@dataclass(frozen=True)
class Made:
    """What was submitted, by cell; ``labels`` are those of the training that gives them."""

    models: dict[Cell, PrefectFuture[Artifact]]
    labels: dict[Cell, PrefectFuture[Artifact]]
    scores: dict[Cell, PrefectFuture[Artifact]]

    def before(self, cell: Cell) -> tuple[PrefectFuture[Artifact], ...]:
        """All that a cell's score depends on, and then that score."""
        taught = lesson(cell)
        first = () if taught is None else (self.models[taught], self.labels[taught])
        return (*first, self.models[cell], self.scores[cell])


def _follow(made: Made) -> None:
    """Tell the progress of each as it ends."""
    told = {"trained": made.models, "labelled images": made.labels, "scored": made.scores}
    done = {future: (what, cell) for what, futures in told.items() for cell, future in futures.items()}
    for future in as_completed(list(done)):
        what, (task, arm, seed) = done[future]
        advance(f"{task} {arm} seed {seed} {what}")


def runner(settings: PipelineConfig) -> TaskRunner[PrefectFuture[Any]]:
    """What ``compute.runner`` names: as much work at a time as ``compute.workers`` says, or as a cluster takes."""
    compute = settings.compute
    made: Any
    if compute.runner == "dask":
        local = {"n_workers": compute.workers, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
        options = {"address": compute.cluster} if compute.cluster else {"cluster_kwargs": local}
        made = import_module("prefect_dask").DaskTaskRunner(**options)
    elif compute.runner == "ray":
        # Ray would hide all GPUs from a task that asks it for none; here the stage itself picks one.
        shown: dict[str, Any] = {"runtime_env": {"env_vars": {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}}}
        local = {} if compute.cluster else {"num_cpus": compute.workers, "include_dashboard": False}
        made = import_module("prefect_ray").RayTaskRunner(address=compute.cluster, init_kwargs=shown | local)
    else:
        made = ThreadPoolTaskRunner(max_workers=compute.workers)
    return made  # type: ignore[no-any-return]


def compared(settings: PipelineConfig, results: tuple[Result, ...], store: Store) -> Artifact | None:
    """What the results say of the arms, with intervals: artifact of kind ``comparison``; None without results."""
    if not results:
        return None
    scored = {(r.task, r.arm, r.seed): r.evaluation for r in results}
    sides = settings.report.baseline, settings.report.oracle
    return compare(scored, cells(settings), settings.evaluate, *sides, store)


def members(arm: Arm, model: Artifact) -> dict[Arm, TrainSet]:
    """The arm's parts, such as ``real`` and ``translated(cut)`` -> what the model's card says of each."""
    return dict(zip(arm.parts, ModelCard.read(model.path).train_sets, strict=True))


def _outcomes(made: Made) -> tuple[tuple[Result, ...], tuple[Failure, ...]]:
    results, failures = [], []
    for cell in made.scores:
        error = next(filter(None, map(error_of, made.before(cell))), None)
        task, arm, seed = cell
        if error is not None:
            failures.append(Failure(task=task, arm=arm, seed=seed, error=error))
            continue
        *first, model, evaluation = (future.result() for future in made.before(cell))
        parts = members(arm, model)
        told: dict[str, Any] = dict(zip(("teacher", "pseudo_labels"), first, strict=False))
        told["images"] = {part: of.images for part, of in parts.items()}
        told["drawn"] = {part: of.share for part, of in parts.items() if of.share is not None}
        results.append(Result(task=task, arm=arm, seed=seed, model=model, evaluation=evaluation, **told))
    return tuple(results), tuple(failures)


def error_of(future: PrefectFuture[Artifact]) -> str | None:
    """Why a task failed, or None. Of a task that waits for another, ask the other first: it may never have begun."""
    outcome = future.result(raise_on_failure=False)
    return f"{type(outcome).__name__}: {outcome}" if isinstance(outcome, BaseException) else None
