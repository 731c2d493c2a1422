"""Distances between sets of images, from one feature vector an image.

A number is named for the network that its features come from; it is never called FID or KID, which are these distances
on Inception features.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.compute import threads
from tasks.datasets import Sample, SampleTable, read_image

Features = NDArray[np.floating]
_ORIENTATIONS = 8  # bins of the gradient's direction, over half a turn


def frechet_distance(a: Features, b: Features) -> float:
    """Squared Frechet distance of the normal distributions fitted to two sets (Heusel et al., NeurIPS 2017).

    It is biased upwards for few images: compare it between sets of one size only.

    Args:
        a, b: ``[N, D]`` and ``[M, D]``, at least two rows each.

    Raises:
        ValueError: a set has one row only, or the widths differ.
    """
    _check(a, b)
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    # The trace of (Ca Cb)^(1/2) is the sum of the singular values of the product of the centred sets' square roots.
    x, y = (z - z.mean(axis=0) for z in (a, b))
    x, y = x / np.sqrt(len(x) - 1), y / np.sqrt(len(y) - 1)
    cross = float(np.linalg.svd(x @ y.T, compute_uv=False).sum())
    shift = float(((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum())
    return max(0.0, shift + float((x**2).sum() + (y**2).sum()) - 2 * cross)


def kernel_distance(a: Features, b: Features) -> float:
    """Squared maximum mean discrepancy with kernel ``(x y / D + 1)^3``, unbiased (Binkowski et al., ICLR 2018).

    Being unbiased, it may fall below 0 for sets that are alike.

    Args:
        a, b: ``[N, D]`` and ``[M, D]``, at least two rows each.

    Raises:
        ValueError: a set has one row only, or the widths differ.
    """
    _check(a, b)
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)

    def kernel(x: Features, y: Features) -> Features:
        return np.asarray((x @ y.T / x.shape[1] + 1) ** 3)

    def within(x: Features) -> float:
        k = kernel(x, x)
        return float((k.sum() - np.trace(k)) / (len(x) * (len(x) - 1)))

    return within(a) + within(b) - 2 * float(kernel(a, b).mean())


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


def patch_features(patches: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Colour and texture of patches: ``colour_statistics``, and how strong gradients of L are in 8 orientations.

    The latter is the mean over the pixels of the gradient's magnitude, in L a pixel, shared out to bins of its
    direction over half a turn, as in histograms of oriented gradients (Dalal and Triggs, CVPR 2005).

    Args:
        patches: RGB ``uint8 [N, H, W, 3]``.

    Returns:
        ``[N, 14]``.
    """
    found = np.empty((len(patches), 6 + _ORIENTATIONS))
    for row, patch in zip(found, patches, strict=True):
        lab = cielab(patch)
        dy, dx = np.gradient(lab[..., 0])
        turn = np.arctan2(dy, dx) / np.pi % 1  # half turns; 1 itself can come of rounding
        bins = np.minimum((turn * _ORIENTATIONS).astype(np.int64), _ORIENTATIONS - 1)
        strength = np.bincount(bins.ravel(), np.hypot(dy, dx).ravel(), _ORIENTATIONS)
        row[:6], row[6:] = colour_statistics(lab), strength / bins.size
    return found


def _check(a: Features, b: Features) -> None:
    if min(len(a), len(b)) < 2 or a.shape[1:] != b.shape[1:]:
        raise ValueError(f"features of shapes {a.shape} and {b.shape}: two sets of at least two rows of one width")
