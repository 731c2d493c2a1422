"""Initial weights from a generator of random numbers of one's own, so that nothing else can shift them."""

from __future__ import annotations

from torch import Generator, nn


def initialise(network: nn.Module, rng: Generator, std: float = 0.02, gain: float | None = None) -> None:
    """Draw every convolution's and linear layer's weights from N(0, std^2); biases become 0.

    Args:
        network: whose weights are drawn, in place.
        rng: draws them.
        std: their standard deviation; CycleGAN's is 0.02.
        gain: if given, each layer's standard deviation is ``gain * sqrt(2 / (fan_in + fan_out))`` instead (Glorot and
            Bengio, AISTATS 2010; "Xavier"). CUT's is 0.02, VSAIT's 0.2.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if gain is None:
                nn.init.normal_(module.weight, 0.0, std, generator=rng)
            else:
                nn.init.xavier_normal_(module.weight, gain, generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
