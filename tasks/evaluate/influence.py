"""How much each image moves a model's first metric: the per-image score whose correlation along a drive counts.

The derivative of the metric with respect to an image's weight (Efron and Tibshirani, An Introduction to the Bootstrap,
1993, chapter 21: the empirical influence function). Unlike a score of each image apart, it is there for images that
do not show a class, and its variance over images is that of the metric.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.evaluate.evidence import ClassDetections, DetectionEvidence, SegmentationEvidence

Floats = NDArray[np.float64]


def influence(evidence: SegmentationEvidence | DetectionEvidence) -> Floats:
    """The influence of each image on mIoU or mAP, ``[N]``: its mean is 0, and the variance of the metric by the chance
    of independent images is its variance over N. 0 where the benchmark has nothing to score.

    For mAP it is that of the area under precision and recall without interpolation, which interpolation hardly moves.
    """
    counted = np.array([name not in evidence.left_out for name in evidence.names], bool)
    by_class = _of_iou(evidence) if isinstance(evidence, SegmentationEvidence) else _of_precision(evidence)
    there = counted & ~np.isnan(by_class).any(0)
    if not there.any():
        return np.zeros(len(evidence.ids))
    mean: Floats = by_class[:, there].mean(1) * len(evidence.ids)
    return mean


def _of_iou(evidence: SegmentationEvidence) -> Floats:
    """``[N, C]``: the derivative of each class's IoU; NaN of a class that the truth does not show."""
    counts = evidence.counts.astype(float)
    hits, union = counts[..., 0], counts[..., 1] + counts[..., 2] - counts[..., 0]
    whole = np.where(counts[..., 1].sum(0) > 0, union.sum(0), np.nan)
    found: Floats = (hits - union * (hits.sum(0) / whole)) / whole
    return found


def _of_precision(evidence: DetectionEvidence) -> Floats:
    """``[N, K]``: the derivative of each class's AP, the mean over IoU thresholds; NaN of a class without boxes."""
    found = np.full(evidence.boxes.shape, np.nan)
    for k, detections in enumerate(evidence.detections):
        boxes = evidence.boxes[:, k]
        if boxes.sum():
            pairs = zip(detections.matched, detections.ignored, strict=True)
            each = [_of_threshold(detections, hit & ~skip, ~skip, boxes) for hit, skip in pairs]
            found[:, k] = np.mean(each, axis=0) if each else 0
    return found


def _of_threshold(
    detections: ClassDetections, hit: NDArray[np.bool_], counts: NDArray[np.bool_], boxes: NDArray[np.int64]
) -> Floats:
    """At one IoU threshold, ``[N]``: AP is the sum over hits of the precision down to them, by the number of boxes."""
    total = float(boxes.sum())
    seen = np.maximum(np.cumsum(counts), 1)
    precision = np.cumsum(hit) / seen
    # A detection's weight moves the precision at every hit ranked after it, and adds its own if it is a hit.
    after = np.cumsum((hit / seen)[::-1])[::-1]
    lowered = np.cumsum((hit * precision / seen)[::-1])[::-1]
    moved = counts * (hit * after - lowered) + hit * precision
    by_image = np.bincount(detections.image, moved, len(boxes)) / total
    found: Floats = by_image - (hit * precision).sum() / total * boxes / total
    return found
