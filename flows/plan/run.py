"""A run's stages in the order of the flows, looked up in the store instead of built."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from flows.config import PipelineConfig, TrainTranslatorConfig, checked
from flows.plan.planner import PlannedStage, Planner, is_built
from flows.preflight import refuse_data
from flows.shape import (
    JUDGE,
    READS_IN_TRAINING,
    Cell,
    Reading,
    cells,
    judged,
    judges,
    judges_trainings,
    lesson,
    readings,
    tables_of,
    trained,
    trainings,
)
from tasks.audit import audit_recipe, training_set
from tasks.contracts import TASKS, Artifact, Result, RunRecord, Task
from tasks.datasets import SampleDataset, SampleTable, checks_recipe, dataset_recipe, drawn_recipe
from tasks.evaluate import classes_left_out, comparison_recipe, evaluation_recipe, pseudo_labels_recipe
from tasks.report import report_recipe
from tasks.retrain import RetrainConfig, model_recipe, weighted
from tasks.store import Store
from tasks.translate import Learned, TrainedJudge, translated_recipe, translator_recipe, wants_judge

Named = dict[str, Artifact]
OfCells = dict[Cell, Artifact]


def plan_run(settings: PipelineConfig) -> list[PlannedStage]:
    """The stages of the whole chain.

    Raises:
        DatasetError: a data set's folders are not what its format says, or those that were read do not suit.
        TaxonomyError: the taxonomy is wrong, or has no map for a data set.
    """
    planner = Planner(Store(settings.store, settings.model_dump(mode="json")))
    sets, checks = _datasets(planner, settings)
    source, target = sets["source"], sets["target"]
    judge = _judge(planner, settings, sets)
    translators = {
        name: planner.plan(
            f"train translator {name}",
            translator_recipe(config, source, target, judge if wants_judge(config) else None),
        )
        for name, config in trained(settings).items()
    }
    translated = {
        t.name: planner.plan(
            f"translate {t.name}",
            translated_recipe(t, source, target, translators.get(t.name), settings.compute.device),
        )
        for t in settings.translate.translators
    }
    audits = _audits(planner, settings, sets, translated, judge)
    fit = {name: _fit(images, audits.get(name)) for name, images in translated.items()}
    models, labels, scored = _matrix(planner, settings, sets, fit)
    sides = settings.report.baseline, settings.report.oracle
    compared = comparison_recipe(scored, cells(settings), settings.evaluate, *sides)
    record = RunRecord(
        name=settings.name,
        **sets,
        checks=checks,
        translators=translators,
        translated=translated,
        audits=audits,
        comparison=planner.plan("compare arms", compared),
        results=tuple(_result(cell, models, labels, scored) for cell in scored),
    )
    planner.plan("report", report_recipe(settings.report, record, planner.store.resolved))
    return planner.stages


def plan_training(settings: TrainTranslatorConfig) -> list[PlannedStage]:
    """The stages of training one translator; the errors are those of ``plan_run``."""
    planner = Planner(Store(settings.store, settings.model_dump(mode="json")))
    sets, _ = _datasets(planner, settings)
    translator = settings.translator
    assert isinstance(translator, Learned)  # no other configuration is accepted
    recipe = translator_recipe(translator, sets["source"], sets["target"])
    planner.plan(f"train translator {translator.name}", recipe)
    return planner.stages


def _datasets(planner: Planner, settings: PipelineConfig | TrainTranslatorConfig) -> tuple[Named, Artifact]:
    datasets = settings.datasets
    sets = {}
    for role, config in {"source": datasets.source, "target": datasets.target, "benchmark": datasets.benchmark}.items():
        sample = None
        if isinstance(config, SampleDataset):
            sample = planner.plan(f"draw {role}", drawn_recipe(config))
        sets[role] = planner.plan(f"dataset {role}", dataset_recipe(config, datasets, sample))
    if all(map(is_built, sets.values())):
        refuse_data(settings, sets)
    needed, language = checked(settings)
    return sets, planner.plan("check data sets", checks_recipe(sets, datasets, needed, language))


def _judge(planner: Planner, settings: PipelineConfig, sets: Named) -> TrainedJudge | None:
    """The audit's segmenter, where a translator's training is validated by it."""
    if not judges_trainings(settings):
        return None
    return TrainedJudge(_trained_judge(planner, "segmentation", settings, sets), READS_IN_TRAINING)


def _trained_judge(planner: Planner, task: Task, settings: PipelineConfig, sets: Named) -> Artifact:
    retrain = _weighted(judges(settings), sets)
    recipe = model_recipe(task, retrain.seeds[0], (sets["target"],), retrain)
    return planner.plan(f"retrain {task} {JUDGE}", recipe)


def _audits(
    planner: Planner, settings: PipelineConfig, sets: Named, translated: Named, judge: TrainedJudge | None
) -> Named:
    config = settings.audit
    if config is None or not translated:
        return {}
    read: dict[Reading, Artifact] = {}
    for task, names in readings(settings, partial(_labelled, sets)).items():
        model = judge.model if judge and task == "segmentation" else _trained_judge(planner, task, settings, sets)
        for name in names:
            images = {**sets, **translated}[name]
            recipe = evaluation_recipe(task, model, images, settings.evaluate)
            read[task, name] = planner.plan(f"{task} {JUDGE} reads {name}", recipe)
    return {
        name: planner.plan(f"audit {name}", audit_recipe(name, sets, images, judged(read, name), config))
        for name, images in translated.items()
    }


def _labelled(sets: Mapping[str, Artifact], role: str, task: Task) -> bool:
    """Whether a set has the labels of a task; taken to be so of one that was not read yet."""
    return not is_built(sets[role]) or len(SampleTable.read(sets[role].path).labelled(TASKS[task].labels)) > 0


def _weighted(retrain: RetrainConfig, sets: Named) -> RetrainConfig:
    """With class weights as numbers, where the set that they come from was read already."""
    return weighted(retrain, SampleTable.read(sets["target"].path)) if is_built(sets["target"]) else retrain


def _fit(images: Artifact, audit: Artifact | None) -> Artifact:
    """What is trained on: the audit's table where it acted on images, which only a finished audit can tell."""
    if audit is None:
        return images
    return training_set(images, audit) if is_built(audit) else audit


def _result(cell: Cell, models: OfCells, labels: OfCells, scored: OfCells) -> Result:
    task, arm, seed = cell
    taught = lesson(cell)
    first = {"teacher": models[taught], "pseudo_labels": labels[taught]} if taught is not None else {}
    return Result(task=task, arm=arm, seed=seed, model=models[cell], evaluation=scored[cell], **first)


def _matrix(planner: Planner, settings: PipelineConfig, sets: Named, fit: Named) -> tuple[OfCells, OfCells, OfCells]:
    """Models, what they labelled, and scores."""
    retrain, sides = _weighted(settings.retrain.absolute(), sets), (sets["source"], sets["target"])
    models: OfCells = {}
    labels: OfCells = {}
    scored: OfCells = {}
    for cell in trainings(settings):
        task, arm, seed = cell
        if (taught := lesson(cell)) is not None and taught not in labels:
            settled = (retrain.self_training, settings.evaluate)
            given = pseudo_labels_recipe(task, models[taught], sets["target"], *settled)
            labels[taught] = planner.plan(f"pseudo-labels {task} {taught[1]} seed {seed}", given)
        tables = tables_of(arm, sets, fit, labels[taught] if taught is not None else None)
        recipe = model_recipe(task, seed, tables, retrain, arm.drawing)
        models[cell] = planner.plan(f"retrain {task} {arm} seed {seed}", recipe)
    for cell in cells(settings):
        task, arm, seed = cell
        model = models[cell]
        known = all(map(is_built, sides)) or settings.evaluate.classes == "benchmark"
        left_out = classes_left_out(task, settings.evaluate, sides) if known else ()
        recipe = evaluation_recipe(task, model, sets["benchmark"], settings.evaluate, left_out)
        scored[cell] = planner.plan(f"evaluate {task} {arm} seed {seed}", recipe, waits=() if known else sides)
    return models, labels, scored
