"""The ``translated`` artifact: a data set's images, translated."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tasks.compute import pick_device
from tasks.contracts import Artifact
from tasks.datasets import SampleTable
from tasks.store import Manifest, Recipe, Store, StoreError, code_version, file_sha256
from tasks.translate.apply import translate_table
from tasks.translate.config import GeneratorFile, Learned, Translator, method_of
from tasks.translate.job import WEIGHTS
from tasks.translate.methods.base import Resources, method_module


def build_translated(
    config: Translator, source: Artifact, target: Artifact, translator: Artifact | None, store: Store
) -> Artifact:
    """Return the ``translated`` artifact of the source set (``images/<id>.png``, ``samples.parquet``).

    Args:
        config: the translator.
        source: the data set to translate.
        target: the data set whose look is wanted; an input only where the method measures it.
        translator: what ``train_translator`` gave, for a learned method without ``weights``.
        store: where the result goes.

    Raises:
        StoreError: a learned method has no trained weights, or they are damaged, or the given file is not the one the
            configuration names.
        ImageError: a source image cannot be translated; the message names it.
    """
    weights = _weights(config, translator)

    def make(folder: Path) -> dict[str, Any]:
        return _translate(config, source, target, weights, folder)

    return store.build(translated_recipe(config, source, target, translator), make, resumable=True)


def translated_recipe(config: Translator, source: Artifact, target: Artifact, translator: Artifact | None) -> Recipe:
    """What a ``translated`` artifact is made from; the arguments are those of ``build_translated``."""
    inputs = {"source": source}
    if config.uses_target:
        inputs["target"] = target
    if translator is not None and config.learned and _given(config) is None:
        inputs["translator"] = translator
    code = code_version(__name__, method_of(config))
    return Recipe("translated", config=config.translation_slice(), inputs=inputs, code=code)


def _translate(
    config: Translator, source: Artifact, target: Artifact, weights: Path | None, folder: Path
) -> dict[str, Any]:
    device = "cpu"
    if config.learned:
        device = pick_device()
    table = SampleTable.read(source.path)
    resources = Resources(SampleTable.read(target.path) if config.uses_target else None, weights, device)
    loaded = method_module(config.method).load(config, resources)
    start = time.perf_counter()
    made = translate_table(table, loaded, folder, config.name)
    rate = made / (time.perf_counter() - start)
    return {"translator": config.method, "images": len(table), "images_per_second": round(rate, 2), "device": device}


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
    return Manifest.read(translator.path).checked(translator.path, WEIGHTS)


def _given(config: Translator) -> GeneratorFile | None:
    return config.weights if isinstance(config, Learned) else None
