"""Patches described by colour and texture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.datasets import cielab, colour_statistics

_ORIENTATIONS = 8  # bins of the gradient's direction, over half a turn


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
