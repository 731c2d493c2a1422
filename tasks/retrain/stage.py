"""The room's Prefect task."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.compute import ComputeConfig
from tasks.compute.stage import this_machine
from tasks.contracts import Artifact, Drawing, Task
from tasks.retrain.config import RetrainConfig
from tasks.retrain.make_model import build_model
from tasks.store import Store


@task(name="retrain", task_run_name="retrain-{kind}-{arm}-seed{seed}", cache_policy=NO_CACHE)
def train_model(
    kind: Task,
    arm: str,
    seed: int,
    sets: tuple[Artifact, ...],
    config: RetrainConfig,
    compute: ComputeConfig,
    store: Store,
    drawing: Drawing | None = None,
) -> Artifact:
    """Train one model, or find it finished: see ``build_model``."""
    return build_model(kind, arm, seed, sets, config, store, this_machine(compute, store.root), drawing)
