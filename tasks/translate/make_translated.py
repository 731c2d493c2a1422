"""The ``translated`` artifact: a data set's images, translated."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from tasks.compute import LOG, Machine
from tasks.contracts import Artifact
from tasks.store import Manifest, Recipe, Store, StoreError, code_version, file_sha256, write_json
from tasks.translate.job import WEIGHTS, TranslationJob, take_told
from tasks.translate.precision import precision_slice
from tasks.translate.sections.base import TranslatorSection, method_of
from tasks.translate.sections.learned import GeneratorFile, Learned

_SHOWN = re.compile(r"^translating |^\| |^error|fit into memory|float32")


def build_translated(
    config: TranslatorSection,
    source: Artifact,
    target: Artifact,
    translator: Artifact | None,
    store: Store,
    machine: Machine,
) -> Artifact:
    """Return the ``translated`` artifact of the source set (``images/<id>.png``, ``samples.parquet``).

    Args:
        config: the translator.
        source: the data set to translate.
        target: the data set whose look is wanted; an input only where the method measures it.
        translator: what ``train_translator`` gave, for a learned method without ``weights``.
        store: where the result goes.
        machine: what a network runs on; other methods take a share of its cores.

    Raises:
        StoreError: a learned method has no trained weights, or they are damaged, or the given file is not the one the
            configuration names.
        DatasetError: a folder of images that another program made is not there.
        ProcessError: a source image cannot be translated; the message names it.
        GpuError: this machine has not the GPUs that the configuration asks for.
    """
    weights = _weights(config, translator)

    def make(folder: Path) -> dict[str, Any]:
        with machine.lease(gpu=config.on_gpu) as lease:
            job = TranslationJob(
                translator=config,
                source=source.path,
                target=target.path if config.uses_target else None,
                weights=weights and weights.absolute(),
                work=folder,
                device=lease.device,
            )
            write_json(folder / "job.json", job.model_dump(mode="json"))
            machine.run(lease, "tasks.translate.apply_worker", folder / "job.json", config.name, _SHOWN)
        if translated_recipe(*made_from).config != recipe.config:
            shutil.rmtree(folder)  # what is made of other files than the key tells of is not gone on with
            raise StoreError(f"translator {config.name}: its files were changed while it worked: start the run again")
        (folder / LOG).unlink(missing_ok=True)  # nothing but progress
        return {"translator": config.method, **take_told(folder), "device": lease.device}

    made_from = config, source, target, translator, machine.config.device
    recipe = translated_recipe(*made_from)
    return store.build(recipe, make, resumable=True)


def translated_recipe(
    config: TranslatorSection, source: Artifact, target: Artifact, translator: Artifact | None, device: str
) -> Recipe:
    """What a ``translated`` artifact is made from.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``, of the configuration.
        config, source, target, translator: as of ``build_translated``.
    """
    inputs = {"source": source}
    if config.uses_target:
        inputs["target"] = target
    if translator is not None and config.learned and _given(config) is None:
        inputs["translator"] = translator
    code = code_version(__name__, method_of(config))
    how = config.translation_slice() | precision_slice(config, device)
    return Recipe("translated", config=how, inputs=inputs, code=code)


def _weights(config: TranslatorSection, translator: Artifact | None) -> Path | None:
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
    return Manifest.read(translator.path).checked(translator.path, WEIGHTS)


def _given(config: TranslatorSection) -> GeneratorFile | None:
    return config.weights if isinstance(config, Learned) else None
