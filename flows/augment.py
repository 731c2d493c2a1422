"""The whole chain: read the data sets, translate, retrain, evaluate, report."""

from __future__ import annotations

if __name__ == "__main__":  # before the slow imports below
    from flows.cli import main

    main("flows.augment")

from pathlib import Path
from typing import Any

from prefect import flow

from flows.config import PipelineConfig, TrainTranslatorConfig, overridden
from flows.matrix import experiment_matrix, runner
from flows.publish import IncompleteRun, publish
from tasks.datasets.stage import check, read
from tasks.report.record import RunRecord
from tasks.report.stage import write_report
from tasks.store import Artifact, Store
from tasks.translate.config import Learned
from tasks.translate.stage import train_translator, translate


@flow(name="augment")
def augment(config: PipelineConfig | Path, overrides: dict[str, Any] = {}) -> RunRecord:  # noqa: B006 - never changed
    """Translate a simulator's data set, retrain on it, and compare on real images.

    Args:
        config: the pipeline's configuration, or the YAML file it is in.
        overrides: changes to it by dotted key, such as ``{"retrain.seeds": [0, 1]}``.

    Raises:
        ConfigError: the configuration is wrong.
        DatasetError: a data set cannot be used, or a check of them failed.
        IncompleteRun: an arm failed; the report over the others is written all the same.
    """
    settings = overridden(config, overrides, PipelineConfig)
    store = Store(settings.store, settings.model_dump(mode="json"))
    sets, checks = read_datasets(settings, store)
    translators, translated = translate_source(settings, sets["source"], sets["target"], store)
    matrix = experiment_matrix.with_options(task_runner=runner(settings))
    results, failures = matrix(settings, sets, translated)
    record = RunRecord(
        name=settings.name,
        **sets,
        checks=checks,
        translators=translators,
        translated=translated,
        results=results,
        failures=failures,
    )
    report = write_report(settings.report, record, store)
    publish(settings, record, report)
    if failures:
        raise IncompleteRun(failures)
    return record


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
