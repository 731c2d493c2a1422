"""The generators of the methods' authors as plain PyTorch, written from their description, named as their files are."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn


class Blurred(nn.Module):
    """CUT's fixed filters: halve behind 1 2 1, reflected, or double by 1 3 3 1, with the border repeated."""

    def __init__(self, channels: int, line: list[float], scale: float) -> None:
        super().__init__()
        square = torch.tensor(line)[:, None] * torch.tensor(line) * scale / sum(line) ** 2
        self.register_buffer("filt", square[None, None].repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        if self.filt.shape[2] == 3:
            return nnf.conv2d(nnf.pad(x, (1, 1, 1, 1), mode="reflect"), self.filt, stride=2, groups=x.shape[1])
        spread = nnf.conv_transpose2d(nnf.pad(x, (1, 1, 1, 1), "replicate"), self.filt, stride=2, groups=x.shape[1])
        return spread[:, :, 3:-3, 3:-3]


class Block(nn.Module):
    """A residual block of the CycleGAN family."""

    def __init__(self, width: int, dropout: bool) -> None:
        super().__init__()
        unit = lambda: [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width)]  # noqa: E731
        self.conv_block = nn.Sequential(*unit(), nn.ReLU(), *([nn.Dropout(0.5)] if dropout else []), *unit())

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class Sequential(nn.Module):
    """CUT's generator, or, with ``stride``, CycleGAN's: one sequence named ``model``."""

    def __init__(self, channels: int = 4, blocks: int = 3, stride: bool = False, dropout: bool = False) -> None:
        super().__init__()
        widths = [channels, 2 * channels, 4 * channels]
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, channels, 7), *_norm(channels)]
        for narrow, wide in pairwise(widths):
            layers += [nn.Conv2d(narrow, wide, 3, 2 if stride else 1, 1), *_norm(wide)]
            layers += [] if stride else [Blurred(wide, [1, 2, 1], 1)]
        layers += [Block(widths[-1], dropout) for _ in range(blocks)]
        for wide, narrow in pairwise(reversed(widths)):
            layers += [] if stride else [Blurred(wide, [1, 3, 3, 1], 4)]
            up = nn.ConvTranspose2d(wide, narrow, 3, 2, 1, output_padding=1)
            layers += [up if stride else nn.Conv2d(wide, narrow, 3, padding=1), *_norm(narrow)]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(channels, 3, 7), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


def _norm(width: int) -> list[nn.Module]:
    return [nn.InstanceNorm2d(width), nn.ReLU()]


class Unit(nn.Module):
    """VSAIT's: reflection, convolution, and behind all but the last of the network InstanceNorm."""

    def __init__(self, inputs: int, outputs: int, size: int, *behind: nn.Module) -> None:
        super().__init__()
        self.pad, self.conv = nn.ReflectionPad2d(size // 2), nn.Conv2d(inputs, outputs, size)
        self.behind = nn.Sequential(*behind)

    def forward(self, x: Tensor) -> Tensor:
        return self.behind(self.conv(self.pad(x)))


class Gaussian(nn.Module):
    """VSAIT's fixed filters, over zeros outside of the image: halve by 3x3, double by 4x4; sigma 1."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        line = torch.exp(-((torch.arange(size) - (size - 1) / 2) ** 2) / 2)
        square = line[:, None] * line / line.sum() ** 2
        self.register_buffer("weight", (square if size == 3 else 4 * square).repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        if self.weight.shape[2] == 3:
            return nnf.conv2d(x, self.weight, stride=2, padding=1, groups=x.shape[1])
        return nnf.conv_transpose2d(x, self.weight, stride=2, groups=x.shape[1])[:, :, 1:-1, 1:-1]


class TwoUnits(nn.Module):
    """VSAIT's residual block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(Unit(width, width, 3, *_norm(width)), Unit(width, width, 3, nn.InstanceNorm2d(width)))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.net(x)


class Half(nn.Module):
    """VSAIT's encoder or decoder: a sequence named ``net``."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.net = nn.Sequential(*layers)


class Vsait(nn.Module):
    """VSAIT's generator; the encoder has the larger half of the residual blocks."""

    def __init__(self, channels: int = 4, blocks: int = 3) -> None:
        super().__init__()
        c, wide = channels, 4 * channels
        self.encoder = Half(
            Unit(3, c, 7, *_norm(c)),
            *(Unit(c, 2 * c, 3, *_norm(2 * c)), Gaussian(2 * c, 3)),
            *(Unit(2 * c, wide, 3, *_norm(wide)), Gaussian(wide, 3)),
            *(TwoUnits(wide) for _ in range((blocks + 1) // 2)),
        )
        self.decoder = Half(
            *(TwoUnits(wide) for _ in range(blocks // 2)),
            *(Gaussian(wide, 4), Unit(wide, 2 * c, 3, *_norm(2 * c))),
            *(Gaussian(2 * c, 4), Unit(2 * c, c, 3, *_norm(c))),
            Unit(c, 3, 7, nn.Tanh()),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder.net(self.encoder.net(x))


def discriminator() -> nn.Module:
    """A PatchGAN as the CycleGAN family keeps it."""
    network = nn.Module()
    network.model = nn.Sequential(
        *(nn.Conv2d(3, 4, 4, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(4, 8, 4, 2, 1), nn.InstanceNorm2d(8), nn.LeakyReLU(0.2)),
        nn.Conv2d(8, 1, 4, padding=1),
    )
    return network
