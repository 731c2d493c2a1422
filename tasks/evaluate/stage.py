"""The room's Prefect tasks: score a model, let it label images, compare the arms."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.compute import ComputeConfig
from tasks.compute.stage import this_machine
from tasks.contracts import Arm, Artifact, Task
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.make_comparison import build_comparison
from tasks.evaluate.make_evaluation import build_evaluation
from tasks.evaluate.make_pseudo_labels import build_pseudo_labels
from tasks.retrain import SelfTrainingConfig
from tasks.store import Store


@task(name="evaluate", task_run_name="evaluate-{kind}-{arm}-seed{seed}", cache_policy=NO_CACHE)
def evaluate_model(
    kind: Task,
    arm: str,
    seed: int,
    model: Artifact,
    benchmark: Artifact,
    config: EvaluateConfig,
    compute: ComputeConfig,
    store: Store,
    trained_on: tuple[Artifact, ...] = (),
    occasion: str | None = None,
) -> Artifact:
    """Score one model on the benchmark, or find its scores: see ``build_evaluation``."""
    machine = this_machine(compute, store.root)
    return build_evaluation(kind, arm, seed, model, benchmark, config, store, machine, trained_on, occasion)


@task(name="pseudo-labels", task_run_name="pseudo-labels-{kind}-{arm}-seed{seed}", cache_policy=NO_CACHE)
def label_images(
    kind: Task,
    arm: str,
    seed: int,
    model: Artifact,
    images: Artifact,
    config: SelfTrainingConfig,
    evaluate: EvaluateConfig,
    compute: ComputeConfig,
    store: Store,
) -> Artifact:
    """Let a model label images, or find what it said of them: see ``build_pseudo_labels``."""
    machine = this_machine(compute, store.root)
    return build_pseudo_labels(kind, arm, seed, model, images, config, evaluate, store, machine)


@task(name="compare arms", cache_policy=NO_CACHE)
def compare(
    scored: dict[tuple[Task, Arm, int], Artifact],
    declared: tuple[tuple[Task, Arm, int], ...],
    config: EvaluateConfig,
    baseline: Arm,
    oracle: Arm,
    store: Store,
) -> Artifact:
    """Compare the arms with intervals, or find the comparison: see ``build_comparison``."""
    return build_comparison(scored, declared, config, baseline, oracle, store)
