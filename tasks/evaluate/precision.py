"""The numbers that a network computes in where it is evaluated: float32, or mostly bfloat16."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tasks.compute import Precision


def in_precision(network: nn.Module, precision: Precision, device: str) -> Callable[[Any], Any]:
    """The ``test_step`` of an mmdet or mmseg network, convolutions and products of matrices in this precision.

    Everything else stays in float32: what PyTorch's autocast keeps, mmcv's own operators, which have nothing else, and
    what follows a detector's heads, since bfloat16 would round the coordinates of boxes to whole pixels and more.

    Args:
        network: is changed where the precision is bfloat16.
        precision, device: what and where it computes.
    """
    if precision == "bfloat16":
        for part in network.modules():
            if type(part).__module__.startswith("mmcv.ops"):
                part.forward = _plain(part.forward, device)
            elif hasattr(part, "predict_by_feat"):
                part.register_forward_hook(lambda _, __, said: _float32(said))

    def step(batch: Any) -> Any:
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"):
            return network.test_step(batch)  # type: ignore[operator]

    return step


def _plain(forward: Callable[..., Any], device: str) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast(device, enabled=False):
            return forward(*_float32(args), **_float32(kwargs))

    return run


def _float32(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.float() if value.is_floating_point() else value
    if isinstance(value, dict):
        return {key: _float32(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_float32(part) for part in value)
    return value
