"""Training one translator alone; a pipeline with the same settings finds it finished in the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow

from flows.config import TrainTranslatorConfig, overridden
from flows.datasets import read_datasets
from tasks.contracts import Artifact
from tasks.store import Store
from tasks.translate import Learned
from tasks.translate.stage import train_translator as train


@flow(name="train-translator")
def train_translator(config: TrainTranslatorConfig | Path, overrides: dict[str, Any] = {}) -> Artifact:  # noqa: B006
    """Train a translator on the source and target sets.

    Args:
        config: data sets and translator, or the YAML file they are in.
        overrides: changes to it by dotted key, such as ``{"translator.training.iterations": 100}``.

    Raises:
        ConfigError: the configuration is wrong, or its method has nothing to train.
    """
    settings = overridden(config, overrides, TrainTranslatorConfig)
    assert isinstance(settings.translator, Learned)  # no other configuration is accepted
    store = Store(settings.store, settings.model_dump(mode="json"))
    sets, _ = read_datasets(settings, store)
    artifact = train(settings.translator, sets["source"], sets["target"], settings.compute, store)
    print(f"{'found finished' if artifact.cached else 'trained'}: {artifact.path}")
    return artifact
