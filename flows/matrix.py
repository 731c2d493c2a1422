"""The experiment's matrix: every arm x task x seed trained and scored, each on its own."""

from __future__ import annotations

from itertools import product
from typing import Any

from prefect import flow
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.config import PipelineConfig
from tasks.evaluate.stage import evaluate_model
from tasks.report.record import Failure, Result
from tasks.retrain.config import Task, translator_of
from tasks.retrain.stage import train_model
from tasks.store import Artifact, Store

Cell = tuple[Task, str, int]


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
    retrain = settings.retrain
    cells: list[Cell] = list(product(retrain.tasks(), settings.arms(), retrain.seeds))
    # All trainings are submitted before any evaluation: an evaluation waits for its model inside a worker.
    models = {cell: train_model.submit(*cell, tables_of(cell[1], sets, translated), retrain, store) for cell in cells}
    scores: dict[Cell, PrefectFuture[Artifact]] = {}
    sides = (sets["source"], sets["target"])
    for cell in cells:
        model: Any = models[cell]  # Prefect passes its result on
        scores[cell] = evaluate_model.submit(*cell, model, sets["benchmark"], settings.evaluate, retrain, store, sides)
    results, failures = [], []
    for cell in cells:
        error = _error(models[cell]) or _error(scores[cell])
        task, arm, seed = cell
        if error is not None:
            failures.append(Failure(task=task, arm=arm, seed=seed, error=error))
            continue
        made = {"model": models[cell].result(), "evaluation": scores[cell].result()}
        results.append(Result(task=task, arm=arm, seed=seed, **made))
    return tuple(results), tuple(failures)


def runner(settings: PipelineConfig) -> TaskRunner[PrefectFuture[Any]]:
    """As many models at a time as ``retrain.workers`` says."""
    threads: Any = ThreadPoolTaskRunner(max_workers=settings.retrain.workers)
    return threads  # type: ignore[no-any-return]


def tables_of(arm: str, sets: dict[str, Artifact], translated: dict[str, Artifact]) -> tuple[Artifact, ...]:
    """The images that an arm is trained on: one set, or the real one and another."""
    translator = translator_of(arm)
    members = {"real": sets["target"], "source": sets["source"]}
    return tuple(members[part] if part in members else translated[str(translator)] for part in arm.split("+", 1))


def _error(future: PrefectFuture[Artifact]) -> str | None:
    outcome = future.result(raise_on_failure=False)
    return f"{type(outcome).__name__}: {outcome}" if isinstance(outcome, BaseException) else None
