"""The size that images have after a pipeline, without running it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Size = tuple[int, int]  # width and height in pixels


def size_after(pipeline: Sequence[dict[str, Any]], size: Size) -> Size:
    """The (width, height) of an image of a size after a pipeline's ``Resize`` and ``Pad``, as mmcv computes it.

    Args:
        pipeline: the transforms of ``test_pipeline`` as JSON-like values.
        size: the image's (width, height).
    """
    for step in pipeline:
        name = str(step["type"]).rpartition(".")[2]
        if name == "Resize":
            size = _resized(step, size)
        elif name == "Pad":
            size = _padded(step, size)
    return size


def _resized(step: dict[str, Any], size: Size) -> Size:
    width, height = size
    scale = step.get("scale")
    if scale is None:
        x, y = _pair(step["scale_factor"])
        width, height = scale = int(width * x + 0.5), int(height * y + 0.5)
    bounds = _pair(scale)
    if not step.get("keep_ratio", False):
        return int(bounds[0]), int(bounds[1])
    factor = min(max(bounds) / max(size), min(bounds) / min(size))
    return int(size[0] * factor + 0.5), int(size[1] * factor + 0.5)


def _padded(step: dict[str, Any], size: Size) -> Size:
    width, height = size
    least = step.get("size")
    if step.get("pad_to_square"):
        width = height = max(size)
    elif least is not None:
        width, height = max(width, least[0]), max(height, least[1])
    divisor = step.get("size_divisor") or 1
    return math.ceil(width / divisor) * divisor, math.ceil(height / divisor) * divisor


def _pair(value: Any) -> tuple[float, float]:
    return (value[0], value[1]) if isinstance(value, list | tuple) else (value, value)
