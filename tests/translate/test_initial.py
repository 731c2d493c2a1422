"""Initial weights against their definitions."""

import math

import pytest
import torch
from torch import nn

from tasks.translate.methods.base import method_module
from tasks.translate.networks.initial import initialise
from tasks.translate.sections.adversarial import Adversarial
from tasks.translate.sections.cut import Cut
from tasks.translate.sections.cyclegan import CycleGan
from tasks.translate.sections.decent import Decent
from tasks.translate.sections.srunit import Srunit

TRAINING = {"iterations": 1}


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


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (Cut(method="cut", training=TRAINING), "xavier"),
        (Srunit(method="srunit", training=TRAINING), "xavier"),
        (Decent(method="decent", training=TRAINING), "xavier"),
        (CycleGan(method="cyclegan", training=TRAINING), "normal"),
        (Cut(method="cut", init="normal", training=TRAINING), "normal"),
        (CycleGan(method="cyclegan", init="xavier", training=TRAINING), "xavier"),
    ],
)
def test_each_method_begins_as_published(section: Adversarial, expected: str) -> None:
    networks = method_module(section.method).build(section, _rng()).networks
    middle = {
        "generator": networks["generator"].layers[12].body[1],
        "discriminator": networks["discriminator"].layers[-1],
    }
    for name, layer in middle.items():
        inputs, outputs = (n * layer.kernel_size[0] ** 2 for n in (layer.in_channels, layer.out_channels))
        spread = 0.02 * math.sqrt(2 / (inputs + outputs)) if expected == "xavier" else 0.02
        assert layer.weight.std().item() == pytest.approx(spread, rel=0.05), name
    if "projection" in networks:
        head = networks["projection"].heads[1][2]
        assert head.weight.std().item() == pytest.approx(
            0.02 * math.sqrt(1 / 256) if expected == "xavier" else 0.02, rel=0.02
        )


def test_each_method_judges_as_published() -> None:
    found = {}
    for section in (Cut, Srunit, Decent, CycleGan):
        name = section.__name__.lower()
        config = section.model_validate({"method": name, "training": TRAINING, "discriminator": {"channels": 8}})
        found[name] = config.discriminator.resampling
        network = method_module(name).build(config, _rng()).networks["discriminator"]
        strides = {m.stride for m in network.modules() if isinstance(m, nn.Conv2d)}
        assert strides == ({(1, 1)} if found[name] == "blur" else {(1, 1), (2, 2)})
    assert found == {"cut": "blur", "srunit": "blur", "decent": "blur", "cyclegan": "stride"}
