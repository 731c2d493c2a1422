"""How a ResNet generator goes down to a quarter of the resolution and back, in the three ways that were published.

A step is four layers in each of them, so a generator's layers have the same numbers whichever it is. Weights that were
trained with one give another picture with another.

* ``blur`` (CUT; Zhang, ICML 2019): down by a convolution and a 3x3 binomial filter, up by a bilinear resize and a
  convolution. Neither aliases, and there is no checkerboard.
* ``stride`` (CycleGAN): strided convolutions down, transposed ones up, which may leave a checkerboard.
* ``gaussian`` (VSAIT): as ``blur``, but both filters are Gaussians of sigma 1 (3x3 down, 4x4 up) over zeros outside of
  the image, and the convolutions beside them pad by reflection.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

Resampling = Literal["blur", "stride", "gaussian"]


def down(kind: Resampling, inputs: int, outputs: int) -> list[nn.Module]:
    """Four layers that halve height and width, the convolution first; ``[N, inputs, H, W]``, H and W even."""
    norm = [nn.InstanceNorm2d(outputs), nn.ReLU(True)]
    if kind == "stride":
        return [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), *norm, nn.Identity()]
    return [_conv(kind, inputs, outputs), *norm, Blur(outputs) if kind == "blur" else GaussianDown(outputs)]


def up(kind: Resampling, inputs: int, outputs: int) -> list[nn.Module]:
    """Four layers that double height and width, the convolution second."""
    norm = [nn.InstanceNorm2d(outputs), nn.ReLU(True)]
    if kind == "stride":
        return [nn.Identity(), nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=1), *norm]
    resize = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False) if kind == "blur" else GaussianUp(inputs)
    return [resize, _conv(kind, inputs, outputs), *norm]


def _conv(kind: Resampling, inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="zeros" if kind == "blur" else "reflect")


class Blur(nn.Module):
    """Halve height and width behind a 3x3 binomial filter; reflection at the border."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("kernel", torch.outer(line, line).expand(channels, 1, 3, 3).clone(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel: Tensor = self.get_buffer("kernel").to(x.dtype)
        return nnf.conv2d(nnf.pad(x, (1, 1, 1, 1), mode="reflect"), kernel, stride=2, groups=x.shape[1])


class GaussianDown(nn.Module):
    """Halve height and width behind a 3x3 Gaussian of sigma 1 whose sum is 1; zeros outside of the image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("kernel", gaussian(3).expand(channels, 1, 3, 3).clone(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel: Tensor = self.get_buffer("kernel").to(x.dtype)
        return nnf.conv2d(x, kernel, stride=2, padding=1, groups=x.shape[1])


class GaussianUp(nn.Module):
    """Double height and width: zeros between pixels, then a 4x4 Gaussian of sigma 1 whose sum is 4.

    Zeros outside of the image darken its outermost row of pixels, as in the published network.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("kernel", 4 * gaussian(4).expand(channels, 1, 4, 4), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel: Tensor = self.get_buffer("kernel").to(x.dtype)
        return nnf.conv_transpose2d(x, kernel, stride=2, padding=1, groups=x.shape[1])


def gaussian(size: int) -> Tensor:
    """A square Gaussian of sigma 1 pixel around the middle of ``size`` pixels; its sum is 1."""
    line = torch.exp(-((torch.arange(size) - (size - 1) / 2) ** 2) / 2)
    square = torch.outer(line, line)
    return square / square.sum()
