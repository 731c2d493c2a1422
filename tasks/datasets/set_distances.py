"""Distances between sets of images, from one feature vector an image.

A number is named for the network that its features come from; it is never called FID or KID, which are these distances
on Inception features.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating]


def frechet_distance(a: Features, b: Features) -> float:
    """Squared Frechet distance of the normal distributions fitted to two sets (Heusel et al., NeurIPS 2017).

    It is biased upwards for few images: compare it between sets of one size only.

    Args:
        a, b: ``[N, D]`` and ``[M, D]``, at least two rows each.

    Raises:
        ValueError: a set has one row only, or the widths differ.
    """
    a, b = _checked(a, b)
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
    a, b = _checked(a, b)

    def kernel(x: Features, y: Features) -> Features:
        return np.asarray((x @ y.T / x.shape[1] + 1) ** 3)

    def within(x: Features) -> float:
        k = kernel(x, x)
        return float((k.sum() - np.trace(k)) / (len(x) * (len(x) - 1)))

    return within(a) + within(b) - 2 * float(kernel(a, b).mean())


def _checked(a: Features, b: Features) -> tuple[Features, Features]:
    """Both in 64 bits, once they can be compared."""
    if min(len(a), len(b)) < 2 or a.shape[1:] != b.shape[1:]:
        raise ValueError(f"features of shapes {a.shape} and {b.shape}: two sets of at least two rows of one width")
    return np.asarray(a, np.float64), np.asarray(b, np.float64)
