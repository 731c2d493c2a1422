"""The ResNet generator by tiles: what an image that does not fit into memory whole falls back to.

InstanceNorm takes mean and variance from the whole image; a tile normalised by itself would get a colour of its own.
Here all tiles share the whole image's statistics: before anything behind a norm is computed, a pass over all tiles
collects that norm's. A tile is computed with a margin that holds every pixel its result depends on, so tiles agree
where they overlap and the result is the whole image's up to rounding; feathering spreads that rounding over the seams.

Full and half resolution exist by tiles only. The residual blocks run whole: their maps are a quarter of the largest
ones. Encoder and decoder run once for each of their norms and once more: 1.5 times the work of the whole image for 64
channels and 9 blocks, 1.7 times for 16 channels and 6 blocks, and the margins:
1.1 to 1.2 times that for tiles of 512 pixels. It needs between a third and a quarter of the memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from tasks.translate.networks.resnet import MULTIPLE, Residual, ResnetGenerator

SMALLEST = 32  # pixels: a tile must hold the feathering of both its sides
# In cells of MULTIPLE x MULTIPLE pixels, the resolution of the residual blocks:
_MARGIN = 3  # what an output pixel depends on: 9 pixels in the encoder, 12 in the decoder
_FEATHER = 2

Moments = tuple[Tensor, Tensor]  # mean and variance of each channel, [N, C, 1, 1]


@dataclass(frozen=True)
class _Span:
    """A tile along one axis, in cells: its own from ``start`` to ``stop``, computed from ``low`` to ``high``."""

    low: int
    start: int
    stop: int
    high: int


def translate_tiled(network: ResnetGenerator, x: Tensor, tile: int) -> Tensor:
    """Run a generator by square tiles: ``forward`` up to rounding.

    Args:
        network: the generator, in evaluation.
        x: ``[N, 3, H, W]`` in [-1, 1]; H and W are multiples of 4, at least 16.
        tile: side of a tile without its margin, in pixels, 32 at least; tiles are made alike in size, so that most
            are somewhat smaller.
    """
    if tile < SMALLEST:
        raise ValueError(f"tiles of {tile} pixels: they need {SMALLEST} at least")
    layers = list(network.layers)
    blocks = [k for k, layer in enumerate(layers) if isinstance(layer, Residual)]
    encoder, trunk, decoder = layers[: blocks[0]], layers[blocks[0] : blocks[-1] + 1], layers[blocks[-1] + 1 :]
    features = _by_tiles(encoder, x, MULTIPLE, tile, feather=0)
    for block in trunk:
        features = block(features)
    result = _by_tiles(decoder, features, 1, tile, feather=_FEATHER)
    return network.decode(x, result, len(layers) - 1)


def _by_tiles(layers: list[nn.Module], x: Tensor, scale: int, tile: int, feather: int) -> Tensor:
    """Run layers on a whole map by tiles that share every norm's moments; ``scale`` of its pixels are a cell's side."""
    rows, columns = (_spans(side // scale, tile // MULTIPLE, _MARGIN + feather) for side in x.shape[2:])
    shared: list[Moments] = []

    def tiles() -> Iterator[tuple[_Span, _Span, Tensor]]:
        for row in rows:
            for column in columns:
                part = x[:, :, row.low * scale : row.high * scale, column.low * scale : column.high * scale]
                yield row, column, _run(layers, part, shared)

    for _ in range(sum(isinstance(layer, nn.InstanceNorm2d) for layer in layers)):
        shared.append(_moments(_own(row, column, y) for row, column, y in tiles()))
    return _joined(tiles(), rows[-1].stop, columns[-1].stop, feather)


def _spans(cells: int, size: int, margin: int) -> list[_Span]:
    count = -(-cells // size)
    edges = [k * cells // count for k in range(count + 1)]
    return [_Span(max(a - margin, 0), a, b, min(b + margin, cells)) for a, b in pairwise(edges)]


def _run(layers: list[nn.Module], x: Tensor, shared: list[Moments]) -> Tensor:
    """Run layers with these statistics, as far as there are any: to the input of the first norm that has none."""
    rest = iter(shared)
    for layer in layers:
        if isinstance(layer, nn.InstanceNorm2d):
            if (moments := next(rest, None)) is None:
                return x
            mean, variance = moments
            x = ((x - mean) * (variance + layer.eps).rsqrt()).to(x.dtype)
        else:
            x = layer(x)
    return x


def _own(row: _Span, column: _Span, y: Tensor) -> Tensor:
    """Cut off a tile's margin, at any resolution."""
    height, width = y.shape[2] // (row.high - row.low), y.shape[3] // (column.high - column.low)  # of a cell
    return y[
        :,
        :,
        (row.start - row.low) * height : (row.stop - row.low) * height,
        (column.start - column.low) * width : (column.stop - column.low) * width,
    ]


def _moments(parts: Iterable[Tensor]) -> Moments:
    """Mean and variance over parts of different size: the variance within them and between them."""
    found = [(p[0, 0].numel(), *torch.var_mean(p.float(), (2, 3), correction=0, keepdim=True)) for p in parts]
    total = sum(n for n, _, _ in found)
    shares = [n / total for n, _, _ in found]
    mean = torch.stack([s * m for s, (_, _, m) in zip(shares, found, strict=True)]).sum(0)
    parted = [s * (v + (m - mean) ** 2) for s, (_, v, m) in zip(shares, found, strict=True)]
    return mean, torch.stack(parted).sum(0)


def _joined(tiles: Iterable[tuple[_Span, _Span, Tensor]], rows: int, columns: int, feather: int) -> Tensor:
    """Put tiles together; neighbours are blended linearly over ``feather`` cells on either side of their border."""
    result: Tensor | None = None
    for row, column, y in tiles:
        cell = y.shape[2] // (row.high - row.low)
        if result is None:
            # Blended in 32 bits: shares of 16 bits would not add up to 1.
            kind = torch.float32 if feather else y.dtype
            result = y.new_zeros(*y.shape[:2], rows * cell, columns * cell, dtype=kind)
        weight = torch.outer(*(_ramps(s, n, feather, cell, y) for s, n in ((row, rows), (column, columns))))
        place = result[:, :, row.low * cell : row.high * cell, column.low * cell : column.high * cell]
        place += (y * weight).to(place.dtype)
    assert result is not None
    return result


def _ramps(span: _Span, cells: int, feather: int, cell: int, like: Tensor) -> Tensor:
    """A tile's share of the result along one axis: 1 inside, falling to 0 across its borders with neighbours."""
    centres = torch.arange(span.low * cell, span.high * cell, device=like.device) + 0.5
    width = max(2 * feather * cell, 1e-6)  # without feathering, a step
    share = torch.ones_like(centres)
    if span.start > 0:
        share = share.minimum(((centres - span.start * cell) / width + 0.5).clamp(0, 1))
    if span.stop < cells:
        share = share.minimum(((span.stop * cell - centres) / width + 0.5).clamp(0, 1))
    return share
