"""Scoring segmentation: confusion matrices and what follows from them, in plain NumPy."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.datasets import IGNORE


def confusion_matrix(truth: NDArray[np.uint8], predicted: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """Count pixels by true and predicted class.

    Args:
        truth: class indices ``[H, W]``; pixels of 255 do not count.
        predicted: class indices ``[H, W]``, all below ``classes``.
        classes: how many classes there are.

    Returns:
        ``int64 [classes, classes]``, rows true, columns predicted.

    Raises:
        ValueError: the shapes differ.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"truth has shape {truth.shape}, the prediction {predicted.shape}")
    counted = truth != IGNORE
    pairs = truth[counted].astype(np.int64) * classes + predicted[counted]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def segmentation_scores(
    confusion: NDArray[np.int64], names: tuple[str, ...], left_out: Collection[str] = ()
) -> dict[str, Any]:
    """Scores of a summed confusion matrix, as fractions from 0 to 1.

    The mean IoU and the mean accuracy are over the classes that the benchmark has (a row of the matrix that is not
    empty), as in Cityscapes' evaluation; a class that it does not have scores None. Classes of ``left_out`` have their
    own scores, but do not count in the means.
    """
    correct, truth, predicted = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    present = truth > 0
    iou = _ratio(correct, truth + predicted - correct, present)
    accuracy = _ratio(correct, truth, present)
    total = int(truth.sum())
    counted = [name not in left_out for name in names]
    return {
        "metrics": {
            "mIoU": _mean(iou, counted),
            "pixel_accuracy": float(correct.sum() / total) if total else None,
            "mean_accuracy": _mean(accuracy, counted),
        },
        "classes": [{"name": n, "IoU": i, "accuracy": a} for n, i, a in zip(names, iou, accuracy, strict=True)],
    }


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64], present: NDArray[np.bool_]) -> list[float | None]:
    return [float(p / w) if there else None for p, w, there in zip(part, whole, present, strict=True)]


def _mean(values: list[float | None], counted: list[bool]) -> float | None:
    known = [v for v, counts in zip(values, counted, strict=True) if v is not None and counts]
    return float(np.mean(known)) if known else None
