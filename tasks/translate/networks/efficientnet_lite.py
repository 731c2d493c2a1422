"""EfficientNet-Lite0: EfficientNet-B0 (Tan and Le, ICML 2019) without squeeze-and-excitation and with ReLU6 for swish.

As TensorFlow's description of the Lite family has it. ``imagenet`` has its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional

# Blocks, kernel, stride of the first, expansion, channels: table 1 of the paper, split where the stride doubles.
_STAGES = (
    ((1, 3, 1, 1, 16),),
    ((2, 3, 2, 6, 24),),
    ((2, 5, 2, 6, 40),),
    ((3, 3, 2, 6, 80), (3, 5, 1, 6, 112)),
    ((4, 5, 2, 6, 192), (1, 3, 1, 6, 320)),
)
_STEM = 32  # channels


class SameConv2d(nn.Conv2d):
    """A convolution without bias that pads as TensorFlow's ``SAME``: an odd pixel is added on the right and below."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        # At stride 1 both sides get the same, which the convolution itself can do.
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride > 1:
            totals = [max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in (x.shape[3], x.shape[2])]
            x = functional.pad(x, [side for total in totals for side in (total // 2, total - total // 2)])
        filtered: Tensor = super().forward(x)
        return filtered


class InvertedResidual(nn.Module):
    """Expands by 1x1, filters each channel, projects by 1x1; its input is added where the shape is the same."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expands, self.adds = expansion > 1, stride == 1 and inputs == outputs
        if self.expands:
            self.expand_conv, self.bn0 = SameConv2d(inputs, inner, 1), _norm(inner)
        self.depthwise_conv, self.bn1 = SameConv2d(inner, inner, kernel, stride, groups=inner), _norm(inner)
        self.project_conv, self.bn2 = SameConv2d(inner, outputs, 1), _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = functional.relu6(self.bn0(self.expand_conv(x)), inplace=True) if self.expands else x
        y = functional.relu6(self.bn1(self.depthwise_conv(y)), inplace=True)
        y = self.bn2(self.project_conv(y))
        return x + y if self.adds else y


@MODELS.register_module()
class EfficientNetLite(BaseModule):  # type: ignore[misc]
    """EfficientNet-Lite0 as a backbone: RGB ``[N, 3, H, W]``, (v - 127) / 128 of values 0-255 -> feature maps.

    Weights lie channels-last, which makes a training step on a CPU a quarter faster.

    Args:
        out_indices: which maps it gives: 0 to 4 of strides 2 to 32, with 16, 24, 40, 112 and 320 channels.
        frozen_stages: what is not trained and keeps its statistics: the stem (0), and the blocks up to a map (its index
            + 1); -1 freezes nothing.
        norm_eval: batch normalisation keeps its statistics while training.
    """

    def __init__(
        self,
        out_indices: Sequence[int] = (1, 2, 3, 4),
        frozen_stages: int = -1,
        norm_eval: bool = False,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        self.out_indices, self.frozen_stages, self.norm_eval = tuple(out_indices), frozen_stages, norm_eval
        self.conv_stem, self.bn0 = SameConv2d(3, _STEM, 3, 2), _norm(_STEM)
        self.blocks = nn.ModuleList()
        self.ends: list[int] = []  # the number of blocks up to each map
        channels = _STEM
        for stage in _STAGES:
            for count, kernel, stride, expansion, outputs in stage:
                for k in range(count):
                    self.blocks.append(InvertedResidual(channels, outputs, kernel, stride if k == 0 else 1, expansion))
                    channels = outputs
            self.ends.append(len(self.blocks))
        self.to(memory_format=torch.channels_last)
        self._freeze()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = functional.relu6(self.bn0(self.conv_stem(x)), inplace=True)
        maps = []
        for number, block in enumerate(self.blocks, 1):
            x = block(x)
            if number in self.ends:
                maps.append(x)
        return tuple(maps[i] for i in self.out_indices)

    def train(self, mode: bool = True) -> EfficientNetLite:
        super().train(mode)
        self._freeze()
        for module in self.modules() if self.norm_eval else ():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def _freeze(self) -> None:
        if self.frozen_stages < 0:
            return
        blocks = self.ends[self.frozen_stages - 1] if self.frozen_stages else 0
        for part in (self.conv_stem, self.bn0, *self.blocks[:blocks]):
            part.eval()
            part.requires_grad_(False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)
