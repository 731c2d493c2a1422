"""The ``translator`` artifact: one training of a learned method, in a process of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.compute import Machine
from tasks.contracts import Artifact, TranslatorCard
from tasks.store import Recipe, Store, code_version, write_json
from tasks.translate.job import JudgeJob, TranslatorJob, take_told
from tasks.translate.sections.base import method_of
from tasks.translate.sections.learned import Learned

JOB = "job.json"
BOARDS = ".tensorboard"  # TensorBoard's files lie in the store, but in no artifact, whose digest they would change
_PROGRESS = re.compile(r"^training |: step |^error|resum|checkpoint|rolled back|tensorboard|compiled")


@dataclass(frozen=True)
class TrainedJudge:
    """A frozen segmenter that judges translations while a translator is trained, and the code that reads it.

    That code is of a later room. So it is named, not imported, and counts for the artifact's key by that name.

    Attributes:
        model: artifact of kind ``model``.
        module: dotted name; its ``load(folder, device)`` gives a function of images, RGB ``uint8 [H, W, 3]``, to class
            indices ``uint8 [H, W]``.
    """

    model: Artifact
    module: str


def build_translator(
    config: Learned,
    source: Artifact,
    target: Artifact,
    store: Store,
    machine: Machine,
    judge: TrainedJudge | None = None,
) -> Artifact:
    """Return the ``translator`` artifact of a learned method.

    Its files: ``weights.safetensors`` (the generator's moving average), ``card.json``, ``log.jsonl``, ``samples/``.
    Loss curves and samples go to ``<store>/.tensorboard``, too, and, inside a flow run, to Prefect.

    Args:
        config: the translator.
        source, target: artifacts of kind ``dataset``.
        store: where the result goes.
        machine: what it is trained on; GPUs share each batch.
        judge: of its validations, where they ask for one.

    Raises:
        ValueError: the configuration names finished weights, so there is nothing to train.
        ProcessError: the training failed; the message holds the end of its output.
        GpuError: this machine has not the GPUs that the configuration asks for.
    """
    if config.weights is not None:
        raise ValueError(f"translator {config.name}: 'weights' names a trained generator, there is nothing to train")

    def make(folder: Path) -> dict[str, Any]:
        board = store.root / BOARDS / f"{config.name}-{folder.name.strip('.')[:8]}"
        with machine.lease(batch=config.training.batch) as lease:
            job = TranslatorJob(
                translator=config,
                source=source.path,
                target=target.path,
                work=folder,
                inputs=digests,
                board=board,
                device=lease.device,
                processes=max(1, len(lease.gpus)),
                judge=JudgeJob(model=judge.model.path, module=judge.module) if judge else None,
            )
            write_json(folder / JOB, job.model_dump(mode="json"))
            machine.run(lease, "tasks.translate.training.worker", folder / JOB, config.name, _PROGRESS)
        card = TranslatorCard.read(folder)
        kept = {"method", "iterations", "device", "losses", "rollbacks", "parameters", "kept"}
        return {**card.model_dump(mode="json", include=kept), **take_told(folder)}

    digests = {"source": source.digest, "target": target.digest} | ({"judge": judge.model.digest} if judge else {})
    return store.build(translator_recipe(config, source, target, judge), make, resumable=True)


def translator_recipe(config: Learned, source: Artifact, target: Artifact, judge: TrainedJudge | None = None) -> Recipe:
    """What a ``translator`` artifact is made from; see ``build_translator``."""
    inputs = {"source": source, "target": target} | ({"judge": judge.model} if judge else {})
    code = code_version(__name__, method_of(config), *([judge.module] if judge else []))
    return Recipe("translator", config=config.training_slice(), inputs=inputs, code=code)
