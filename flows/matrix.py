"""The experiment's matrix: every arm x task x seed trained and scored, each on its own."""

from __future__ import annotations

from itertools import product

from prefect import flow
from prefect.futures import PrefectFuture

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
    models = {
        (task, arm, seed): train_model.submit(task, arm, seed, tables_of(arm, sets, translated), retrain, store)
        for task, arm, seed in cells
    }
    scores = {
        (task, arm, seed): evaluate_model.submit(
            task, arm, seed, models[task, arm, seed], sets["benchmark"], settings.evaluate, retrain, store  # type: ignore[arg-type]
        )
        for task, arm, seed in cells
    }
    results, failures = [], []
    for cell in cells:
        error = _error(models[cell]) or _error(scores[cell])
        names = dict(zip(("task", "arm", "seed"), cell, strict=True))
        if error is None:
            results.append(Result(**names, model=models[cell].result(), evaluation=scores[cell].result()))  # type: ignore[arg-type]
        else:
            failures.append(Failure(**names, error=error))  # type: ignore[arg-type]
    return tuple(results), tuple(failures)


def tables_of(arm: str, sets: dict[str, Artifact], translated: dict[str, Artifact]) -> tuple[Artifact, ...]:
    """The images that an arm is trained on: one set, or the real one and another."""
    translator = translator_of(arm)
    members = {"real": sets["target"], "source": sets["source"]}
    return tuple(members[part] if part in members else translated[str(translator)] for part in arm.split("+", 1))


def _error(future: PrefectFuture[Artifact]) -> str | None:
    outcome = future.result(raise_on_failure=False)
    return f"{type(outcome).__name__}: {outcome}" if isinstance(outcome, BaseException) else None
