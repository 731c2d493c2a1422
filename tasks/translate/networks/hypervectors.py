"""Hypervectors of image patches, and what VSAIT computes with them (Theiss et al., ECCV 2022).

A hypervector is a patch of features seen along many fixed random directions; two random ones are nearly orthogonal.
Binding is the element-wise product. It is its own inverse for elements of -1 and 1 and nearly so for others, so a
vector that binds the source's hypervector into the target's domain also unbinds a translation's back into the source's.
"""

from __future__ import annotations

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from tasks.translate.networks.features import STRIDE, FrozenFeatures


class Hypervectors(nn.Module):
    """Images ``[N, 3, H, W]`` in [-1, 1] -> ``[N, length, H / 16, W / 16]``; H and W multiples of 16.

    Every patch of 16x16 pixels gets the cosines, so values in [-1, 1], of all its features with ``length`` random
    directions. That is one Gaussian random convolution a feature map (kernel = stride = 16 / the map's stride), their
    sum divided by the norm of the patch's features and by that of the direction over all maps.

    The directions are drawn from ``seed``, the same on every device, and are in no state dict (4096 directions of a
    VGG19 patch's 31,232 features take 488 MiB). Everything after the features is computed in 32 bits.
    """

    def __init__(self, features: FrozenFeatures, length: int, seed: int) -> None:
        super().__init__()
        self.features = features
        shapes = zip(features.channels, features.strides, strict=True)
        dimensions = sum(channels * (STRIDE // stride) ** 2 for channels, stride in shapes)
        directions = torch.randn(length, dimensions, generator=torch.Generator().manual_seed(seed))
        directions /= directions.norm(dim=1, keepdim=True)  # in place: they are large
        self.register_buffer("directions", directions[:, :, None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        maps = zip(self.features(x), self.features.strides, strict=True)
        patches = torch.cat([nnf.pixel_unshuffle(m.float(), STRIDE // stride) for m, stride in maps], dim=1)
        with torch.autocast(x.device.type, enabled=False):
            return nnf.conv2d(nnf.normalize(patches, dim=1), self.get_buffer("directions"))


class Mapping(nn.Module):
    """Hypervectors of the source ``[N, length, H, W]`` -> vectors in (-1, 1) that bind them into the target's domain.

    It starts as the constant tanh(1) = 0.76 everywhere: binding with it changes no direction, so the VSA loss begins as
    the cosine distance between a translation and its source.
    """

    def __init__(self, length: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(length, length, 1), nn.ReLU(True), nn.Conv2d(length, length, 1))

    def initialise(self, rng: torch.Generator) -> None:
        """Draw the first layer's weights (He-normal); the last layer's are 0, its biases 1."""
        _he_normal(self, rng)
        nn.init.zeros_(self.layers[2].weight)  # type: ignore[arg-type]
        nn.init.ones_(self.layers[2].bias)  # type: ignore[arg-type]

    def forward(self, hypervectors: Tensor) -> Tensor:
        return torch.tanh(self.layers(hypervectors))


class HypervectorDiscriminator(nn.Module):
    """``[N, length, H, W]`` -> ``[N, 1, H, W]`` of logits, each of one hypervector alone."""

    def __init__(self, length: int) -> None:
        super().__init__()
        width = length // 4
        self.layers = nn.Sequential(
            *(nn.Conv2d(length, width, 1), nn.LeakyReLU(0.2, True)),
            *(nn.Conv2d(width, width, 1), nn.LeakyReLU(0.2, True)),
            nn.Conv2d(width, 1, 1),
        )

    def initialise(self, rng: torch.Generator) -> None:
        """Draw the weights (He-normal); biases are 0."""
        _he_normal(self, rng)

    def forward(self, hypervectors: Tensor) -> Tensor:
        judged: Tensor = self.layers(hypervectors)
        return judged


def bind(a: Tensor, b: Tensor) -> Tensor:
    """Bind two vectors, or unbind one from what they were bound to."""
    return a * b


def vsa_loss(translated: Tensor, mapping: Tensor, source: Tensor) -> Tensor:
    """1 - cosine between a translation's hypervector, unbound with ``mapping``, and its source's; all ``[N, L, H, W]``.

    The mean over all patches. ``mapping`` and ``source`` are detached: only the translation is moved.
    """
    recovered = bind(translated, mapping.detach().float())
    return (1 - nnf.cosine_similarity(recovered, source.detach(), dim=1)).mean()


def hinge_real(judged: Tensor) -> Tensor:
    """The hinge loss of judgements of what is real: nothing beyond 1; in 32 bits."""
    return nnf.relu(1 - judged.float()).mean()


def hinge_fake(judged: Tensor) -> Tensor:
    """The hinge loss of judgements of what is not: nothing below -1; in 32 bits."""
    return nnf.relu(1 + judged.float()).mean()


def _he_normal(network: nn.Module, rng: torch.Generator) -> None:
    # Hypervectors have norms far below 1, the shorter the smaller: weights of one fixed spread would starve short ones.
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, generator=rng)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
