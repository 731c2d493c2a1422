"""An image's colours in CIELAB, and what a set of images is compared by."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.compute import threads
from tasks.datasets.images import read_image
from tasks.datasets.table import Sample, SampleTable


def cielab(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """An sRGB image in CIELAB: ``[H, W, 3]``, L from 0 to 100."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def colour_statistics(lab: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean and standard deviation of the channels of ``[H, W, 3]``: ``[6]``."""
    return np.concatenate([lab.mean(axis=(0, 1)), lab.std(axis=(0, 1))]).astype(np.float64)


def colour_features(table: SampleTable) -> NDArray[np.float64]:
    """Mean and standard deviation of every image's CIELAB channels: ``[N, 6]``, L from 0 to 100.

    Raises:
        ImageError: an image cannot be read.
    """

    def one(sample: Sample) -> NDArray[np.float64]:
        return colour_statistics(cielab(read_image(sample.image)))

    with ThreadPoolExecutor(threads()) as pool:
        return np.stack(list(pool.map(one, table)))
