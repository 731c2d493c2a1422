"""Per-image evidence of an evaluation: what mean IoU and average precision of any resample of images follow from."""

from __future__ import annotations

import contextlib
import io
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from pydantic import ValidationError

from tasks.contracts import BoxSize, Finding, Scores, first_problem
from tasks.evaluate.errors import EvidenceError, unreadable
from tasks.evaluate.images import ImageFacts, read_images

# COCO's areas of boxes in square pixels.
ALL_AREAS = (0.0, 1e10)
BOX_AREAS: dict[BoxSize, tuple[float, float]] = {
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}


@dataclass(frozen=True, eq=False)
class SegmentationEvidence:
    """Pixel counts an image and class.

    Attributes:
        ids: the N images, sorted. An image wholly of ignored pixels is not among them, whatever the model: it has
            nothing to score.
        names: the C classes.
        counts: ``int64 [N, C, 3]``: true positives, true pixels, predicted pixels (without ignored ones).
        left_out: classes that do not count in the mean.
        facts: what is known of the images; None in older evaluations.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    counts: NDArray[np.int64]
    left_out: tuple[str, ...]
    facts: ImageFacts | None = None

    def within(self, part: NDArray[np.bool_]) -> Self:
        """The same, of the images marked in ``bool [N]`` alone, without what is known of them."""
        ids = tuple(i for i, there in zip(self.ids, part, strict=True) if there)
        return replace(self, ids=ids, counts=self.counts[part], facts=None)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read ``scores.json``, ``confusion.parquet`` and ``images.parquet`` of an evaluation.

        Raises:
            EvidenceError: a file is missing or broken, or the two do not fit each other.
        """
        names, left_out, images = _scores(folder)
        path = folder / "confusion.parquet"
        try:
            table = pq.read_table(path, columns=["id", "truth", "predicted", "pixels"])
        except (OSError, pa.ArrowException) as error:
            raise unreadable(path, error) from error
        if any(column.null_count for column in table.columns):
            raise EvidenceError(Finding.of("evidence.empty_cells", file=path))
        ids, image = np.unique(np.array(table["id"].to_pylist(), dtype=str), return_inverse=True)
        if len(ids) > images:
            raise EvidenceError(Finding.of("evidence.more_images", file=path, found=len(ids), images=images))
        truth, predicted, pixels = (table[c].to_numpy().astype(np.int64) for c in ("truth", "predicted", "pixels"))
        wrong = (np.minimum(truth, predicted) < 0) | (np.maximum(truth, predicted) >= len(names)) | (pixels < 0)
        if wrong.any():
            row = int(wrong.argmax())
            content = str(table.slice(row, 1).to_pylist()[0])
            raise EvidenceError(Finding.of("evidence.broken_row", file=path, row=row, content=content))
        shape = len(ids), len(names)
        counts = np.zeros((*shape, 3), np.int64)
        hits = np.where(truth == predicted, pixels, 0)
        for i, (column, number) in enumerate(((truth, hits), (truth, pixels), (predicted, pixels))):
            cell = image * len(names) + column
            counts[..., i] = np.bincount(cell, number, math.prod(shape)).reshape(shape)  # exact up to 2^53 pixels
        return cls(tuple(ids.tolist()), names, counts, left_out, read_images(folder, ids.tolist()))


@dataclass(frozen=True, eq=False)
class ClassDetections:
    """The D detections of a class, by score descending; equal scores by image, as pycocotools orders them.

    Attributes:
        image: ``int32 [D]``, position of the detection's image in the evidence's ``ids``.
        score: ``float64 [D]``.
        matched: ``bool [T, D]``: whether a true box was found, at IoU thresholds 0.50, 0.55 ... 0.95.
        ignored: ``bool [T, D]``: neither true nor false, because the box found is a crowd.
    """

    image: NDArray[np.int32]
    score: NDArray[np.float64]
    matched: NDArray[np.bool_]
    ignored: NDArray[np.bool_]

    def within(self, part: NDArray[np.bool_]) -> Self:
        """The same, of the images marked in ``bool [N]`` alone."""
        kept = part[self.image]
        image = (np.cumsum(part) - 1)[self.image[kept]].astype(np.int32)
        return replace(
            self, image=image, score=self.score[kept], matched=self.matched[:, kept], ignored=self.ignored[:, kept]
        )


@dataclass(frozen=True, eq=False)
class DetectionEvidence:
    """Detections matched to true boxes, by COCO's rules: all areas, the best 100 an image and class.

    Attributes:
        ids: the N images by ascending COCO image id, those without any box too.
        names: the K classes.
        left_out: classes that do not count in the mean.
        detections: one entry a class.
        boxes: ``int64 [N, K]``, true boxes that are no crowds.
        facts: what is known of the images; None in older evaluations.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    detections: tuple[ClassDetections, ...]
    boxes: NDArray[np.int64]
    facts: ImageFacts | None = None

    def within(self, part: NDArray[np.bool_]) -> Self:
        """The same, of the images marked in ``bool [N]`` alone, without what is known of them."""
        ids = tuple(i for i, there in zip(self.ids, part, strict=True) if there)
        found = tuple(of.within(part) for of in self.detections)
        return replace(self, ids=ids, detections=found, boxes=self.boxes[part], facts=None)

    @classmethod
    def read(cls, folder: Path, areas: tuple[float, float] = ALL_AREAS) -> Self:
        """Read ``scores.json``, ``ground_truth.json``, ``predictions.json`` and ``images.parquet``; match the boxes.

        Args:
            folder: of the evaluation.
            areas: square pixels, least and most, of the true boxes that count, as ``BOX_AREAS`` has them. Others are
                ignored, and so are detections of other areas that find nothing.

        Raises:
            EvidenceError: a file is missing or broken, they do not fit each other, or a score is not a number.
        """
        names, left_out, images = _scores(folder)
        truth = _truth(folder / "ground_truth.json")
        categories = tuple(c["name"] for c in sorted(truth["categories"], key=lambda c: c["id"]))
        if categories != names or len(truth["images"]) != images:
            raise EvidenceError(Finding.of("evidence.unlike", folder=folder))
        evaluation = matched(truth, _checked(folder / "predictions.json", truth), areas=areas)
        order = sorted(truth["images"], key=lambda image: image["id"])
        position = {image["id"]: i for i, image in enumerate(order)}
        by_class = np.reshape(np.array(evaluation.evalImgs, dtype=object), (len(names), images))
        boxes = np.zeros((images, len(names)), np.int64)
        for (i, k), result in np.ndenumerate(by_class.T):
            boxes[i, k] = 0 if result is None else np.count_nonzero(result["gtIgnore"] == 0)
        thresholds = len(evaluation.params.iouThrs)
        detections = tuple(_sorted([r for r in results if r], position, thresholds) for results in by_class)
        ids = tuple(image["file_name"] for image in order)
        return cls(ids, names, left_out, detections, boxes, read_images(folder, ids))


def check_comparable(
    a: SegmentationEvidence | DetectionEvidence,
    b: SegmentationEvidence | DetectionEvidence,
    what_a: str | Finding,
    what_b: str | Finding,
) -> None:
    """Make sure that two models were evaluated on the same images, labels and classes.

    Args:
        a: evidence of one model.
        b: evidence of the other.
        what_a: how to call the first in an error, as "arm cyclegan, seed 1".
        what_b: the same for the second.

    Raises:
        EvidenceError: they were not; it says what differs.
    """
    if (why := _unlike(a, b)) is not None:
        raise EvidenceError(Finding.of("evidence.incomparable", a=what_a, b=what_b, why=why))


def _unlike(a: SegmentationEvidence | DetectionEvidence, b: SegmentationEvidence | DetectionEvidence) -> Finding | None:
    """Why two are not of the same images, labels and classes; None where they are."""
    if type(a) is not type(b):
        return Finding.of("evidence.other_task")
    if a.names != b.names:
        return Finding.of("evidence.other_classes", a=", ".join(a.names), b=", ".join(b.names))
    if set(a.left_out) != set(b.left_out):
        return Finding.of("evidence.other_left_out", a=", ".join(a.left_out), b=", ".join(b.left_out))
    if a.ids != b.ids:
        other = sorted(set(a.ids) ^ set(b.ids))
        return (
            Finding.of("evidence.other_images", n=len(other), some=_few(other))
            if other
            else Finding.of("evidence.order")
        )
    differs = (_labels(a) != _labels(b)).any(1)
    images = [a.ids[i] for i in np.flatnonzero(differs)]
    return Finding.of("evidence.other_labels", n=len(images), some=_few(images)) if images else None


def _labels(evidence: SegmentationEvidence | DetectionEvidence) -> NDArray[np.int64]:
    return evidence.counts[..., 1] if isinstance(evidence, SegmentationEvidence) else evidence.boxes


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def _scores(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    path = folder / Scores.FILE
    try:
        scores = Scores.read(folder)
    except OSError as error:
        raise unreadable(path, error) from error
    except ValidationError as error:
        raise EvidenceError(Finding.of("evidence.form", file=path, problem=first_problem(error))) from error
    return tuple(c.name for c in scores.classes), scores.left_out, scores.images


def _truth(path: Path) -> dict[str, Any]:
    truth: dict[str, Any] = _json(path)
    for key in ("categories", "images", "annotations"):
        if key not in truth:
            raise EvidenceError(Finding.of("evidence.no_key", file=path, key=key))
    return truth


def _checked(path: Path, truth: dict[str, Any]) -> list[dict[str, Any]]:
    """The predictions as COCO annotations, all of known images and classes, with finite numbers."""
    images, categories = ({entry["id"] for entry in truth[key]} for key in ("images", "categories"))
    annotations = []
    for row, prediction in enumerate(_json(path)):
        try:
            numbers = (*prediction["bbox"], prediction["score"])
            known = prediction["image_id"] in images and prediction["category_id"] in categories
            sound = known and len(numbers) == 5 and all(map(math.isfinite, numbers))
        except (KeyError, TypeError):
            sound = False
        if not sound:
            raise EvidenceError(Finding.of("evidence.broken_box", file=path, row=row, content=str(prediction)))
        area = numbers[2] * numbers[3]
        annotations.append({**prediction, "id": row + 1, "area": area, "iscrowd": 0})
    return annotations


def matched(
    truth: dict[str, Any],
    annotations: list[dict[str, Any]],
    thresholds: tuple[float, ...] | None = None,
    areas: tuple[float, float] = ALL_AREAS,
) -> COCOeval:
    """COCOeval's matches an image and class, over boxes of some areas, 100 detections an image; not accumulated.

    Args:
        truth: COCO instances.
        annotations: the detections as annotations, with ``id``, ``area`` and ``score``.
        thresholds: of IoU; COCO's ten where not given.
        areas: square pixels, least and most, of the true boxes that count.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        reference, found = COCO(), COCO()
        reference.dataset, found.dataset = truth, {**truth, "annotations": annotations}
        reference.createIndex()
        found.createIndex()
        evaluation = COCOeval(reference, found, "bbox")
        if thresholds is not None:
            evaluation.params.iouThrs = np.array(thresholds)
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[*areas]], ["all"]
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
    return evaluation


def _sorted(results: Iterable[dict[str, Any]], position: dict[int, int], thresholds: int) -> ClassDetections:
    """The detections of a class from COCOeval's results an image."""
    image, score = [np.zeros(0, np.int32)], [np.zeros(0)]
    matched, ignored = [np.zeros((thresholds, 0), bool)], [np.zeros((thresholds, 0), bool)]
    for result in results:
        image.append(np.full(len(result["dtScores"]), position[result["image_id"]], np.int32))
        score.append(np.array(result["dtScores"], float))
        matched.append(result["dtMatches"] > 0)
        ignored.append(result["dtIgnore"].astype(bool))
    scores = np.concatenate(score)
    order = np.argsort(-scores, kind="stable")
    return ClassDetections(
        np.concatenate(image)[order],
        scores[order],
        np.concatenate(matched, axis=1)[:, order],
        np.concatenate(ignored, axis=1)[:, order],
    )
