"""The room's Prefect tasks: train a translator, translate a data set."""

from __future__ import annotations

import logging

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext, TaskRunContext

from tasks.compute import ComputeConfig, artifact_key
from tasks.compute.stage import this_machine
from tasks.contracts import Artifact
from tasks.store import Manifest, Store
from tasks.translate.config import Translator
from tasks.translate.make_translated import build_translated
from tasks.translate.make_translator import TrainedJudge, build_translator
from tasks.translate.sections.learned import Learned

log = logging.getLogger(__name__)


@task(task_run_name="train translator {config.name}", cache_policy=NO_CACHE)
def train_translator(
    config: Learned,
    source: Artifact,
    target: Artifact,
    compute: ComputeConfig,
    store: Store,
    judge: Artifact | None = None,
    judge_module: str = "",
) -> Artifact:
    """Train a learned method, or find it trained: see ``build_translator``. Its curves are shown in Prefect.

    ``judge`` and ``judge_module`` are a ``TrainedJudge``'s two parts: Prefect waits for what is an argument by itself.
    """
    trained = TrainedJudge(judge, judge_module) if judge is not None else None
    artifact = build_translator(config, source, target, store, this_machine(compute, store.root), trained)
    if FlowRunContext.get() or TaskRunContext.get():
        _publish(config.name, artifact)
    return artifact


def _publish(name: str, artifact: Artifact) -> None:
    """Show a training in Prefect. A server that does not answer costs the display, not the translator."""
    from tasks.translate.outcome import outcome

    try:
        create_markdown_artifact(
            key=artifact_key("translator", name),
            markdown=outcome(artifact.path, Manifest.read(artifact.path).summary["iterations_per_second"]),
            description=f"Training of the translator {name}",
        )
    except Exception as error:  # noqa: BLE001 - whatever Prefect's client raises
        log.warning("the training is not shown in Prefect: %s", error)


@task(task_run_name="translate {config.name}", cache_policy=NO_CACHE)
def translate(
    config: Translator,
    source: Artifact,
    target: Artifact,
    translator: Artifact | None,
    compute: ComputeConfig,
    store: Store,
) -> Artifact:
    """Translate the source set, or find it translated: see ``build_translated``."""
    return build_translated(config, source, target, translator, store, this_machine(compute, store.root))
