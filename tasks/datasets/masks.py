"""Decoding label images from a data set's own encoding to class indices."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tasks.datasets.images import ImageError, read_label

IGNORE = 255  # the index of pixels that belong to no class of the taxonomy


class MaskEncoding(BaseModel):
    """How a data set stores labels, and what each value means in the taxonomy.

    Attributes:
        kind: ``index``: the first channel (or a palette image's indices) holds an id; ``color``: an RGB colour is an
            id, packed as ``r << 16 | g << 8 | b``.
        indices: every value that the format defines -> class index 0-254, or 255 where the taxonomy ignores it.
            Any other value is unknown, which readers report.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["index", "color"]
    indices: dict[int, int]


def read_mask(path: Path, encoding: MaskEncoding) -> NDArray[np.uint8]:
    """Read a label image as class indices, ``uint8 [H, W]``; 255 is ignore, and so is every unknown value.

    Raises:
        ImageError: the file cannot be decoded as such a label image.
    """
    return _decode(_values(path, encoding.kind), encoding)


def checked_mask(path: Path, encoding: MaskEncoding) -> tuple[NDArray[np.uint8], dict[int, int]]:
    """``read_mask``, and the pixels of each value that the encoding does not define: value -> pixels.

    Raises:
        ImageError: the file cannot be decoded as such a label image.
    """
    values = _values(path, encoding.kind)
    mask = _decode(values, encoding)
    found, counts = np.unique(values[mask == IGNORE], return_counts=True)
    pairs = zip(found.tolist(), counts.tolist(), strict=True)
    return mask, {value: pixels for value, pixels in pairs if value not in encoding.indices}


def value_text(value: int, kind: str) -> str:
    """A mask's value as people write it: an id, or ``r,g,b``."""
    return f"{value >> 16},{value >> 8 & 255},{value & 255}" if kind == "color" else str(value)


def _decode(values: NDArray[np.int32], encoding: MaskEncoding) -> NDArray[np.uint8]:
    table = _table(encoding.kind, tuple(encoding.indices.items()))
    return table[np.minimum(values, len(table) - 1)]


def _values(path: Path, kind: str) -> NDArray[np.int32]:
    label = read_label(path)
    if kind == "index":
        return (label if label.ndim == 2 else label[..., 0]).astype(np.int32)
    if label.ndim == 2:
        raise ImageError(f"{path}: a colour label image is expected, but it has one channel")
    rgb = label.astype(np.int32)
    return (rgb[..., 0] << 16) | (rgb[..., 1] << 8) | rgb[..., 2]


@functools.lru_cache(maxsize=16)
def _table(kind: str, items: tuple[tuple[int, int], ...]) -> NDArray[np.uint8]:
    """Lookup table over all values (2^16 ids, 2^24 colours), IGNORE where undefined; the last entry stays IGNORE."""
    table = np.full((1 << 24 if kind == "color" else 1 << 16) + 1, IGNORE, np.uint8)
    for value, index in items:
        table[value] = index
    return table
