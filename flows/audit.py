"""The audit of translated sets before anything is trained on them: what translation brought, and what it broke."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.futures import PrefectFuture

from flows.config import PipelineConfig, overridden
from flows.datasets import read_datasets, translate_source
from flows.matrix import error_of, runner
from flows.progress import advance
from flows.publish import IncompleteRun
from flows.shape import JUDGE, Reading, judged, judges, readings
from tasks.audit.stage import audit_translation
from tasks.contracts import TASKS, Arm, Artifact, Failure, Task
from tasks.datasets import SampleTable
from tasks.evaluate.stage import evaluate_model
from tasks.retrain import weighted
from tasks.retrain.stage import train_model
from tasks.settings import ConfigError
from tasks.store import Store

log = logging.getLogger(__name__)


@flow(name="audit")
def audit(config: PipelineConfig | Path, overrides: dict[str, Any] = {}) -> dict[str, Artifact]:  # noqa: B006
    """Translate the source set and audit every translation, without retraining: the gate before hours of training.

    Args:
        config: the pipeline's configuration, or the YAML file it is in.
        overrides: changes to it by dotted key.

    Returns:
        Translator -> artifact of kind ``audit``. A later run of the whole chain finds all of it in the store.

    Raises:
        ConfigError: the configuration is wrong, or has no audit.
        AuditFailed: a translated set is not fit to be trained on.
        IncompleteRun: a judge failed, or could not read a set.
    """
    settings = overridden(config, overrides, PipelineConfig)
    if settings.audit is None:
        raise ConfigError(f"audit: pipeline {settings.name!r} has none (null): give the section, or leave it out")
    store = Store(settings.store, settings.model_dump(mode="json"))
    sets, _ = read_datasets(settings, store)
    spread = runner(settings)
    _, translated = translate_source.with_options(task_runner=spread)(settings, sets["source"], sets["target"])
    audits, unread = audit_translations.with_options(task_runner=spread)(settings, sets, translated)
    if unread:
        raise IncompleteRun(unread)
    return audits


@flow(name="audit-translations")
def audit_translations(
    settings: PipelineConfig, sets: dict[str, Artifact], translated: dict[str, Artifact]
) -> tuple[dict[str, Artifact], tuple[Failure, ...]]:
    """Let judges trained on the target set read source and translations, and measure what changed.

    A judge that fails, or one of its readings, costs that part of the audits, which say what they could not measure.

    Args:
        settings: the pipeline's configuration.
        sets: ``source``, ``target`` and ``benchmark``.
        translated: translator -> translated source.

    Returns:
        Translator -> artifact of kind ``audit``, empty where ``audit`` is null; and what of the judges failed.

    Raises:
        AuditFailed: a translated set is not fit to be trained on.
    """
    config = settings.audit
    if config is None or not translated:
        return {}, ()
    store = Store(settings.store, settings.model_dump(mode="json"))
    read, failures = _readings(settings, sets, translated, store)
    auditing = {}
    for name, images in translated.items():
        auditing[name] = audit_translation.submit(
            name, sets, images, judged(read, name), config, settings.compute, store
        )
    found = {}
    for name, future in auditing.items():
        found[name] = future.result()
        advance(f"{name} audited")
    return found, failures


def _readings(
    settings: PipelineConfig, sets: dict[str, Artifact], translated: dict[str, Artifact], store: Store
) -> tuple[dict[Reading, Artifact], tuple[Failure, ...]]:
    """Train the judges, and let them read every set that has the labels to compare with: what was read, what failed."""
    tables = {role: SampleTable.read(a.path) for role, a in sets.items()}
    retrain = weighted(judges(settings), tables["target"])
    wanted = readings(settings, lambda role, task: len(tables[role].labelled(TASKS[task].labels)) > 0)
    seed, target = retrain.seeds[0], (sets["target"],)
    how = (retrain, settings.compute, store)
    models: dict[Task, Any] = {t: train_model.submit(t, JUDGE, seed, target, *how) for t in wanted}
    reading: dict[Reading, PrefectFuture[Artifact]] = {}
    failed: dict[Task | Reading, str] = {}
    for task, model in models.items():
        if error := error_of(model):
            failed[task] = error
            continue
        for name in wanted[task]:
            images = {**sets, **translated}[name]
            reading[task, name] = evaluate_model.submit(
                task, JUDGE, seed, model, images, settings.evaluate, settings.compute, store
            )
    failed |= {key: error for key, future in reading.items() if (error := error_of(future))}
    read = {key: future.result() for key, future in reading.items() if key not in failed}
    return read, tuple(_failure(key, seed, error) for key, error in failed.items())


def _failure(of: Task | Reading, seed: int, error: str) -> Failure:
    """As that of the arm ``real``, whose model, or one of another budget, a judge is."""
    task, told = (of, "as the audit's judge") if isinstance(of, str) else (of[0], f"as the audit's judge of {of[1]}")
    log.error("%s %s: %s", task, told, error)
    return Failure(task=task, arm=Arm("real"), seed=seed, error=f"{told}: {error}")
