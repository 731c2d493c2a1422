"""Initial weights from a generator of random numbers of one's own, so that nothing else can shift them."""

from __future__ import annotations

from torch import Generator, nn


def initialise(network: nn.Module, rng: Generator, std: float = 0.02) -> None:
    """Draw every convolution's and linear layer's weights from N(0, std^2); biases become 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, std, generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
