"""A run as the other stages would leave it, made by the store from drawn images: what the report's tests read."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import BaseModel

from tasks.contracts.artifact import Artifact
from tasks.contracts.audit import Audit
from tasks.contracts.check import Check, Checks
from tasks.contracts.comparison import Comparison
from tasks.contracts.finding import Finding
from tasks.contracts.record import Failure, Result, RunRecord
from tasks.contracts.task import Task
from tasks.datasets.errors import Rejection
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.rejected import write_rejected
from tasks.datasets.table import Box, Sample, SampleTable, SegmentationClass, TableInfo
from tasks.store.files import write_json
from tasks.store.recipe import Recipe
from tasks.store.store import Store

SIZE = (48, 36)
CLASSES = {"road": 0.6, "sky": 0.8, "train": None}
BOXES = {"car": 0.3, "pedestrian": 0.1}

_OF_A_CHECK: dict[str, Any] = {"severity": "warning", "threshold": 5.0}
CHECKED = (
    Check(
        name="decodable",
        roles=("source",),
        passed=True,
        measured=0.0,
        finding=Finding.of("checks.decodable_passed"),
        **_OF_A_CHECK,
    ),
    Check(
        name="class_rare",
        roles=("<b>target</b>",),
        passed=False,
        measured=2.0,
        finding=Finding.of("checks.item", name="2 of | it"),
        **_OF_A_CHECK,
    ),
)


@dataclass
class Fake:
    """Makes the artifacts of a run.

    ``arms``: (task, arm, seed) -> the headline metric as a fraction. ``parts``: arm -> its images by part.
    """

    root: Path
    arms: Mapping[tuple[Task, str, int], float | None]
    translators: Sequence[str] = ("cut",)
    failures: Sequence[Failure] = ()
    classes: Mapping[str, float | None] = field(default_factory=lambda: dict(CLASSES))
    rejected: Sequence[tuple[str, Finding]] = (("broken.png", Finding.of("data.unknown_format")),)
    checked: Sequence[Check] = CHECKED
    images: int = 4
    with_boxes: bool = True
    left_out: Sequence[str] = ()
    comparison: Comparison | None = None
    audits: Mapping[str, Audit] = field(default_factory=dict)
    parts: Mapping[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = Store(self.root)

    def record(self, name: str = "trial") -> RunRecord:
        source, target, benchmark = (self.dataset(n) for n in ("sim", "city", "bench"))
        translated = {name: self.translated(name, source, target) for name in self.translators}
        results = []
        for (task, arm, seed), score in self.arms.items():
            model = self.model(task, arm, seed, next((a for n, a in translated.items() if n in arm), source))
            evaluation = self.evaluation(task, score, model, benchmark)
            made = {"model": model, "evaluation": evaluation, "images": self.parts.get(arm, {})}
            results.append(Result(task=task, arm=arm, seed=seed, **made))
        return RunRecord(
            name=name,
            source=source,
            checks=self.checks(source),
            target=target,
            benchmark=benchmark,
            translators={n: self.translator(n, source, target) for n in self.translators},
            translated=translated,
            audits={n: self.written("audit", a, {"translated": translated[n]}) for n, a in self.audits.items()},
            comparison=self.written("comparison", self.comparison, {}) if self.comparison else None,
            results=tuple(results),
            failures=tuple(self.failures),
        )

    def info(self, name: str) -> TableInfo:
        classes = tuple(SegmentationClass(name=n, color=(40 * i % 256, 90, 200)) for i, n in enumerate(self.classes))
        encoding = MaskEncoding(kind="index", indices={**{i: i for i in range(len(classes))}, 255: 255})
        return TableInfo(
            dataset=name,
            classes=classes,
            detection=tuple(BOXES),
            encoding=encoding,
            boxes_from="annotated" if self.with_boxes else None,
        )

    def table(self, name: str, folder: Path, hue: int) -> None:
        samples = []
        for i in range(self.images):
            image, mask = folder / f"images/{i}.png", folder / f"masks/{i}.png"
            for path in (image, mask):
                path.parent.mkdir(exist_ok=True)
            Image.new("RGB", SIZE, (hue, 40 * i, 80)).save(image)
            Image.fromarray(np.full(SIZE[::-1], i % 2, np.uint8)).save(mask)
            boxes = (Box(0, 4, 5, 20, 25),) if self.with_boxes else ()
            names = (Path(f"images/{i}.png"), Path(f"masks/{i}.png"))
            samples.append(Sample(f"{i}", *names, *SIZE, "train", f"{i}", f"{i}", boxes))
        SampleTable.from_samples(samples, self.info(name), folder).write(folder)

    def build(self, kind: str, config: dict[str, Any], inputs: dict[str, Artifact], make: Any) -> Artifact:
        return self.store.build(Recipe(kind, config=config, inputs=inputs, code="c0de"), make)

    def written(self, kind: str, content: BaseModel, inputs: dict[str, Artifact]) -> Artifact:
        def make(folder: Path) -> None:
            write_json(folder / f"{kind}.json", content.model_dump(mode="json"))

        return self.build(kind, content.model_dump(mode="json"), inputs, make)

    def dataset(self, name: str) -> Artifact:
        def make(folder: Path) -> dict[str, Any]:
            self.table(name, folder, 120)
            rejected = [Rejection(Path(file), finding, "decodable") for file, finding in self.rejected]
            write_rejected(folder / "rejected.csv", rejected, folder)
            boxes = {"car": self.images} if self.with_boxes else {}
            counts = {"images": self.images, "rejected": len(self.rejected), "boxes": boxes}
            found = {"found": self.images + len(rejected) + 7, "read": self.images, "rejected": len(rejected), "out": 7}
            return {"dataset": name, "split": "train", **counts, "counts": {"images": found, "boxes": None}}

        return self.build("dataset", {"name": name}, {}, make)

    def checks(self, source: Artifact) -> Artifact:
        def make(folder: Path) -> None:
            write_json(folder / Checks.FILE, Checks(checks=tuple(self.checked)).content())

        return self.build("checks", {}, {"source": source}, make)

    def translator(self, name: str, source: Artifact, target: Artifact) -> Artifact:
        def make(folder: Path) -> None:
            card = {"method": name, "iterations": 2800, "parameters": {"generator": 1234567, "discriminator": 9}}
            (folder / "card.json").write_text(json.dumps(card))

        return self.build("translator", {"name": name}, {"source": source, "target": target}, make)

    def translated(self, name: str, source: Artifact, target: Artifact) -> Artifact:
        def make(folder: Path) -> dict[str, Any]:
            self.table(f"sim translated by {name}", folder, 200)
            return {"images": self.images, "images_per_second": 12.5, "translator": name}

        inputs = {"source": source, "translator": self.translator(name, source, target)}
        return self.build("translated", {"name": name}, inputs, make)

    def model(self, task: Task, arm: str, seed: int, images: Artifact) -> Artifact:
        card: dict[str, Any] = {
            "task": task,
            "network": "fpn_r18",
            "input_size": [240, 180],
            "iterations": 400,
            "batch": 8,
            "seed": seed,
        }
        card |= {
            "initial_weights": {"weights": "random"},
            "train_images": self.images,
            "train_sets": [{"dataset": arm, "images": self.images}],
        }

        def make(folder: Path) -> dict[str, Any]:
            (folder / "card.json").write_text(json.dumps(card))
            curve = [{"iteration": i, "loss": 2.0 / i} for i in range(1, 5)]
            (folder / "curve.json").write_text(json.dumps(curve))
            return {"device": "cpu"}

        return self.build("model", {"task": task, "arm": arm, "seed": seed}, {"images0": images}, make)

    def evaluation(self, task: Task, score: float | None, model: Artifact, benchmark: Artifact) -> Artifact:
        def make(folder: Path) -> dict[str, Any]:
            (self.segmentation if task == "segmentation" else self.detection)(folder, score)
            return {"device": "cpu"}

        return self.build("evaluation", {"task": task, "score": score}, {"model": model, "benchmark": benchmark}, make)

    def segmentation(self, folder: Path, score: float | None) -> None:
        (folder / "predictions").mkdir()
        for i in range(self.images):
            Image.fromarray(np.full(SIZE[::-1], 1, np.uint8)).save(folder / f"predictions/{i}.png")
        metrics = {"mIoU": score, "pixel_accuracy": 0.9, "mean_accuracy": 0.5}
        classes = [{"name": n, "IoU": v, "accuracy": v} for n, v in self.classes.items()]
        scores = {"task": "segmentation", "images": self.images, "metrics": metrics, "classes": classes}
        scores["left_out"] = list(self.left_out)
        (folder / "scores.json").write_text(json.dumps(scores))

    def detection(self, folder: Path, score: float | None) -> None:
        images = [{"id": i + 1, "file_name": f"{i}"} for i in range(self.images)]
        truth = [{"image_id": i + 1, "category_id": 1, "bbox": [4, 5, 16, 20]} for i in range(self.images)]
        categories = [{"id": k, "name": n} for k, n in enumerate(BOXES, 1)]
        content = {"images": images, "annotations": truth if self.with_boxes else [], "categories": categories}
        (folder / "ground_truth.json").write_text(json.dumps(content))
        (folder / "predictions.json").write_text(json.dumps([{**t, "score": 0.8} for t in truth]))
        classes = [{"name": n, "AP": v, "AP50": v, "boxes": 4} for n, v in BOXES.items()]
        metrics = {"mAP": score, "AP50": None if score is None else score * 1.5, "AP75": score}
        scores = {"task": "detection", "images": self.images, "metrics": metrics, "classes": classes}
        (folder / "scores.json").write_text(json.dumps(scores))


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., Fake]:
    """Makes runs in one store: ``fake({(task, arm, seed): score, ...}, ...)``."""
    return functools.partial(Fake, tmp_path / "store")


@pytest.fixture(scope="module")
def fake_of_module(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Fake]:
    """The same for a module's tests that all look at one run."""
    return functools.partial(Fake, tmp_path_factory.mktemp("store"))
