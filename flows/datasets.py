"""The first steps of every flow: read and check the data sets, translate the source."""

from __future__ import annotations

from prefect import flow
from prefect.futures import PrefectFuture

from flows.config import PipelineConfig, TrainTranslatorConfig, checked
from flows.preflight import refuse_data
from flows.progress import advance
from flows.shape import JUDGE, READS_IN_TRAINING, judges, judges_trainings, trained
from tasks.contracts import Artifact
from tasks.datasets import SampleTable
from tasks.datasets.stage import check, read
from tasks.retrain import weighted
from tasks.retrain.stage import train_model
from tasks.store import Store
from tasks.translate import wants_judge
from tasks.translate.stage import train_translator, translate


def read_datasets(
    settings: PipelineConfig | TrainTranslatorConfig, store: Store
) -> tuple[dict[str, Artifact], Artifact]:
    """Read every data set into its sample table, and check them: role -> artifact, and what the checks found."""
    datasets = settings.datasets
    roles = {"source": datasets.source, "target": datasets.target, "benchmark": datasets.benchmark}
    reading = {role: read.submit(role, config, datasets, store) for role, config in roles.items()}
    sets = {}
    for role, future in reading.items():
        sets[role] = future.result()
        advance(f"{role} read")
    needed, language = checked(settings)
    checks = check(sets, datasets, store, needed, language)
    refuse_data(settings, sets)
    advance("data sets checked")
    return sets, checks


@flow(name="translate-source")
def translate_source(
    settings: PipelineConfig, source: Artifact, target: Artifact
) -> tuple[dict[str, Artifact], dict[str, Artifact]]:
    """Train the translators that learn, and translate the source with each: name -> translator, name -> images."""
    store = Store(settings.store, settings.model_dump(mode="json"))
    how = (settings.compute, store)
    judge = _judge(settings, target, store)
    # All trainings are submitted before any translation, which waits for its translator inside a worker.
    training = {
        name: train_translator.submit(t, source, target, *how, judge if wants_judge(t) else None, READS_IN_TRAINING)  # type: ignore[arg-type]
        for name, t in trained(settings).items()
    }
    translating = {
        t.name: translate.submit(t, source, target, training.get(t.name), *how)  # type: ignore[arg-type]
        for t in settings.translate.translators
    }
    return _finished(training, "translator {} trained"), _finished(translating, "source translated by {}")


def _judge(settings: PipelineConfig, target: Artifact, store: Store) -> PrefectFuture[Artifact] | None:
    """The audit's segmenter, submitted to be trained, where a translator's training is validated by it."""
    if not judges_trainings(settings):
        return None
    retrain = weighted(judges(settings), SampleTable.read(target.path))
    return train_model.submit("segmentation", JUDGE, retrain.seeds[0], (target,), retrain, settings.compute, store)


def _finished(futures: dict[str, PrefectFuture[Artifact]], told: str) -> dict[str, Artifact]:
    found = {}
    for name, future in futures.items():
        found[name] = future.result()
        advance(told.format(name))
    return found
