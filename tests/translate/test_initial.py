"""Initial weights against their definitions."""

import math

import pytest
import torch
from torch import nn

from tasks.translate.networks.initial import initialise


def _rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(
    ("layer", "fans"),
    [
        (nn.Conv2d(32, 96, 3), (32 * 9, 96 * 9)),
        (nn.ConvTranspose2d(96, 32, 3), (32 * 9, 96 * 9)),
        (nn.Linear(200, 100), (200, 100)),
    ],
)
def test_spread_is_that_of_the_definition(layer: nn.Module, fans: tuple[int, int]) -> None:
    for arguments, expected in (
        ({}, 0.02),
        ({"std": 0.3}, 0.3),
        ({"gain": 0.02}, 0.02 * math.sqrt(2 / sum(fans))),
        ({"gain": 0.2}, 0.2 * math.sqrt(2 / sum(fans))),
    ):
        initialise(layer, _rng(), **arguments)
        assert layer.weight.std().item() == pytest.approx(expected, rel=0.02)
        assert abs(layer.weight.mean().item()) < 0.03 * expected
        assert not layer.bias.any()


def test_weights_depend_on_the_generator_alone() -> None:
    a, b = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
    initialise(a, _rng(), gain=0.2)
    torch.rand(5)
    initialise(b, _rng(), gain=0.2)
    assert torch.equal(a.weight, b.weight)
