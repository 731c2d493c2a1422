"""Scoring detection: COCO's average precision, by pycocotools."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.datasets import SampleTable


def ground_truth(table: SampleTable) -> dict[str, Any]:
    """A table's boxes as a COCO instances dictionary; image ids and category ids count from 1 in the table's order."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, sample in enumerate(table, 1):
        images.append({"id": image_id, "file_name": sample.id, "width": sample.width, "height": sample.height})
        for box in sample.boxes or ():
            width, height = box.x2 - box.x1, box.y2 - box.y1
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": box.category + 1,
                    "bbox": [box.x1, box.y1, width, height],
                    "area": width * height,
                    "iscrowd": int(box.crowd),
                }
            )
    categories = [{"id": i, "name": name} for i, name in enumerate(table.info.detection, 1)]
    return {"info": {}, "images": images, "annotations": annotations, "categories": categories}


def detection_scores(
    truth: dict[str, Any], predictions: list[dict[str, Any]], left_out: Collection[str] = ()
) -> dict[str, Any]:
    """COCO's box AP, as fractions from 0 to 1: mean over IoU 0.50:0.95 (``mAP``), at 0.50, at 0.75; 100 boxes an image.

    The means are over the categories that have a box in the truth; another category's AP is None.

    Args:
        truth: COCO instances dictionary.
        predictions: COCO results: ``image_id``, ``category_id``, ``bbox`` as x, y, width, height in pixels, ``score``.
        left_out: categories that have their own AP, but do not count in the means.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        reference = COCO()
        reference.dataset = truth
        reference.createIndex()
        found = reference.loadRes(predictions) if predictions else _nothing(truth)
        evaluation = COCOeval(reference, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]  # IoU x recall x category, all areas, most boxes
    thresholds = evaluation.params.iouThrs
    at50, at75 = (np.isclose(thresholds, t) for t in (0.5, 0.75))
    boxes = {c["id"]: 0 for c in truth["categories"]}
    for annotation in truth["annotations"]:
        boxes[annotation["category_id"]] += not annotation["iscrowd"]
    classes = [
        {
            "name": c["name"],
            "AP": _mean(precision[..., k]),
            "AP50": _mean(precision[at50][..., k]),
            "boxes": boxes[c["id"]],
        }
        for k, c in enumerate(truth["categories"])
    ]
    counted = precision[..., [c["name"] not in left_out for c in truth["categories"]]]
    metrics = {"mAP": _mean(counted), "AP50": _mean(counted[at50]), "AP75": _mean(counted[at75])}
    return {"metrics": metrics, "classes": classes}


def _nothing(truth: dict[str, Any]) -> COCO:
    """The results of a model that found nothing; pycocotools' loadRes refuses an empty list."""
    empty = COCO()
    empty.dataset = {**truth, "annotations": []}
    empty.createIndex()
    return empty


def _mean(precision: Any) -> float | None:
    """The mean of the entries that are defined; COCO marks the others by -1."""
    defined = precision[precision > -1]
    return float(defined.mean()) if defined.size else None
