"""The first steps of every flow: read and check the data sets, translate the source."""

from __future__ import annotations

from flows.config import PipelineConfig, TrainTranslatorConfig
from tasks.datasets.stage import check, read
from tasks.store import Artifact, Store
from tasks.translate.config import Learned
from tasks.translate.stage import train_translator, translate


def read_datasets(
    settings: PipelineConfig | TrainTranslatorConfig, store: Store
) -> tuple[dict[str, Artifact], Artifact]:
    """Read every data set into its sample table, and check them: role -> artifact, and what the checks found."""
    datasets = settings.datasets
    roles = {"source": datasets.source, "target": datasets.target, "benchmark": datasets.benchmark}
    reading = {role: read.submit(role, config, datasets, store) for role, config in roles.items()}
    sets = {role: future.result() for role, future in reading.items()}
    needed = settings.labels_needed() if isinstance(settings, PipelineConfig) else None
    return sets, check(sets, datasets, store, needed)


def translate_source(
    settings: PipelineConfig, source: Artifact, target: Artifact, store: Store
) -> tuple[dict[str, Artifact], dict[str, Artifact]]:
    """Train the translators that learn, and translate the source with each: name -> translator, name -> images."""
    configs = {t.name: t for t in settings.translate.translators}
    training = {
        name: train_translator.submit(t, source, target, store)
        for name, t in configs.items()
        if isinstance(t, Learned) and t.weights is None
    }
    translating = {
        name: translate.submit(t, source, target, training.get(name), store)  # type: ignore[arg-type]
        for name, t in configs.items()
    }
    return (
        {name: future.result() for name, future in training.items()},
        {name: future.result() for name, future in translating.items()},
    )
