"""Evaluation of really trained models: stored scores are those that the stored predictions give."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.catalogue.language import say
from tasks.compute.config import ComputeConfig
from tasks.compute.process import ProcessError
from tasks.contracts.artifact import Artifact
from tasks.contracts.scores import Scores
from tasks.contracts.task import Task
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.table import Box, Sample, SampleTable, SegmentationClass, TableInfo
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.evidence import SegmentationEvidence
from tasks.evaluate.make_evaluation import build_evaluation, classes_left_out
from tasks.evaluate.make_pseudo_labels import build_pseudo_labels
from tasks.evaluate.preflight import scoring_problems
from tasks.evaluate.stage import evaluate_model
from tasks.retrain.config import RetrainConfig, SelfTrainingConfig
from tasks.retrain.make_model import build_model
from tasks.retrain.suitable import TrainingError
from tasks.store.files import write_png
from tasks.store.recipe import Recipe
from tasks.store.store import Store
from tests.workers import HERE

CPU = ComputeConfig(device="cpu", workers=2)
CONFIGS = {
    "detection": "configs/networks/detection/efficientnet_lite0_atss.py",
    "segmentation": "configs/networks/segmentation/efficientnet_lite0_fpn.py",
}
CLASSES = ("ground", "square", "never seen")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def squares(store: Store) -> Artifact:
    """Six 80x48 images of a bright square on dark ground; the third class has no pixel."""
    info = TableInfo(
        dataset="squares",
        classes=tuple(SegmentationClass(name=n, color=(i, i, i)) for i, n in enumerate(CLASSES)),
        detection=("square",),
        encoding=MaskEncoding(kind="index", indices={0: 0, 1: 1, 2: 2, 3: 255}),
        boxes_from="annotated",
    )
    folder = store.root / "raw"
    random = np.random.default_rng(0)

    def make(work: Path) -> None:
        samples = []
        for i in range(6):
            x, y = int(random.integers(4, 40)), int(random.integers(2, 12))
            image = random.integers(0, 60, (48, 80, 3), np.uint8)
            image[y : y + 32, x : x + 32] += 150
            mask = np.zeros((48, 80), np.uint8)
            mask[y : y + 32, x : x + 32] = 1
            mask[:2] = 3
            write_png(folder / f"{i}.png", image)
            write_png(folder / f"{i}_mask.png", mask)
            files = (folder / f"{i}.png", folder / f"{i}_mask.png")
            box = Box(0, x, y, x + 32, y + 32)
            samples.append(Sample(str(i), *files, 80, 48, "train", str(i), str(i), (box,)))
        SampleTable.from_samples(samples, info, work).write(work)

    return store.build(Recipe("dataset", config={}, inputs={}, code="1"), make)


def trained(task: Task, squares: Artifact, store: Store) -> Artifact:
    training = {"config": CONFIGS[task], "iterations": 20, "batch": 4, "input_size": [64, 64], "log_every": 5}
    config = RetrainConfig.model_validate({task: training})
    return build_model(task, "real", 0, (squares,), config, store, HERE)


def test_segmentation_scores_are_those_of_the_stored_predictions(squares: Artifact, store: Store) -> None:
    model = trained("segmentation", squares, store)
    found = build_evaluation("segmentation", "real", 0, model, squares, EvaluateConfig(), store, HERE)
    confusion = np.zeros((3, 3), np.int64)
    for sample in SampleTable.read(squares.path):
        truth = np.asarray(Image.open(sample.mask))
        predicted = np.asarray(Image.open(found.file(f"predictions/{sample.id}.png")))
        assert predicted.shape == truth.shape
        for t in range(3):
            for p in range(3):
                confusion[t, p] += int(((truth == t) & (predicted == p)).sum())
    iou = [confusion[c, c] / (confusion[c].sum() + confusion[:, c].sum() - confusion[c, c]) for c in range(2)]
    scores = json.loads(found.file("scores.json").read_text())
    assert [c["IoU"] for c in scores["classes"]] == [pytest.approx(iou[0]), pytest.approx(iou[1]), None]
    assert scores["metrics"]["mIoU"] == pytest.approx(np.mean(iou))
    evidence = pq.read_table(found.file("confusion.parquet")).to_pandas()
    summed = evidence.groupby(["truth", "predicted"]).pixels.sum()
    assert all(summed.get((t, p), 0) == confusion[t, p] for t in range(3) for p in range(3))
    assert evidence.id.nunique() == 6
    facts = SegmentationEvidence.read(found.path).facts
    assert facts is not None
    assert (facts.benchmark, facts.sequences) == (SampleTable.read(squares.path).info.dataset, (None,) * 6)
    features = pq.read_table(found.file("features.parquet")).to_pandas()
    assert features.id.tolist() == [s.id for s in SampleTable.read(squares.path)]
    assert np.stack(features.feature.to_list()).shape[0] == len({tuple(f) for f in features.feature}) == 6


def test_detection_scores_are_those_of_the_stored_predictions(squares: Artifact, store: Store) -> None:
    model = trained("detection", squares, store)
    found = build_evaluation("detection", "real", 0, model, squares, EvaluateConfig(), store, HERE)
    truth = COCO(str(found.file("ground_truth.json")))
    evaluation = COCOeval(truth, truth.loadRes(str(found.file("predictions.json"))), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    scores = json.loads(found.file("scores.json").read_text())["metrics"]
    assert [scores["mAP"], scores["AP50"], scores["AP75"]] == pytest.approx(list(evaluation.stats[:3]))
    boxes = {a["image_id"]: a["bbox"] for a in truth.dataset["annotations"]}
    first = SampleTable.read(squares.path)[0].boxes[0]
    assert boxes[1] == [first.x1, first.y1, 32, 32]
    inside = [p["bbox"] for p in json.loads(found.file("predictions.json").read_text())]
    assert all(x >= -1 and y >= -1 and x + w <= 81 and y + h <= 49 for x, y, w, h in inside)


@pytest.mark.parametrize("task", ["detection", "segmentation"])
def test_a_models_own_labels_are_what_it_predicts(task: Task, squares: Artifact, store: Store) -> None:
    """Where all is believed, pseudo-labels are the predictions that are scored; boxes end at the image's edge."""
    model = trained(task, squares, store)
    predicted = build_evaluation(task, "real", 0, model, squares, EvaluateConfig(), store, HERE)
    everything = SelfTrainingConfig(portion=1.0, sure=1.0, score=0.0)
    found = build_pseudo_labels(task, "real", 0, model, squares, everything, EvaluateConfig(), store, HERE)
    assert sorted(p.name for p in found.path.iterdir() if p.is_file()) == [
        "artifact.json",
        "pseudo_labels.json",
        "samples.parquet",
    ]
    samples = list(SampleTable.read(found.path))
    assert [s.id for s in samples] == [str(i) for i in range(6)]
    if task == "segmentation":
        for sample in samples:
            assert np.array_equal(Image.open(sample.mask), Image.open(predicted.file(f"predictions/{sample.id}.png")))
        return
    said = json.loads(predicted.file("predictions.json").read_text())
    boxes = [[b.x1, b.y1, b.x2, b.y2] for s in samples for b in s.boxes or ()]
    assert len(boxes) == len(said)
    expected = np.array([[x, y, x + w, y + h] for x, y, w, h in (p["bbox"] for p in said)])
    assert np.array(boxes) == pytest.approx(np.clip(expected, 0, [80, 48, 80, 48]), abs=0.02)


def test_checkpoint_that_does_not_fit_its_config_is_refused(squares: Artifact, store: Store) -> None:
    model = trained("segmentation", squares, store)

    def make(work: Path) -> None:
        (work / "config.py").write_bytes(model.file("config.py").read_bytes())
        state = torch.load(model.file("checkpoint.pth"), weights_only=True)["state_dict"]
        torch.save({"state_dict": {k: v for k, v in state.items() if "neck" not in k}}, work / "checkpoint.pth")

    other = store.build(Recipe("model", config={"broken": 1}, inputs={}, code="1"), make)
    with pytest.raises(ProcessError, match=r"checkpoint\.pth does not fit .*config\.py"):
        evaluate_model.fn("segmentation", "real", 0, other, squares, EvaluateConfig(), CPU, store)


def test_benchmark_without_masks_is_refused(squares: Artifact, store: Store) -> None:
    model = trained("segmentation", squares, store)
    table = SampleTable.read(squares.path)

    def make(work: Path) -> None:
        info = table.info.model_copy(update={"encoding": None})
        SampleTable(table.rows, info, work).write(work)

    bare = store.build(Recipe("dataset", config={"bare": 1}, inputs={}, code="1"), make)
    with pytest.raises(TrainingError, match="segmentation needs masks, but data set 'squares' has none"):
        build_evaluation("segmentation", "real", 0, model, bare, EvaluateConfig(), store, HERE)


@pytest.mark.parametrize("task", ["segmentation", "detection"])
def test_a_benchmark_of_several_sizes(task: Task, squares: Artifact, store: Store) -> None:
    model = trained(task, squares, store)
    table = SampleTable.read(squares.path)

    def narrowed(sample: Sample) -> Sample:
        files = [store.root / "raw" / f"narrow_{path.name}" for path in (sample.image, sample.mask)]
        for path, source in zip(files, (sample.image, sample.mask), strict=True):
            write_png(path, np.asarray(Image.open(source))[:, :72])
        return replace(sample, image=files[0], mask=files[1], width=72)

    def make(work: Path) -> None:
        mixed = [narrowed(s) if i % 2 else s for i, s in enumerate(table)]
        SampleTable.from_samples(mixed, table.info, work).write(work)

    benchmark = store.build(Recipe("dataset", config={"mixed": 1}, inputs={}, code="1"), make)
    found = build_evaluation(task, "real", 0, model, benchmark, EvaluateConfig(batch=4), store, HERE)
    assert Scores.read(found.path).images == 6
    if task == "segmentation":
        sizes = [Image.open(found.file(f"predictions/{s.id}.png")).size for s in table]
        assert sizes == [(80, 48), (72, 48)] * 3
        assert pq.read_table(found.file("features.parquet"))["id"].to_pylist() == [s.id for s in table]
    else:
        boxes = json.loads(found.file("predictions.json").read_text())
        assert {b["image_id"] for b in boxes} == {1, 2, 3, 4, 5, 6}
        assert all(b["bbox"][0] + b["bbox"][2] <= (72.1, 80.1)[b["image_id"] % 2] for b in boxes)


def test_shared_classes_are_those_that_every_side_can_have(squares: Artifact, store: Store) -> None:
    def side(**changes: object) -> Artifact:
        table = SampleTable.read(squares.path)
        info = table.info.model_copy(update=changes)

        def make(work: Path) -> None:
            SampleTable(table.rows, info, work).write(work)

        config = {name: list(value) for name, value in changes.items()}  # type: ignore[call-overload]
        return store.build(Recipe("dataset", config=config, inputs={}, code="1"), make)

    shared = EvaluateConfig(classes="shared")
    some, other = side(impossible=CLASSES[:1]), side(impossible=CLASSES[2:])
    assert classes_left_out("segmentation", shared, (some, other)) == tuple(sorted({*CLASSES[:1], *CLASSES[2:]}))
    assert classes_left_out("segmentation", EvaluateConfig(), (some, other)) == ()
    assert classes_left_out("detection", shared, (some, other)) == ()
    tables = {
        "source": SampleTable.read(side(impossible_boxes=("square",)).path),
        "target": SampleTable.read(some.path),
    }
    (problem,) = scoring_problems(shared, ("detection", "segmentation"), tables)
    assert problem.place == ("classes",)
    assert say(problem.finding).startswith("shared leaves no class of detection to score: each is missing from")
    assert list(scoring_problems(EvaluateConfig(), ("detection", "segmentation"), tables)) == []
