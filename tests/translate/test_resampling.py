"""Each way down and up against its description, pixel by pixel at 64 bits."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from tasks.translate.networks.resampling import Resampling, down, up
from tasks.translate.networks.resnet import ResnetGenerator
from tasks.translate.networks.weights import load_weights, save_weights

Map = NDArray[np.float64]  # [C, H, W]
KINDS: tuple[Resampling, ...] = ("blur", "stride", "gaussian")


def convolved(x: Map, weight: Map, stride: int = 1, pad: str = "constant") -> Map:
    """``weight`` is ``[outputs, C, 3, 3]``; one pixel is padded."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)), mode=pad)  # type: ignore[call-overload]
    rows, columns = (range(0, side, stride) for side in x.shape[1:])
    at = [[np.einsum("ocij,cij->o", weight, padded[:, r : r + 3, c : c + 3]) for c in columns] for r in rows]
    return np.moveaxis(np.array(at), 2, 0)


def filtered(x: Map, line: list[float], pad: str) -> Map:
    """Every other pixel behind a separable filter of sum 1."""
    square = np.outer(line, line) / np.sum(line) ** 2
    return convolved(x, np.einsum("oc,ij->ocij", np.eye(len(x)), square), 2, pad)


def spread(x: Map, weight: Map) -> Map:
    """Transposed convolution, stride 2: pixel (r, c) adds its weights around (2r, 2c); ``[C, outputs, k, k]``."""
    size, (height, width) = weight.shape[2], x.shape[1:]
    whole = np.zeros((weight.shape[1], 2 * height + 4, 2 * width + 4))
    for r, c in np.ndindex(height, width):
        whole[:, 2 * r : 2 * r + size, 2 * c : 2 * c + size] += np.einsum("c,coij->oij", x[:, r, c], weight)
    return whole[:, 1 : 1 + 2 * height, 1 : 1 + 2 * width]


def normed(x: Map) -> Map:
    """InstanceNorm and ReLU."""
    return np.maximum((x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5), 0)


def bilinear(x: Map) -> Map:
    """Twice as high and wide: a new pixel lies a quarter of a pixel from the nearest, which the border repeats."""
    for axis in (1, 2):
        before, after = (np.concatenate(p, axis) for p in _shifted(x, axis))
        pair = (0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after)
        x = np.stack(pair, axis + 1).reshape([s * (1 + (a == axis)) for a, s in enumerate(x.shape)])
    return x


def _shifted(x: Map, axis: int) -> tuple[tuple[Map, Map], tuple[Map, Map]]:
    first, last = (np.take(x, [k], axis) for k in (0, -1))
    return (first, np.delete(x, -1, axis)), (np.delete(x, 0, axis), last)


def gaussian(size: int) -> list[float]:
    return [float(np.exp(-((k - (size - 1) / 2) ** 2) / 2)) for k in range(size)]


def described_down(kind: Resampling, x: Map, weight: Map) -> Map:
    if kind == "stride":
        return normed(convolved(x, weight, stride=2))
    if kind == "blur":
        return filtered(normed(convolved(x, weight)), [1, 2, 1], "reflect")
    return filtered(normed(convolved(x, weight, pad="reflect")), gaussian(3), "constant")


def described_up(kind: Resampling, x: Map, weight: Map) -> Map:
    if kind == "stride":
        return normed(spread(x, weight))
    if kind == "blur":
        return normed(convolved(bilinear(x), weight))
    square = np.outer(gaussian(4), gaussian(4))
    wide = spread(x, np.einsum("co,ij->coij", np.eye(len(x)), 4 * square / square.sum()))
    return normed(convolved(wide, weight, pad="reflect"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["down", "up"])
def test_as_described(kind: Resampling, way: str) -> None:
    torch.manual_seed(0)
    built, described = (down, described_down) if way == "down" else (up, described_up)
    layers = built(kind, 2, 3)
    assert len(layers) == 4
    network = nn.Sequential(*layers).double()
    (convolution,) = (m for m in layers if isinstance(m, nn.Conv2d | nn.ConvTranspose2d))
    nn.init.zeros_(convolution.bias)
    x = torch.randn(1, 2, 6, 10, dtype=torch.float64)
    expected = described(kind, x[0].numpy(), convolution.weight.detach().numpy())
    found = network(x)[0].detach().numpy()
    assert found.shape == expected.shape == (3, *((3, 5) if way == "down" else (12, 20)))
    assert np.abs(found - expected).max() < 1e-6  # the filters are kept in 32 bits


def test_the_same_weights_give_another_picture() -> None:
    blur, gauss = (ResnetGenerator(4, 2, resampling=kind).eval() for kind in ("blur", "gaussian"))
    gauss.load_state_dict(blur.state_dict())
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    assert (blur(x) - gauss(x)).abs().mean() > 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_layers_have_the_same_numbers_and_names(kind: Resampling) -> None:
    default, network = ResnetGenerator(4, 2), ResnetGenerator(4, 2, resampling=kind)
    assert network.state_dict().keys() == default.state_dict().keys()
    assert len(network.layers) == len(default.layers)
    assert sum(p.numel() for p in network.parameters()) == sum(p.numel() for p in default.parameters())


def test_weights_from_before_there_was_a_choice_are_blurred_ones(tmp_path) -> None:
    path, network = tmp_path / "w.safetensors", ResnetGenerator(4, 1)
    older = {"method": "cut", "generator": {"channels": 4, "blocks": 1, "skip": False}}
    save_weights(path, dict(network.named_parameters()), older)
    said = {"method": "cut", "generator": {**older["generator"], "resampling": "blur"}}
    for made_for in (older, said):
        load_weights(path, ResnetGenerator(4, 1), made_for)
