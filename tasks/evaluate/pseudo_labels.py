"""Which of a segmenter's predictions are believed: a threshold of confidence for each class.

A single threshold keeps the common classes and loses the rare ones, of which a model is seldom sure. So each class has
its own, which keeps the most confident share of what was predicted to be of it (class-balanced self-training: Zou et
al., ECCV 2018), and no more is asked than a confidence that counts as sure (Li et al., CVPR 2019).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tasks.datasets import IGNORE

LEVELS = 256  # of confidence from 0 to 1, as a byte holds it


def levels(confidence: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Confidences from 0 to 1 as levels, rounded down."""
    found: NDArray[np.uint8] = np.floor(np.clip(confidence, 0, 1) * (LEVELS - 1)).astype(np.uint8)
    return found


def histogram(predicted: NDArray[np.uint8], level: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """How many pixels were predicted to be of each class at each level: ``int64 [classes, LEVELS]``.

    Args:
        predicted: class indices ``[H, W]``. level: their confidence, see ``levels``. classes: how many there are.
    """
    cells = predicted.astype(np.int64) * LEVELS + level
    return np.bincount(cells.ravel(), minlength=classes * LEVELS).reshape(classes, LEVELS)


def thresholds(counts: NDArray[np.int64], portion: float, sure: float) -> NDArray[np.int64]:
    """Each class's level from which its pixels are kept, ``int64 [C]``; ``LEVELS`` for a class that was not predicted.

    Args:
        counts: ``histogram`` summed over all images.
        portion: the share of a class's pixels that is kept at least.
        sure: the confidence from which a pixel is kept in any case.
    """
    at_least = counts[:, ::-1].cumsum(axis=1)[:, ::-1]  # of each level or above
    total = at_least[:, :1]
    found = np.count_nonzero(at_least >= np.ceil(portion * total), axis=1) - 1
    found = np.minimum(found, math.ceil(sure * (LEVELS - 1)))
    return np.where(total[:, 0] > 0, found, LEVELS)


def kept(predicted: NDArray[np.uint8], level: NDArray[np.uint8], threshold: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The label image ``uint8 [H, W]``: what is confident enough for its class, and 255, to be ignored, elsewhere."""
    return np.where(level >= threshold[predicted], predicted, IGNORE).astype(np.uint8)
