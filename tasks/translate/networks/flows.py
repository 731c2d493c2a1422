"""Small autoregressive flows that estimate the density of feature vectors.

Block neural autoregressive flow: N. De Cao, I. Titov, W. Aziz, "Block Neural Autoregressive Flow", UAI 2019. DECENT's
"one block, no hidden layer, 10 dimensions" is read as that paper counts: one affine map from D inputs to D blocks of 10
units, tanh, one affine map back, and no map from units to units in between. Without the units, what is left is a
Gaussian, and then their number would mean nothing. Features are not projected to fewer dimensions first: a translation
could change the rest of them for free.

That paper's gated residual connections stand between blocks, so one block alone has none. Its tanh maps to a bounded
range, over which the normal density integrates to less than 1; ``residual`` puts the gated connection round the block,
which makes it a density on all of space.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn


class BlockAffine(nn.Module):
    """An affine map between blocks of units, one block for each of ``dims`` variables.

    The weights within a variable's own block are positive, those from earlier variables are free, those from later ones
    are 0. Rows are normalised and rescaled (weight normalisation, Salimans and Kingma 2016).

    Args:
        dims: number of variables.
        inputs, outputs: units for each variable.
        rng: draws the initial weights.
    """

    def __init__(self, dims: int, inputs: int, outputs: int, rng: torch.Generator) -> None:
        super().__init__()
        self.blocks = (dims, outputs, inputs)
        # Nearly the same for each variable at first: other variables come in as the likelihood wants them.
        self.direction = nn.Parameter(0.02 * torch.randn(dims * outputs, dims * inputs, generator=rng))
        self.log_scale = nn.Parameter(torch.zeros(dims * outputs, 1))
        self.bias = nn.Parameter(torch.empty(dims * outputs).uniform_(-1, 1, generator=rng))
        own = torch.eye(dims).repeat_interleave(outputs, 0).repeat_interleave(inputs, 1)
        earlier = torch.ones(dims, dims).tril(-1).repeat_interleave(outputs, 0).repeat_interleave(inputs, 1)
        self.register_buffer("own", own, persistent=False)
        self.register_buffer("earlier", earlier, persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map ``[..., dims * inputs]`` to ``[..., dims * outputs]``.

        Also returns the logarithms of the weights within the own blocks, ``[dims, outputs, inputs]``.
        """
        dims, outputs, inputs = self.blocks
        raw = self.direction.exp() * self.get_buffer("own") + self.direction * self.get_buffer("earlier")
        log_factor = self.log_scale - 0.5 * raw.square().sum(1, keepdim=True).log()
        log_weight = (self.direction + log_factor).view(dims, outputs, dims, inputs)
        return nnf.linear(x, raw * log_factor.exp(), self.bias), log_weight.diagonal(dim1=0, dim2=2).permute(2, 0, 1)


class BlockFlow(nn.Module):
    """A density over vectors of ``dims`` numbers: an invertible autoregressive map to a standard normal one.

    Args:
        dims: length of the vectors.
        width: hidden units for each dimension.
        rng: draws the initial weights.
        residual: whether the map is a gated mean of the block's output and its input.
    """

    def __init__(self, dims: int, width: int, rng: torch.Generator, residual: bool = False) -> None:
        super().__init__()
        self.dims = dims
        self.widen = BlockAffine(dims, 1, width, rng)
        self.narrow = BlockAffine(dims, width, 1, rng)
        self.gate = nn.Parameter(torch.zeros(())) if residual else None

    def transform(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map ``[..., dims]``; also the logs of the Jacobian's diagonal, ``[..., dims]``. In 32-bit precision."""
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            hidden, log_in = self.widen(x)
            y, log_out = self.narrow(hidden.tanh())
            # log(1 - tanh(h)^2), which itself would round to log 0 from h = 9 on
            log_slope = 2 * (math.log(2) - hidden - nnf.softplus(-2 * hidden))
            paths = log_slope.unflatten(-1, (self.dims, -1)) + log_in.squeeze(2) + log_out.squeeze(1)
            log_block = paths.logsumexp(-1)
            if self.gate is None:
                return y, log_block
            gate = self.gate.sigmoid()
            log_diagonal = torch.logaddexp(nnf.logsigmoid(self.gate) + log_block, nnf.logsigmoid(-self.gate))
            return gate * y + (1 - gate) * x, log_diagonal

    def forward(self, x: Tensor) -> Tensor:
        """The natural logarithm of the density, ``[..., dims] -> [...]``."""
        z, log_diagonal = self.transform(x)
        return (log_diagonal - 0.5 * z.square() - 0.5 * math.log(2 * math.pi)).sum(-1)


class LayerFlows(nn.Module):
    """One flow a feature layer.

    Args:
        widths: the layers' numbers of channels.
        width: hidden units for each channel.
        rng: draws the initial weights.
        residual: as of ``BlockFlow``.
    """

    def __init__(self, widths: Sequence[int], width: int, rng: torch.Generator, residual: bool = False) -> None:
        super().__init__()
        self.flows = nn.ModuleList(BlockFlow(w, width, rng, residual) for w in widths)

    def forward(self, patches: Sequence[Tensor]) -> list[Tensor]:
        """Natural log densities over the number of dimensions: a list of ``[N, S, C]`` -> a list of ``[N, S]``."""
        return [f(p) / p.shape[2] for f, p in zip(self.flows, patches, strict=True)]


class MovingAverage(nn.Module):
    """A frozen copy of a network that follows it slowly. Its state holds all there is to it.

    Args:
        network: what to copy.
        decay: how much of the average a step keeps. At first it is ``(1 + step) / (10 + step)`` where that is less, or
            a short training would end with the initial weights.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.decay = decay
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def follow(self, network: nn.Module, step: int) -> None:
        """``average = decay * average + (1 - decay) * network``, once a step, however many batches that has."""
        steps = self.get_buffer("steps")
        if step < int(steps):
            return
        steps.fill_(step + 1)
        decay = min(self.decay, (1 + step) / (10 + step))
        for average, new in zip(self.network.parameters(), network.parameters(), strict=True):
            average.lerp_(new, 1 - decay)


def take_patches(features: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
    """The vectors of feature maps ``[N, C, H, W]`` at flat positions ``[S]``, as ``[N, S, C]``."""
    return [f.flatten(2)[:, :, p].transpose(1, 2) for f, p in zip(features, places, strict=True)]
