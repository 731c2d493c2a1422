"""The two ways a view becomes an image: rendered as a simulator would, and photographed as a camera would."""

from __future__ import annotations

import functools
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.sample.palettes import REAL, SIMULATED, Color
from tasks.sample.view import SUPER, Labels, View

Image = NDArray[np.float32]  # [H, W, 3], 0-255
Value = TypeVar("Value", np.uint8, np.uint16)
_TILE = 1024
_GROUND = ("asphalt", "paving", "curb", "marking")
_GRAIN: dict[str, tuple[float, float]] = {  # material -> strength of its fine and of its coarse texture
    "asphalt": (0.11, 0.12), "paving": (0.11, 0.12), "curb": (0.1, 0.1), "marking": (0.12, 0.22),
    "wall": (0.1, 0.13), "shop": (0.15, 0.25), "window": (0.15, 0.5), "roof": (0.15, 0.15), "leaves": (0.42, 0.3),
    "trunk": (0.3, 0.2), "metal": (0.08, 0.12), "paint": (0.04, 0.1), "glass": (0.08, 0.5), "cargo": (0.05, 0.1),
    "cab": (0.04, 0.1), "bus": (0.05, 0.1), "coat": (0.14, 0.3), "trousers": (0.14, 0.3), "sky": (0.0, 0.1),
}  # fmt: skip


def simulated(view: View) -> NDArray[np.uint8]:
    """Flat, clean colours; no shadow, no noise. RGB uint8 [H, W, 3]."""
    return _shrunk(_colors(view, SIMULATED, 0.0)[view.index])


def photographed(view: View, labels: Labels, rng: np.random.Generator) -> tuple[NDArray[np.uint8], Labels]:
    """Texture, shadow, haze, then a lens and a sensor; the labels go through the same lens.

    Returns:
        RGB uint8 [H, W, 3], and the labels of its pixels.
    """
    materials = [s.material for s in view.surfaces]
    image = _colors(view, REAL, 4.0)[view.index] * (1 + _texture(view, materials, rng))[..., None]
    image = _lit(image, view, materials, rng)
    image = _hazy(image, view, rng)
    grid = _lens(labels.classes.shape, float(rng.uniform(0.03, 0.09)))
    sharp = _shrunk(image).astype(np.float32)
    seen = np.asarray(cv2.remap(sharp, *grid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
    bent = Labels(labels.names, _nearest(labels.classes, grid), _nearest(labels.objects, grid))
    return _sensed(seen, rng), bent


def _colors(view: View, palette: dict[str, list[Color]], jitter: float) -> Image:
    """The colour of every surface, [N, 3]: all surfaces of a thing that are of one material share one.

    Args:
        view: what is seen.
        palette: material -> the colours to choose from.
        jitter: how far a colour may be off its palette's; brightness by three times as much as hue.
    """
    order = {material: n for n, material in enumerate(palette)}
    styles = [sum(t.style for t in view.things), *(t.style for t in view.things)]  # the ground's comes first
    drawn = np.stack([np.random.default_rng(style).random((len(order), 5)) for style in styles])
    colors = np.empty((len(styles), len(order), 3))
    for n, choice in enumerate(palette.values()):
        colors[:, n] = np.array(choice)[(drawn[:, n, 0] * len(choice)).astype(int)]
    colors += jitter * (2 * drawn[..., 1:4] - 1) + 3 * jitter * (2 * drawn[..., 4:] - 1)
    owners, materials = [s.owner + 1 for s in view.surfaces], [order[s.material] for s in view.surfaces]
    shades = np.array([s.shade for s in view.surfaces])
    return np.asarray(np.clip(colors[owners, materials] * shades[:, None], 0, 255), np.float32)


def _shrunk(image: Image) -> NDArray[np.uint8]:
    size = (image.shape[1] // SUPER, image.shape[0] // SUPER)
    return _rounded(np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32))


def _rounded(image: Image) -> NDArray[np.uint8]:
    return np.asarray(np.clip(image + 0.5, 0, 255), np.uint8)


@functools.cache
def _noise(octaves: tuple[int, ...]) -> NDArray[np.float32]:
    """A tile of smooth noise that repeats without a seam: mean 0, deviation 1. ``octaves``: sizes of its blobs."""
    rng = np.random.default_rng(list(octaves))
    tile = np.zeros((_TILE, _TILE), np.float32)
    for size in octaves:
        white = rng.normal(size=(_TILE // size, _TILE // size)).astype(np.float32)
        wrapped = np.pad(white, 2, mode="wrap")
        large = cv2.resize(wrapped, None, fx=size, fy=size, interpolation=cv2.INTER_CUBIC)
        tile += large[2 * size : 2 * size + _TILE, 2 * size : 2 * size + _TILE]
    return np.asarray(tile / tile.std(), np.float32)


def _texture(view: View, materials: list[str], rng: np.random.Generator) -> NDArray[np.float32]:
    """Relative brightness of every pixel: grain and stains; on the ground they lie in perspective."""
    fine, coarse = _noise((1, 2, 4)), _noise((16, 32, 64))
    rows, columns = view.index.shape
    y, x = rng.integers(0, _TILE, 2)
    place = np.ix_((np.arange(rows) + y) % _TILE, (np.arange(columns) + x) % _TILE)
    strength = np.array([_GRAIN.get(m, (0.04, 0.08)) for m in materials], np.float32)[view.index]
    upright = strength[..., 0] * fine[place] + strength[..., 1] * coarse[place]
    on_ground = np.array([m in _GROUND for m in materials])[view.index]
    u, v = view.x + 500.0 + x, np.minimum(view.distance, 200.0) + y
    lying = strength[..., 0] * _sample(fine, u * 24, v * 10) + strength[..., 1] * _sample(coarse, u * 14, v * 6)
    return np.asarray(np.clip(np.where(on_ground, lying, upright), -0.75, 1.0), np.float32)


def _sample(tile: NDArray[np.float32], u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.float32]:
    return tile[v.astype(np.int32) % _TILE, u.astype(np.int32) % _TILE]


def _lit(image: Image, view: View, materials: list[str], rng: np.random.Generator) -> Image:
    """Shadows on the ground, a brighter side, a sky that pales toward the horizon, and dark lower edges."""
    rows, columns = view.index.shape
    on_ground = np.array([m in _GROUND for m in materials])[view.index]
    light = 1 - float(rng.uniform(0.35, 0.65)) * view.shadow * on_ground
    across = np.linspace(-1, 1, columns, dtype=np.float32) * float(rng.uniform(-0.22, 0.22))
    down = np.linspace(1, -1, rows, dtype=np.float32)[:, None] * float(rng.uniform(0.0, 0.16))
    light = light * (1 + across) * (1 + down)
    return np.asarray(image * light[..., None], np.float32)


def _hazy(image: Image, view: View, rng: np.random.Generator) -> Image:
    """What is far takes the colour of the air."""
    air = np.array([196, 198, 200], np.float32) * float(rng.uniform(0.85, 1.1))
    height = np.clip(1 - np.arange(view.index.shape[0], dtype=np.float32) / max(view.horizon, 1), 0, 1)
    amount = 1 - np.exp(-view.distance / float(rng.uniform(110, 260)))
    amount = np.where(view.index == 0, 0.8 * (1 - height[:, None]), amount).astype(np.float32)[..., None]
    return image + (air - image) * amount


@functools.lru_cache(maxsize=64)
def _radius(shape: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """x and y from the middle in pixels, and the squared radius as a share of the corner's."""
    rows, columns = shape
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    x, y = x - (columns - 1) / 2, y - (rows - 1) / 2
    squared = x * x + y * y
    return x, y, squared / squared.max()


def _lens(shape: tuple[int, int], strength: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Barrel distortion: where each pixel's light comes from; the corners stay where they are."""
    x, y, squared = _radius(shape)
    factor = (1 - strength * (1 - squared)).astype(np.float32)
    middle_x, middle_y = np.float32((shape[1] - 1) / 2), np.float32((shape[0] - 1) / 2)
    return x * factor + middle_x, y * factor + middle_y


def _nearest(values: NDArray[Value], grid: tuple[NDArray[np.float32], NDArray[np.float32]]) -> NDArray[Value]:
    x, y = (np.round(g).astype(np.int32) for g in grid)
    return values[y, x]


def _sensed(image: Image, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blur, vignette, white balance, exposure, and noise that grows with the light."""
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.35, 0.75))), np.float32)
    vignette = 1 - float(rng.uniform(0.1, 0.3)) * _radius((image.shape[0], image.shape[1]))[2]
    balance = np.array([1 + (warm := float(rng.uniform(-0.09, 0.12))), 1.0, 1 - warm], np.float32)
    exposed = blurred * vignette[..., None] * balance * float(rng.uniform(1.0, 1.4))
    developed = 255 * np.clip(exposed / 255, 0, 1) ** float(rng.uniform(0.85, 1.15))
    noise = rng.standard_normal(image.shape, np.float32) * np.sqrt(3 + 0.06 * developed)
    return _rounded(np.asarray(developed + noise, np.float32))
