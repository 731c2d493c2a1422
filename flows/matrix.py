"""The experiment's matrix: every arm x task x seed trained and scored, each on its own."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from prefect import flow
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.config import PipelineConfig
from flows.progress import advance
from flows.shape import Cell, cells, tables_of
from tasks.contracts import Arm, Artifact, Failure, ModelCard, Result, TrainSet
from tasks.datasets import SampleTable
from tasks.evaluate.stage import compare, evaluate_model
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
    matrix = cells(settings)
    # All trainings are submitted before any evaluation: an evaluation waits for its model inside a worker.
    models = {
        cell: train_model.submit(*cell, tables_of(cell[1], sets, translated), *how, cell[1].drawing) for cell in matrix
    }
    scores: dict[Cell, PrefectFuture[Artifact]] = {}
    sides = (sets["source"], sets["target"])
    for cell in matrix:
        model: Any = models[cell]  # Prefect passes its result on
        scores[cell] = evaluate_model.submit(*cell, model, sets["benchmark"], settings.evaluate, compute, store, sides)
    done = {f: ("trained", cell) for cell, f in models.items()} | {f: ("scored", cell) for cell, f in scores.items()}
    for future in as_completed(list(done)):
        what, (task, arm, seed) = done[future]
        advance(f"{task} {arm} seed {seed} {what}")
    return _outcomes(models, scores)


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


def _outcomes(
    models: dict[Cell, PrefectFuture[Artifact]], scores: dict[Cell, PrefectFuture[Artifact]]
) -> tuple[tuple[Result, ...], tuple[Failure, ...]]:
    results, failures = [], []
    for cell in models:
        error = error_of(models[cell]) or error_of(scores[cell])
        task, arm, seed = cell
        if error is not None:
            failures.append(Failure(task=task, arm=arm, seed=seed, error=error))
            continue
        model, evaluation = models[cell].result(), scores[cell].result()
        parts = members(arm, model)
        made: dict[str, Any] = {"images": {part: told.images for part, told in parts.items()}}
        made["drawn"] = {part: told.share for part, told in parts.items() if told.share is not None}
        results.append(Result(task=task, arm=arm, seed=seed, model=model, evaluation=evaluation, **made))
    return tuple(results), tuple(failures)


def error_of(future: PrefectFuture[Artifact]) -> str | None:
    """Why a task failed, or None. Of a task that waits for another, ask the other first: it may never have begun."""
    outcome = future.result(raise_on_failure=False)
    return f"{type(outcome).__name__}: {outcome}" if isinstance(outcome, BaseException) else None
