"""How long the bootstrap takes: ``python -m benchmarks.bootstrap [--images N]``, from the project's root.

Counts and boxes are synthetic. pycocotools afresh evaluates the drawn images under new ids, for all areas together and
100 boxes an image only; some resamples are measured, and their mean stands for the rest. Peak memory is the process's
so far, so that it only grows down the list.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.contracts import ClassScore, Scores
from tasks.evaluate import DetectionEvidence, average_precision, image_weights, iou, mean_over
from tasks.store import write_json

CLASSES = 19
CATEGORIES = ("person", "car", "truck", "bus")
FOUND = 100  # boxes an image
AFRESH = 3

Rows = list[dict[str, Any]]


def synthetic_counts(images: int, seed: int = 0) -> NDArray[np.int64]:
    """Pixel counts ``[N, 19, 3]`` of images of 2048x1024 pixels."""
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.full(CLASSES, 0.2), images) * 2048 * 1024
    counts = np.stack([truth * rng.beta(8, 2, truth.shape), truth, truth * rng.uniform(0.8, 1.2, truth.shape)], axis=-1)
    return counts.astype(np.int64)


def synthetic_boxes(images: int, seed: int = 0) -> tuple[dict[str, Any], Rows]:
    """COCO's instances, 0 to 15 boxes an image, and 100 predictions an image, of which most true boxes have one."""
    rng = np.random.default_rng(seed)
    annotations: Rows = []
    predictions: Rows = []
    for image in range(1, images + 1):
        number = int(rng.integers(0, 16))
        boxes = np.concatenate([rng.uniform(0, 1500, (FOUND, 2)), rng.uniform(20, 200, (FOUND, 2))], axis=1)
        categories = rng.integers(1, len(CATEGORIES) + 1, FOUND)
        near = boxes + rng.normal(0, 6, boxes.shape) * (np.arange(FOUND) < number)[:, None]
        scores = np.where(np.arange(FOUND) < number, rng.beta(3, 2, FOUND), rng.beta(1, 6, FOUND))
        for i, (box, category) in enumerate(zip(boxes[:number].tolist(), categories.tolist(), strict=False)):
            row = {"id": len(annotations) + 1, "image_id": image, "category_id": category, "bbox": box}
            annotations.append({**row, "area": box[2] * box[3], "iscrowd": int(i == 0 and rng.random() < 0.1)})
        for found, category, score in zip(near.tolist(), categories.tolist(), scores.tolist(), strict=True):
            predictions.append({"image_id": image, "category_id": category, "bbox": found, "score": score})
    listed = [{"id": i, "file_name": str(i), "width": 1920, "height": 1080} for i in range(1, images + 1)]
    named = [{"id": i, "name": name} for i, name in enumerate(CATEGORIES, 1)]
    return {"info": {}, "images": listed, "annotations": annotations, "categories": named}, predictions


def afresh(truth: dict[str, Any], predictions: Rows, weights: NDArray[np.int32]) -> NDArray[np.float64]:
    """pycocotools' AP ``[T, K]`` of a resample, whose images are copied under ids of their own."""
    copies: dict[int, list[int]] = {}
    for image in np.repeat(np.arange(1, len(weights) + 1), weights).tolist():
        copies.setdefault(image, []).append(sum(map(len, copies.values())) + 1)

    def drawn(rows: Rows) -> Rows:
        return [{**row, "image_id": copy} for row in rows for copy in copies.get(row["image_id"], ())]

    listed = [{"id": copy} for of in copies.values() for copy in of]
    annotations = [{**row, "id": i} for i, row in enumerate(drawn(truth["annotations"]), 1)]
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO()
        reference.dataset = {**truth, "images": listed, "annotations": annotations}
        reference.createIndex()
        evaluation = COCOeval(reference, reference.loadRes(drawn(predictions)), "bbox")
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.params.maxDets = [FOUND]
        evaluation.evaluate()
        evaluation.accumulate()
    precision: NDArray[np.float64] = evaluation.eval["precision"][..., 0, 0].mean(1)
    return precision


def main() -> None:
    """Print operation, seconds and peak memory, then the ratio to pycocotools."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=500, help="images of the benchmark")
    images: int = parser.parse_args().images
    print(f"{images:,} images\n{'operation':44} {'seconds':>8} {'peak MB':>8}")
    counts, counted = synthetic_counts(images), np.ones(CLASSES, bool)
    _timed(
        f"mIoU of {CLASSES} classes, 10,000 resamples",
        lambda: mean_over(iou(counts, image_weights(images, 10_000, 0)), counted),
    )
    truth, predictions = synthetic_boxes(images)
    evidence, _ = _timed("match boxes, once a model", lambda: _evidence(truth, predictions))
    weights = image_weights(images, 1000, 0)
    resampled, seconds = _timed(
        f"AP of {len(CATEGORIES)} classes, 1,000 resamples", lambda: average_precision(evidence, weights)
    )
    reference, slow = _timed(
        f"pycocotools afresh, {AFRESH} resamples", lambda: [afresh(truth, predictions, w) for w in weights[:AFRESH]]
    )
    print(f"largest difference in AP: {np.abs(resampled[:AFRESH] - reference).max():.1e}")
    print(
        f"afresh, 1,000 resamples would take {slow / AFRESH * 1000:,.0f} s: {slow / AFRESH * 1000 / seconds:,.0f} times"
    )


def _evidence(truth: dict[str, Any], predictions: Rows) -> DetectionEvidence:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        classes = tuple(ClassScore(name=category) for category in CATEGORIES)
        scores = Scores(images=len(truth["images"]), metrics={}, classes=classes)
        write_json(folder / Scores.FILE, scores.content())
        write_json(folder / "ground_truth.json", truth, indent=None)
        write_json(folder / "predictions.json", predictions, indent=None)
        return DetectionEvidence.read(folder)


def _timed(what: str, operation: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = operation()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux: KiB
    print(f"{what:44} {seconds:8.2f} {peak:8.0f}", flush=True)
    return result, seconds


if __name__ == "__main__":
    main()
