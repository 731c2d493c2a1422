"""Decoding label images from a data set's own encoding to class indices."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tasks.contracts import Finding
from tasks.datasets.errors import ImageError
from tasks.datasets.images import read_label

IGNORE = 255  # the index of pixels that belong to no class of the taxonomy
_UNKNOWN = 254  # in a lookup table only: a value that the encoding does not define
MAX_CLASSES = _UNKNOWN
_HIDE_UNKNOWN = np.arange(256, dtype=np.uint8)
_HIDE_UNKNOWN[_UNKNOWN] = IGNORE


class MaskEncoding(BaseModel):
    """How a data set stores labels, and what each value means in the taxonomy.

    Attributes:
        kind: ``index``: a pixel (or a palette image's index) is an id; ``color``: an RGB colour is an id, packed as
            ``r << 16 | g << 8 | b``.
        first_channel: of several channels, the first holds the id and the others something else, as CARLA writes them.
            Without it, channels that differ are those of a colour picture, which holds no ids.
        indices: every value that the format defines -> class index 0-253, or 255 where the taxonomy ignores it.
            Any other value is unknown, which readers report.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["index", "color"]
    first_channel: bool = False
    indices: dict[int, int]


def read_mask(path: Path, encoding: MaskEncoding) -> NDArray[np.uint8]:
    """Read a label image as class indices, ``uint8 [H, W]``; 255 is ignore, and so is every unknown value.

    Raises:
        ImageError: the file cannot be decoded as such a label image.
    """
    return decoded(read_label(path), encoding, path)


def decoded(label: NDArray[Any], encoding: MaskEncoding, path: Path) -> NDArray[np.uint8]:
    """The class indices ``uint8 [H, W]`` of a label image as ``read_label`` gives it; 255 for ignore and unknown.

    Raises:
        ImageError: it is not such a label image; ``path`` is for the message.
    """
    indices = _indices(_values(label, encoding, path), encoding)
    return cv2.LUT(indices, _HIDE_UNKNOWN)  # type: ignore[return-value]


def counted(label: NDArray[Any], encoding: MaskEncoding, path: Path) -> tuple[NDArray[np.int64], dict[int, int]]:
    """How many pixels of a label image have each class index, and each value that the encoding does not define.

    Returns:
        ``int64 [256]`` by index, where 255 holds ignored and unknown pixels, and unknown value -> pixels.

    Raises:
        ImageError: it is not such a label image; ``path`` is for the message.
    """
    values = _values(label, encoding, path)
    if values.dtype == np.uint8:  # by value first: no image of indices is needed
        by_value = _histogram(values)
        table = _lookup(encoding)[:256]
        pixels = np.bincount(table, by_value, 256).astype(np.int64)
        unknown = {v: int(by_value[v]) for v in np.flatnonzero((table == _UNKNOWN) & (by_value > 0)).tolist()}
    else:
        indices = _indices(values, encoding)
        pixels, unknown = _histogram(indices), {}
        if pixels[_UNKNOWN]:
            found, counts = np.unique(values[indices == _UNKNOWN], return_counts=True)
            unknown = dict(zip(found.tolist(), counts.tolist(), strict=True))
    pixels[IGNORE] += pixels[_UNKNOWN]
    pixels[_UNKNOWN] = 0
    return pixels, unknown


def value_text(value: int, kind: str) -> str:
    """A mask's value as people write it: an id, or ``r,g,b``."""
    return f"{value >> 16},{value >> 8 & 255},{value & 255}" if kind == "color" else str(value)


def one_channel(label: NDArray[Any], path: Path) -> NDArray[Any]:
    """The ids ``[H, W]`` of a label image, whose channels are equal where it has several.

    Raises:
        ImageError: they differ: it is a colour picture; ``path`` is for the message.
    """
    if label.ndim == 3:
        if (label != label[..., :1]).any():
            raise ImageError(path, Finding.of("data.colour_picture"), "classes")
        label = np.ascontiguousarray(label[..., 0])
    return label


def _values(label: NDArray[Any], encoding: MaskEncoding, path: Path) -> NDArray[Any]:
    if encoding.kind == "index":
        if encoding.first_channel and label.ndim == 3:
            return np.ascontiguousarray(label[..., 0])
        return one_channel(label, path)
    if label.ndim == 2 or label.dtype != np.uint8:
        raise ImageError(path, Finding.of("data.no_colour_label"))
    rgb = label.astype(np.int32)
    return (rgb[..., 0] << 16) | (rgb[..., 1] << 8) | rgb[..., 2]


def _indices(values: NDArray[Any], encoding: MaskEncoding) -> NDArray[np.uint8]:
    """Class indices, with _UNKNOWN where a value is not defined."""
    table = _lookup(encoding)
    return cv2.LUT(values, table[:256]) if values.dtype == np.uint8 else table[values]  # type: ignore[return-value]


def _histogram(values: NDArray[np.uint8]) -> NDArray[np.int64]:
    return cv2.calcHist([values], [0], None, [256], [0, 256]).ravel().astype(np.int64)


def _lookup(encoding: MaskEncoding) -> NDArray[np.uint8]:
    return _table(encoding.kind, tuple(encoding.indices.items()))


@functools.lru_cache(maxsize=16)
def _table(kind: str, items: tuple[tuple[int, int], ...]) -> NDArray[np.uint8]:
    """Lookup table over all values (2^16 ids, 2^24 colours), _UNKNOWN where undefined."""
    table = np.full(1 << 24 if kind == "color" else 1 << 16, _UNKNOWN, np.uint8)
    for value, index in items:
        table[value] = index
    return table
