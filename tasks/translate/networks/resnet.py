"""The ResNet generator of CycleGAN and CUT (Johnson et al. 2016; Zhu et al. 2017; Park et al. 2020).

How it goes down and up is told in ``tasks.translate.networks.resampling``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tasks.translate.networks.resampling import Resampling, down, up

MULTIPLE = 4  # height and width must be multiples of it
_INSIDE = 0.98  # the range -1 to 1 is shrunk to this before its inverse hyperbolic tangent is taken


class Residual(nn.Module):
    """``x + conv(relu(conv(x)))``, 3x3, reflection padding, InstanceNorm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*_unit(channels), nn.ReLU(True), *_unit(channels))

    def forward(self, x: Tensor) -> Tensor:
        return torch.add(x, self.body(x))


def _unit(channels: int) -> list[nn.Module]:
    return [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels)]


class ResnetGenerator(nn.Module):
    """Image to image, ``[N, 3, H, W]`` in [-1, 1] both ways; H and W multiples of 4, at least 16.

    Its layers are numbered as CUT numbers them, whichever way it goes down and up: 0 padded input, 4 and 8 the
    down-sampling convolutions before their norm, 12 and on the residual blocks. With ``skip`` the last layer's output
    is a change of the input's inverse hyperbolic tangent, so an untrained network is nearly the identity and no output
    leaves the range: a change of the values themselves left it, and short trainings then filled dark and bright areas
    with flat colour.
    """

    def __init__(
        self, channels: int = 64, blocks: int = 9, skip: bool = False, resampling: Resampling = "blur"
    ) -> None:
        super().__init__()
        c = channels
        self.layers = nn.Sequential(
            *(nn.ReflectionPad2d(3), nn.Conv2d(3, c, 7), nn.InstanceNorm2d(c), nn.ReLU(True)),
            *down(resampling, c, 2 * c),
            *down(resampling, 2 * c, 4 * c),
            *(Residual(4 * c) for _ in range(blocks)),
            *up(resampling, 4 * c, 2 * c),
            *up(resampling, 2 * c, c),
            *(nn.ReflectionPad2d(3), nn.Conv2d(c, 3, 7), nn.Tanh()),
        )
        self.channels = c
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        return self._output(x, self.layers(x))

    def encode(self, x: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """The outputs of these layers, in rising order; nothing behind the last one is computed."""
        return self._run(x, layers, range(max(layers) + 1))[1]

    def translate_and_encode(self, x: Tensor, layers: Sequence[int]) -> tuple[Tensor, list[Tensor]]:
        """``forward`` and ``encode`` in one pass."""
        result, kept = self._run(x, layers, range(len(self.layers)))
        return self._output(x, result), kept

    def decode(self, x: Tensor, features: Tensor, layer: int) -> Tensor:
        """What ``forward`` would give for ``x`` if this layer's output were ``features``: runs the layers after it."""
        return self._output(x, self._run(features, (), range(layer + 1, len(self.layers)))[0])

    def _output(self, x: Tensor, result: Tensor) -> Tensor:
        if not self.skip:
            return result
        start, change = _INSIDE * x, torch.tanh(result)
        return (start + change) / (1 + start * change) / _INSIDE  # tanh(atanh(start) + result)

    def _run(self, x: Tensor, layers: Sequence[int], span: range) -> tuple[Tensor, list[Tensor]]:
        kept = []
        for index in span:
            x = self.layers[index](x)
            if index in layers:  # never the input of a ReLU, which would overwrite it
                kept.append(x)
        return x, kept

    def widths(self, layers: Sequence[int]) -> list[int]:
        """The number of channels of these layers' outputs."""
        return [{0: 3, 4: 2 * self.channels}.get(layer, 4 * self.channels) for layer in layers]
