"""Pseudo-labels: which predictions are believed, and that the images' own labels are never looked at."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from tasks.contracts.pseudo_labels import PseudoLabels
from tasks.contracts.task import Task
from tasks.datasets.images import read_image
from tasks.datasets.masks import IGNORE, MaskEncoding, read_mask
from tasks.datasets.table import Sample, SampleTable, SegmentationClass, TableInfo
from tasks.evaluate import label_worker
from tasks.evaluate.inference import Inference, Unlabelled
from tasks.evaluate.job import LabelJob
from tasks.evaluate.pseudo_labels import LEVELS, histogram, kept, levels, thresholds
from tasks.retrain.config import SelfTrainingConfig
from tasks.retrain.suitable import TrainingError
from tasks.store.files import write_png

INFO = TableInfo(
    dataset="city",
    classes=tuple(SegmentationClass(name=name, color=(i, i, i)) for i, name in enumerate(("road", "sky", "pole"))),
    detection=("car", "person"),
    encoding=None,
    boxes_from=None,
)
SHAPE = (4, 6)


def test_levels_are_rounded_down() -> None:
    assert levels(np.array([0, 0.5, 0.9999, 1.0])).tolist() == [0, 127, 254, 255]


def test_each_class_keeps_its_most_confident_share() -> None:
    counts = np.zeros((3, LEVELS), np.int64)
    counts[0, [250, 240, 200, 100]] = 10, 40, 25, 25  # a common class, of which the model is sure
    counts[1, [120, 90, 60]] = 1, 2, 3  # a rare one, of which it never is
    found = thresholds(counts, portion=0.5, sure=0.99)
    assert found.tolist() == [240, 90, LEVELS]
    assert thresholds(counts, portion=1.0, sure=1.0).tolist() == [100, 60, LEVELS]
    assert thresholds(counts, portion=0.5, sure=0.9).tolist() == [230, 90, LEVELS], "what is sure is kept anyway"


def test_thresholds_keep_at_least_the_share_of_any_histogram() -> None:
    rng = np.random.default_rng(0)
    for portion in (0.2, 0.5, 0.8):
        counts = rng.integers(0, 50, (5, LEVELS))
        found = thresholds(counts, portion, 1.0)
        for of_class, threshold in zip(counts, found, strict=True):
            total = of_class.sum()
            assert of_class[threshold:].sum() >= portion * total > of_class[threshold + 1 :].sum()


def test_labels_are_what_is_confident_enough_for_its_class() -> None:
    predicted = np.array([[0, 0, 1], [1, 2, 2]], np.uint8)
    level = np.array([[200, 100, 90], [80, 255, 0]], np.uint8)
    counts = histogram(predicted, level, 3)
    assert (counts.sum(), counts[0, 200], counts[0, 100], counts[2, 255], counts[2, 0]) == (6, 1, 1, 1, 1)
    mask = kept(predicted, level, np.array([150, 85, LEVELS]))
    assert mask.tolist() == [[0, IGNORE, 1], [IGNORE, IGNORE, IGNORE]]
    assert mask.dtype == np.uint8


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """Three images whose masks and boxes cannot be read at all."""
    folder = tmp_path / "city"
    folder.mkdir()
    for i in range(3):
        write_png(folder / f"{i}.png", np.full((*SHAPE, 3), 40 * i, np.uint8))
    rows = [
        Sample(
            str(i), folder / f"{i}.png", folder / "gone.png", SHAPE[1], SHAPE[0], "train", "", "", None, sequence="d"
        )
        for i in range(3)
    ]
    encoding = MaskEncoding(kind="index", indices={0: 0})
    SampleTable.from_samples(rows, INFO.model_copy(update={"encoding": encoding}), folder).write(folder)
    return folder


class Says:
    """Stands in for a trained model: what it says of the image at each position."""

    all_of = Inference.all_of

    def __init__(self, outputs: list[Any]) -> None:
        self.outputs = outputs

    def __call__(self, job: LabelJob, images: Callable[[Any], Any], confidence: bool) -> "Says":
        assert confidence
        assert isinstance(images([]), Unlabelled)
        return self

    def run(self, sizes: Any, finish: Callable[[int, Any, Any], Any]) -> Any:
        yield from ((i, finish(i, output, None)) for i, output in reversed(list(enumerate(self.outputs))))


def labelled(city: Path, task: Task, outputs: list[Any], monkeypatch: pytest.MonkeyPatch, **how: Any) -> Path:
    monkeypatch.setattr(label_worker, "Inference", Says(outputs))
    work = city.parent / "work"
    work.mkdir()
    settings = SelfTrainingConfig(**how)
    places = {"model": city, "table": city, "work": work}
    label_worker.label(LabelJob(task=task, batch=1, device="cpu", settings=settings, **places))
    return work


class Map:
    def __init__(self, values: Any) -> None:
        self.data = torch.as_tensor(values)[None]


class Pixels:
    def __init__(self, predicted: Any, confidence: Any) -> None:
        self.pred_sem_seg, self.confidence = (
            Map(np.asarray(predicted, np.uint8)),
            Map(np.asarray(confidence, np.float32)),
        )


def test_a_segmenters_labels(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predicted = np.zeros(SHAPE, np.uint8)
    predicted[:, 3:] = 1
    confidence = np.full(SHAPE, 0.8)
    confidence[:, 0] = 0.3
    outputs = [Pixels(predicted, confidence), Pixels(predicted, confidence * 0.5), Pixels(predicted, confidence)]
    work = labelled(city, "segmentation", outputs, monkeypatch, portion=0.6)
    table = SampleTable.read(work)
    assert (table.info.dataset, table.info.has_boxes) == ("city (pseudo-labels)", False)
    assert table.info.encoding is not None
    masks = [read_mask(sample.mask, table.info.encoding) for sample in table if sample.mask]
    assert [np.unique(mask[:, 3:]).tolist() for mask in masks] == [[1], [IGNORE], [1]]
    assert [np.unique(mask[:, 1:3]).tolist() for mask in masks] == [[0], [0], [0]], "each class has its own threshold"
    assert [sample.class_pixels for sample in table] == [(8, 12, 0), (8, 0, 0), (8, 12, 0)]
    assert [sample.sequence for sample in table] == ["d"] * 3
    assert [np.unique(read_image(sample.image)).tolist() for sample in table] == [[0], [40], [80]]
    told = PseudoLabels.read(work)
    assert (told.images, told.labelled) == (3, 3)
    assert [(c.name, c.predicted, c.kept) for c in told.classes] == [("road", 36, 24), ("sky", 36, 24), ("pole", 0, 0)]
    assert [c.threshold and round(c.threshold, 1) for c in told.classes] == [0.4, 0.8, None]
    assert sorted(p.name for p in work.iterdir()) == ["masks", "pseudo_labels.json", "samples.parquet"]


class Found:
    def __init__(self, boxes: list[list[float]], scores: list[float], labels: list[int]) -> None:
        self.pred_instances = InstanceData(
            bboxes=torch.tensor(boxes).reshape(-1, 4), scores=torch.tensor(scores), labels=torch.tensor(labels).long()
        )


OUTPUTS = [
    Found([[0, 0, 2, 2], [1, 1, 4, 3]], [0.9, 0.2], [1, 0]),
    Found([], [], []),
    Found([[2, 1, 5, 3]], [0.6], [0]),
]


def test_a_detectors_labels(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = labelled(city, "detection", OUTPUTS, monkeypatch, score=0.5)
    table = SampleTable.read(work)
    assert (table.info.encoding, table.info.boxes_from) == (None, "predicted")
    assert [(s.id, s.mask) for s in table] == [("0", None), ("2", None)], "images without a confident box are left out"
    assert [[(b.category, b.x1, b.y2) for b in s.boxes or ()] for s in table] == [[(1, 0, 2)], [(0, 2, 3)]]
    told = json.loads((work / PseudoLabels.FILE).read_text())
    assert (told["images"], told["labelled"]) == (3, 2)
    assert [(c["name"], c["predicted"], c["kept"]) for c in told["classes"]] == [("car", 2, 1), ("person", 1, 1)]


def test_a_detector_that_is_sure_of_nothing(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError, match=r"self_training\.score: the model is sure of no box in 3 images .* 0\.95"):
        labelled(city, "detection", OUTPUTS, monkeypatch, score=0.95)
