"""The whole chain: read the data sets, translate, audit, retrain, evaluate, compare, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow

from flows.audit import audit_translations
from flows.config import PipelineConfig, overridden
from flows.datasets import read_datasets, translate_source
from flows.matrix import compared, experiment_matrix, runner
from flows.progress import advance, progress_shown
from flows.publish import IncompleteRun, publish
from flows.shape import cells, lessons, trained, trainings
from tasks.audit import training_set
from tasks.contracts import RunRecord
from tasks.report.stage import write_report
from tasks.store import Store


@flow(name="augment")
def augment(config: PipelineConfig | Path, overrides: dict[str, Any] = {}) -> RunRecord:  # noqa: B006 - never changed
    """Translate a simulator's data set, retrain on it, and compare on real images.

    Args:
        config: the pipeline's configuration, or the YAML file it is in.
        overrides: changes to it by dotted key, such as ``{"retrain.seeds": [0, 1]}``.

    Raises:
        ConfigError: the configuration is wrong.
        DatasetError: a data set cannot be used, or a check of them failed.
        AuditFailed: a translated set is not fit to be trained on.
        IncompleteRun: an arm failed; the report over the others is written all the same.
    """
    settings = overridden(config, overrides, PipelineConfig)
    store = Store(settings.store, settings.model_dump(mode="json"))
    with progress_shown(settings.name, _steps(settings)):
        return _augment(settings, store)


def _steps(settings: PipelineConfig) -> int:
    """Data sets and checks, translators trained and applied, audits, models trained, labelling, scored, and the end."""
    translators = settings.translate.translators
    audited = len(translators) if settings.audit else 0
    models = len(trainings(settings)) + len(lessons(settings)) + len(cells(settings))
    return 4 + len(trained(settings)) + len(translators) + audited + models + 2


def _augment(settings: PipelineConfig, store: Store) -> RunRecord:
    sets, checks = read_datasets(settings, store)
    spread = runner(settings)
    translate = translate_source.with_options(task_runner=spread)
    translators, translated = translate(settings, sets["source"], sets["target"])
    audits, unread = audit_translations.with_options(task_runner=spread)(settings, sets, translated)
    fit = {
        name: training_set(images, audits[name]) if name in audits else images for name, images in translated.items()
    }
    results, failures = experiment_matrix.with_options(task_runner=spread)(settings, sets, fit)
    failures = (*unread, *failures)
    record = RunRecord(
        name=settings.name,
        **sets,
        checks=checks,
        translators=translators,
        translated=translated,
        audits=audits,
        comparison=compared(settings, results, store),
        results=results,
        failures=failures,
    )
    advance("arms compared")
    report = write_report(settings.report, record, store)
    advance("report written")
    publish(settings, record, report)
    if failures:
        raise IncompleteRun(failures)
    return record
