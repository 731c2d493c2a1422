"""The room's Prefect tasks: train a translator, translate a data set."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext, TaskRunContext

from tasks.process import run_worker
from tasks.progress import artifact_key
from tasks.store import Artifact, Store, StoreError, code_version, file_sha256, write_json
from tasks.translate.config import GeneratorFile, Learned, Translator
from tasks.translate.job import TrainJob

log = logging.getLogger(__name__)

JOB = "job.json"
_PROGRESS = re.compile(r"^training |: step |^error|resum|checkpoint|rolled back|tensorboard|compiled")
BOARDS = ".tensorboard"  # TensorBoard's files lie in the store, but in no artifact, whose digest they would change
WEIGHTS = "weights.safetensors"
_ROOM = "tasks.translate"
_LOOP = ("training", "steps", "rollback", "losslog", "crops", "focus", "distributed", "compiling", "networks.initial")
_SHARED = ("tasks.datasets.images", f"{_ROOM}.pixels", f"{_ROOM}.methods.base")


@task(task_run_name="train translator {config.name}", cache_policy=NO_CACHE)
def train_translator(config: Learned, source: Artifact, target: Artifact, store: Store) -> Artifact:
    """Train a learned method: artifact of kind ``translator``.

    Its files: ``weights.safetensors`` (the generator's moving average), ``card.json``, ``log.jsonl``, ``samples/``.
    Loss curves and samples go to ``<store>/.tensorboard``, too, and, inside a flow run, to Prefect.

    Raises:
        ValueError: the configuration names finished weights, so there is nothing to train.
        ProcessError: the training failed; the message holds the end of its output.
    """
    if config.weights is not None:
        raise ValueError(f"translator {config.name}: 'weights' names a trained generator, there is nothing to train")

    def make(folder: Path) -> dict[str, Any]:
        board = store.root / BOARDS / f"{config.name}-{folder.name.strip('.')[:8]}"
        job = TrainJob(
            translator=config, source=source.path, target=target.path, work=folder, inputs=digests, board=board
        )
        write_json(folder / JOB, job.model_dump(mode="json"))
        run_worker("tasks.translate.worker", folder / JOB, config.name, _PROGRESS, {})
        card = json.loads((folder / "card.json").read_text())
        kept = ("method", "iterations", "iterations_per_second", "device", "losses", "rollbacks", "parameters")
        return {name: card[name] for name in kept}

    digests = {"source": source.digest, "target": target.digest}
    code = code_version("tasks.datasets.masks", *_code(config), *(f"{_ROOM}.{name}" for name in _LOOP))
    inputs = {"source": source, "target": target}
    artifact = store.build(
        "translator", config=config.training_slice(), inputs=inputs, code=code, make=make, resumable=True
    )
    if FlowRunContext.get() or TaskRunContext.get():
        _publish(config.name, artifact)
    return artifact


def _publish(name: str, artifact: Artifact) -> None:
    """Show a training in Prefect. A server that does not answer costs the display, not the translator."""
    from tasks.translate.outcome import outcome

    try:
        create_markdown_artifact(
            key=artifact_key("translator", name),
            markdown=outcome(artifact.path),
            description=f"Training of the translator {name}",
        )
    except Exception as error:  # noqa: BLE001 - whatever Prefect's client raises
        log.warning("the training is not shown in Prefect: %s", error)


@task(task_run_name="translate {config.name}", cache_policy=NO_CACHE)
def translate(
    config: Translator, source: Artifact, target: Artifact, translator: Artifact | None, store: Store
) -> Artifact:
    """Translate the source set: artifact of kind ``translated`` (``images/<id>.png``, ``samples.parquet``).

    Args:
        config: the translator.
        source: the data set to translate.
        target: the data set whose look is wanted; an input only where the method measures it.
        translator: what ``train_translator`` gave, for a learned method without ``weights``.
        store: where the result goes.

    Raises:
        StoreError: a learned method has no trained weights, or the given file is not the one the configuration names.
        ImageError: a source image cannot be translated; the message names it.
    """
    weights = _weights(config, translator)
    inputs = {"source": source}
    if config.uses_target:
        inputs["target"] = target
    if translator is not None and config.learned and _given(config) is None:
        inputs["translator"] = translator

    def make(folder: Path) -> dict[str, Any]:
        return _translate(config, source, target, weights, folder)

    code = code_version(*_code(config), f"{_ROOM}.apply")
    return store.build(
        "translated", config=config.translation_slice(), inputs=inputs, code=code, make=make, resumable=True
    )


def _translate(
    config: Translator, source: Artifact, target: Artifact, weights: Path | None, folder: Path
) -> dict[str, Any]:
    import time

    from tasks.datasets.table import SampleTable
    from tasks.translate.apply import translate_table
    from tasks.translate.methods.base import Resources, method_module

    device = "cpu"
    if config.learned:
        from tasks.translate.training import pick_device

        device = pick_device()
    table = SampleTable.read(source.path)
    resources = Resources(SampleTable.read(target.path) if config.uses_target else None, weights, device)
    loaded = method_module(config.method).load(config, resources)
    start = time.perf_counter()
    made = translate_table(table, loaded, folder, config.name)
    rate = made / (time.perf_counter() - start)
    return {"translator": config.method, "images": len(table), "images_per_second": round(rate, 2)}


def _weights(config: Translator, translator: Artifact | None) -> Path | None:
    if not config.learned:
        return None
    if (given := _given(config)) is not None:
        found = file_sha256(given.path) if given.path.is_file() else None
        if found != given.sha256:
            what = "there is no such file" if found is None else f"its SHA-256 is {found}"
            raise StoreError(f"translator {config.name}: weights {given.path} with SHA-256 {given.sha256}: {what}")
        return given.path
    if translator is None:
        raise StoreError(f"translator {config.name}: it is not trained: run train_translator first, or give 'weights'")
    return translator.file(WEIGHTS)


def _given(config: Translator) -> GeneratorFile | None:
    return config.weights if isinstance(config, Learned) else None


def _code(config: Translator | Learned) -> list[str]:
    networks = ("whole_image", "tiles", *config.networks) if isinstance(config, Learned) else ()
    methods = (config.method, *config.bases) if isinstance(config, Learned) else (config.method,)
    room = (*(f"methods.{name}" for name in methods), *(f"networks.{name}" for name in networks))
    return [*_SHARED, *(f"{_ROOM}.{name}" for name in room)]
