"""The size after a pipeline, held against mmcv's own transforms."""

from typing import Any

import numpy as np
import pytest
from mmcv.transforms import Pad, Resize

from tasks.retrain.sizes import size_after

TRANSFORMS = {"Resize": Resize, "Pad": Pad}
STEPS: list[list[dict[str, Any]]] = [
    [{"type": "Resize", "scale": (256, 128), "keep_ratio": False}],
    [{"type": "Resize", "scale": (256, 128), "keep_ratio": True}],
    [{"type": "Resize", "scale": 100}],
    [{"type": "Resize", "scale_factor": 0.5}],
    [{"type": "Resize", "scale_factor": (0.5, 0.7), "keep_ratio": True}],
    [{"type": "Pad", "size": (200, 190)}],
    [{"type": "Pad", "size_divisor": 32}],
    [{"type": "Pad", "pad_to_square": True}],
    [{"type": "Resize", "scale": (96, 64), "keep_ratio": True}, {"type": "Pad", "size_divisor": 32}],
]


@pytest.mark.parametrize("steps", STEPS, ids=str)
@pytest.mark.parametrize("size", [(101, 57), (64, 180), (33, 33)])
def test_sizes_are_those_of_mmcv(steps: list[dict[str, Any]], size: tuple[int, int]) -> None:
    results: dict[str, Any] = {"img": np.zeros((size[1], size[0], 3), np.uint8)}
    for step in steps:
        results = TRANSFORMS[step["type"]](**{k: v for k, v in step.items() if k != "type"})(results)
    height, width = results["img"].shape[:2]
    assert size_after([{"type": "LoadTableImage"}, *steps], size) == (width, height)
