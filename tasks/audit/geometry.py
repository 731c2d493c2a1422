"""How far a translated image is displaced from its source, by phase correlation of edges."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

_LEAST_SIDE = 8  # pixels; below, a window leaves nothing to correlate
_LEAST_PEAK = 0.2  # unlike images of 480 x 360 peak under 0.05, images blurred by 2 px and noisy above 0.6
_SMOOTH = np.full(3, 1 / 3, np.float32)
_DIFFERENCE = np.array([-1, 0, 1], np.float32)


def luminance(image: NDArray[np.uint8]) -> Plane:
    """BT.601 luma of RGB ``uint8 [H, W, 3]``: ``float32 [H, W]``, 0 to 255, not rounded."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2GRAY), np.float32)


def gradient_magnitude(plane: Plane) -> Plane:
    """Magnitude of the Prewitt gradient over 3 x 3 pixels, ``[H, W]``: a step of n grey levels gives n."""
    dx = cv2.sepFilter2D(plane, -1, _DIFFERENCE, _SMOOTH)
    dy = cv2.sepFilter2D(plane, -1, _SMOOTH, _DIFFERENCE)
    # cv2.magnitude's last bits depend on where an array lies in memory: images alike would come out unlike.
    return np.asarray(np.sqrt(dx * dx + dy * dy), np.float32)


def displacement(source: NDArray[np.uint8], translated: NDArray[np.uint8]) -> tuple[float, float]:
    """How far content lies to the right and below of where it was, in pixels.

    Phase correlation (Kuglin and Hines, 1975) under a Hann window, of gradient magnitudes: these stay where colours
    change, and even where light and dark are exchanged. Sub-pixel by the peak's centroid, to about 0.3 px under blur.

    Args:
        source, translated: RGB ``uint8 [H, W, 3]`` of one size.

    Returns:
        (dx, dy). (0, 0) where the gradients are the same, or one image is flat: nothing is seen to move. (NaN, NaN)
        where it cannot be measured: no clear peak, because the images show too little in common, or a side under 8 px.

    Raises:
        ValueError: the sizes differ.
    """
    if source.shape != translated.shape:
        raise ValueError(f"the source has shape {source.shape}, the translated image {translated.shape}")
    before, after = (gradient_magnitude(luminance(image)) for image in (source, translated))
    if np.array_equal(before, after) or min(before.max(), after.max()) < 1:
        return 0.0, 0.0
    if min(before.shape) < _LEAST_SIDE:
        return math.nan, math.nan
    window = cv2.createHanningWindow((before.shape[1], before.shape[0]), cv2.CV_32F)
    # Without their means, the window itself would be common to both, and hold the peak at 0.
    (dx, dy), peak = cv2.phaseCorrelate(before - before.mean(), after - after.mean(), window)
    return (float(dx), float(dy)) if peak >= _LEAST_PEAK else (math.nan, math.nan)
