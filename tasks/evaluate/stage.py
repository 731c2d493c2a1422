"""The evaluate room's Prefect tasks: score a model, compare the arms, audit a translated set."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.evaluate.audit.build import Judged, build_audit, read_audit
from tasks.evaluate.audit.config import AuditConfig
from tasks.evaluate.audit.gate import enforce
from tasks.evaluate.comparison import Scored, compare_arms
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.job import EvaluateJob
from tasks.retrain.config import RetrainConfig, Task
from tasks.retrain.stage import resolve_device, run_mm_worker
from tasks.store import Artifact, Store, code_version, write_json

log = logging.getLogger(__name__)

COMPARISON = "comparison.json"
_COMPARED = ("comparison", "evidence", "outcome", "outcomes", "statistics")
_CODE = ("tasks.evaluate.worker", "tasks.evaluate.segmentation", "tasks.evaluate.detection", "tasks.retrain.data")


@task(name="evaluate", task_run_name="evaluate-{kind}-{arm}-seed{seed}", cache_policy=NO_CACHE)
def evaluate_model(
    kind: Task,
    arm: str,
    seed: int,
    model: Artifact,
    benchmark: Artifact,
    config: EvaluateConfig,
    retrain: RetrainConfig,
    store: Store,
    trained_on: tuple[Artifact, ...] = (),
    occasion: str | None = None,
) -> Artifact:
    """Score one model on the benchmark; returns an artifact of kind ``evaluation``.

    Args:
        kind, arm, seed: the result that this belongs to; arm and seed only name it.
        model: artifact of kind ``model``.
        benchmark: artifact of kind ``dataset``.
        config: the section of the configuration.
        retrain: for the device and how many models are worked on at a time.
        store: where predictions and scores are kept.
        trained_on: the data sets of the comparison's training sides, which ``classes: shared`` looks at.
        occasion: something that makes this evaluation a new one even if the same model was scored on the same
            images before, such as the night's date.

    Raises:
        ProcessError: inference failed; the message holds the end of its log.
    """
    device = resolve_device(retrain.device)
    left_out = classes_left_out(kind, config, trained_on)
    threads = max(1, (os.cpu_count() or 1) // retrain.workers)

    def make(work: Path) -> dict[str, Any]:
        job = EvaluateJob(
            task=kind,
            model=model.path,
            table=benchmark.path,
            work=work,
            batch=config.batch,
            threads=threads,
            device=device,
            left_out=left_out,
        )
        write_json(work / "job.json", job.model_dump(mode="json"))
        run_mm_worker(
            "tasks.evaluate.worker", work / "job.json", f"{kind} {arm} seed {seed}", threads, device, retrain.gpus
        )
        scores = json.loads((work / "scores.json").read_text())
        return {"task": kind, "images": scores["images"], "device": device, **scores["metrics"]}

    return store.build(
        "evaluation",
        config={"task": kind, "occasion": occasion, "left_out": left_out},
        inputs={"model": model, "benchmark": benchmark},
        code=code_version(*_CODE),
        make=make,
    )


@task(name="compare arms", cache_policy=NO_CACHE)
def compare(
    scored: dict[tuple[Task, str, int], Artifact],
    declared: tuple[tuple[Task, str, int], ...],
    config: EvaluateConfig,
    baseline: str,
    oracle: str,
    store: Store,
) -> Artifact:
    """Compare the arms with intervals; returns an artifact of kind ``comparison`` (``comparison.json``).

    Args:
        scored: task, arm and seed -> artifact of kind ``evaluation``.
        declared: the cells of the matrix, so that the missing ones are named.
        config: the section of the configuration.
        baseline, oracle: the arms that all others are compared with.
        store: where the result goes.

    Raises:
        EvidenceError: two results are not of the same benchmark; the message says what differs.
    """

    def make(folder: Path) -> dict[str, Any]:
        cells: dict[Task, list[tuple[str, int]]] = {kind: [] for kind, _, _ in declared}
        for kind, arm, seed in declared:
            cells[kind].append((arm, seed))
        results = [Scored(*cell, folder=artifact.path) for cell, artifact in scored.items()]
        found = compare_arms(results, cells, config, baseline, oracle)
        write_json(folder / COMPARISON, found.model_dump(mode="json"))
        return {"tasks": len(found.tasks), "resamples": config.resamples}

    slice_ = {"declared": declared, "resamples": config.resamples, "margin": config.margin, "sides": [baseline, oracle]}
    return store.build(
        "comparison",
        config=slice_,
        inputs={f"{kind} {arm} seed {seed}": artifact for (kind, arm, seed), artifact in scored.items()},
        code=code_version(*(f"tasks.evaluate.{name}" for name in _COMPARED)),
        make=make,
    )


@task(task_run_name="audit {name}", cache_policy=NO_CACHE)
def audit_translation(
    name: str, sets: dict[str, Artifact], translated: Artifact, judged: Judged, config: AuditConfig, store: Store
) -> Artifact:
    """Audit a translated set; returns an artifact of kind ``audit``.

    Args:
        name: the translator's.
        sets: ``source``, ``target`` and ``benchmark``.
        translated: artifact of kind ``translated``.
        judged: what the frozen judges read in the sets.
        config: the section of the configuration.
        store: where the result goes.

    Raises:
        AuditFailed: a check of severity ``error`` failed, or an image did where ``on_fail`` is ``stop``.
        ImageError, FeatureError, ValueError: see ``build_audit``.
    """
    artifact = build_audit(name, sets, translated, judged, config, store)
    found = read_audit(artifact)
    for failed in (c for c in found.checks if not c.passed):
        level = logging.ERROR if failed.severity == "error" else logging.WARNING
        log.log(level, "%s, %s: %s", name, failed.name, failed.message)
    enforce(found, artifact, config)
    return artifact


def classes_left_out(kind: Task, config: EvaluateConfig, trained_on: tuple[Artifact, ...]) -> tuple[str, ...]:
    """The classes that do not count in the means: those that some side's labels cannot have, where only shared ones do.

    Raises:
        ValueError: no class is left.
    """
    if config.classes == "benchmark":
        return ()
    from tasks.datasets.table import SampleTable

    infos = [SampleTable.read(a.path).info for a in trained_on]
    left_out = sorted({name for i in infos for name in (i.impossible_boxes if kind == "detection" else i.impossible)})
    if infos and len(left_out) == len(infos[0].detection if kind == "detection" else infos[0].classes):
        raise ValueError(f"evaluate.classes: shared leaves no class of {kind}: each is missing from one of the sets")
    return tuple(left_out)
