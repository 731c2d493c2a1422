"""The PatchGAN, blurred and strided, against its description."""

from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from tasks.translate.networks.initial import initialise
from tasks.translate.networks.patchgan import PatchGan, least_squares

Array = NDArray[np.float64]
Resampling = Literal["blur", "stride"]
BLUR = np.outer([1, 2, 1], [1, 2, 1]) / 16


def _network(resampling: Resampling, layers: int = 3, norm: bool = True) -> PatchGan:
    network = PatchGan(4, layers, norm, resampling)
    initialise(network, torch.Generator().manual_seed(0), std=0.1)
    for parameter in network.parameters():
        parameter.data += 0.01  # biases, too
    return network.double()


def _convolve(x: Array, weight: Array, bias: Array, stride: int) -> Array:
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (4, 4), axis=(1, 2))[:, ::stride, ::stride]
    return np.einsum("chwij,ocij->ohw", windows, weight) + bias[:, None, None]


def _blur(x: Array) -> Array:
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2]
    return np.einsum("chwij,ij->chw", windows, BLUR)


def _described(x: Array, network: PatchGan, resampling: Resampling, layers: int, norm: bool) -> Array:
    """``layers`` halving 4x4 convolutions, one more, and the last; InstanceNorm between, LeakyReLU 0.2, padding 1."""
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == layers + 2
    for k, convolution in enumerate(convolutions):
        weight, bias = convolution.weight.detach().numpy(), convolution.bias.detach().numpy()
        halves, last = k < layers, k == layers + 1
        x = _convolve(x, weight, bias, 2 if halves and resampling == "stride" else 1)
        if norm and 0 < k <= layers:
            spread = np.sqrt(x.var(axis=(1, 2), keepdims=True) + 1e-5)
            x = (x - x.mean(axis=(1, 2), keepdims=True)) / spread
        if not last:
            x = np.where(x > 0, x, 0.2 * x)
        if halves and resampling == "blur":
            x = _blur(x)
    return x


@pytest.mark.parametrize("resampling", ["blur", "stride"])
@pytest.mark.parametrize(("layers", "norm"), [(3, True), (2, False)])
def test_it_computes_what_its_description_says(resampling: Resampling, layers: int, norm: bool) -> None:
    network = _network(resampling, layers, norm)
    x = np.random.default_rng(0).uniform(-1, 1, (3, 64, 48))
    with torch.no_grad():
        found = network(torch.tensor(x)[None]).numpy()[0]
    assert found == pytest.approx(_described(x, network, resampling, layers, norm), abs=1e-10)


@pytest.mark.parametrize(("resampling", "pixels"), [("blur", 84), ("stride", 70)])
def test_a_judgement_sees_so_many_pixels(resampling: Resampling, pixels: int) -> None:
    x = torch.zeros(1, 3, 256, 256, dtype=torch.double, requires_grad=True)
    network = _network(resampling, norm=False)  # InstanceNorm would let every pixel reach every output
    network(x)[0, 0, 15, 15].backward()
    assert x.grad is not None
    for axis in (2, 3):
        seen = x.grad.abs().sum([d for d in range(4) if d != axis]).nonzero()
        assert seen.max() - seen.min() + 1 == pixels


@pytest.mark.parametrize(("resampling", "billions"), [("blur", 6.4), ("stride", 3.15)])
def test_multiplications_at_full_size_are_the_published_ones(resampling: Resampling, billions: float) -> None:
    counts = []

    def count(layer: nn.Conv2d, _: object, out: torch.Tensor) -> None:
        counts.append(out.numel() * layer.weight[0].numel())

    network = PatchGan(64, 3, resampling=resampling)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(1, 3, 256, 256))
    assert len(counts) == 5
    assert sum(counts) / 1e9 == pytest.approx(billions, rel=0.005)


@pytest.mark.parametrize("resampling", ["blur", "stride"])
def test_parameters_at_full_size_are_the_published_ones(resampling: Resampling) -> None:
    assert sum(p.numel() for p in PatchGan(64, 3, resampling=resampling).parameters()) == 2_764_737


def test_least_squares_is_the_mean_square() -> None:
    judged = np.random.default_rng(0).normal(size=(2, 1, 5, 6))
    for wanted in (0.0, 1.0):
        found = least_squares(torch.tensor(judged), wanted)
        assert found.item() == pytest.approx(np.square(judged - wanted).mean(), rel=1e-6)
