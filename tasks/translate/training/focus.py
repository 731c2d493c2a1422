"""Where thin classes and small boxes are: what a class-aware training crop is placed on.

A uniform crop of a street scene seldom holds a traffic light, and what the networks seldom see, translation loses.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.datasets import SampleTable, read_mask

SHARE = 0.5  # of all crops
_RAREST = 0.001  # a share of the pixels; what is rarer counts as this, or one odd image would be all that is seen
_SMALL = 32**2  # a box below this area, in pixels at training size, is small (COCO's bound)
_PLACES = 64  # pixels of a class that are remembered for an image, 1 kB
_REMEMBERED = 1 << 15  # images and classes


@dataclass(frozen=True, slots=True)
class Spot:
    """What a crop shall show: an image's index, and a box in it, in shares of its width and height."""

    index: int
    x1: float
    y1: float
    x2: float
    y2: float

    def corner(self, rng: np.random.Generator, height: int, width: int, size: int) -> tuple[int, int]:
        """The top left corner of a random crop of an image of this size that holds the box, or lies in it."""
        return _start(rng, self.y1, self.y2, height, size), _start(rng, self.x1, self.x2, width, size)


class Focus:
    """Draws what class-aware crops show: pure functions of (salt, position), for any thread.

    With probability ``SHARE`` a crop shows a class, or a small box. Classes are drawn inversely to their pixels'
    frequency in the set, and small boxes, by the area of all of them, as if they were one more class.
    The table's ``class_pixels`` say which images show a class; a mask is read for the place alone, and only once.

    Args:
        table: the set.
        pixels: its pixels by image and class, ``[N, classes]``.
        boxes: its small boxes, ``[M, 5]``: image index and x1, y1, x2, y2 in shares of that image's size.
        area: of all small boxes together, in pixels.
        salt: what the draws depend on, beside a position.
    """

    def __init__(
        self,
        table: SampleTable,
        pixels: NDArray[np.int32],
        boxes: NDArray[np.float64],
        area: float,
        salt: tuple[int, ...],
    ) -> None:
        self._table, self._pixels, self._boxes, self._salt = table, pixels, boxes, salt
        self._probabilities = _probabilities(table, pixels, area)
        self._showing = functools.lru_cache(None)(self._find_images)
        self._places = functools.lru_cache(_REMEMBERED)(self._find_places)

    @classmethod
    def of(cls, table: SampleTable, width: int | None, salt: tuple[int, ...]) -> Focus | None:
        """The focus of a set whose images are resized to ``width``; None if no class or small box is labelled in it."""
        pixels, (boxes, area) = _class_pixels(table), _small_boxes(table, width)
        return cls(table, pixels, boxes, area, salt) if pixels.any() or len(boxes) else None

    def spot(self, position: int) -> Spot | None:
        """What the crop at this position shall show, or None where it is to be uniform."""
        rng = np.random.default_rng([*self._salt, 2, position])
        if rng.random() >= SHARE:
            return None
        kind = int(rng.choice(len(self._probabilities), p=self._probabilities))
        if kind == len(self._probabilities) - 1:
            index, *box = self._boxes[rng.integers(len(self._boxes))].tolist()
            return Spot(int(index), *box)
        images = self._showing(kind)
        index = int(images[rng.integers(len(images))])
        places = self._places(index, kind)
        if not len(places):  # the mask is not the one that was counted
            return None
        x, y = places[rng.integers(len(places))].tolist()
        return Spot(index, x, y, x, y)

    def _find_images(self, kind: int) -> NDArray[np.int64]:
        return np.flatnonzero(self._pixels[:, kind])

    def _find_places(self, index: int, kind: int) -> NDArray[np.float64]:
        """Centres of some of an image's pixels of a class, ``[K, 2]`` (x, y) in shares of its size."""
        encoding, mask = self._table.info.encoding, self._table[index].mask
        assert encoding is not None, "what has class_pixels has masks"
        assert mask is not None, "what has class_pixels has a mask"
        indices = read_mask(mask, encoding)
        found = np.flatnonzero(indices == kind)
        if len(found) > _PLACES:
            rng = np.random.default_rng([*self._salt, 3, index, kind])
            found = rng.choice(found, _PLACES, replace=False)
        y, x = np.divmod(found, indices.shape[1])
        return np.stack([(x + 0.5) / indices.shape[1], (y + 0.5) / indices.shape[0]], axis=1)


def _probabilities(table: SampleTable, pixels: NDArray[np.int32], area: float) -> NDArray[np.float64]:
    """How often each class is drawn, and, last, a small box."""
    images = _column(table, "width").astype(np.int64) * _column(table, "height")
    by_class = pixels.sum(axis=0, dtype=np.int64) / max(1, images[pixels.any(axis=1)].sum())
    frequency = np.append(by_class, area / images.sum())
    weights = (frequency > 0) / np.maximum(frequency, _RAREST)
    return np.asarray(weights / weights.sum())


def _start(rng: np.random.Generator, low: float, high: float, extent: int, size: int) -> int:
    """Where a crop may begin along one axis; low and high are shares of the extent."""
    first = min(int(low * extent), extent - 1)
    last = max(math.ceil(high * extent), first + 1)
    earliest, latest = sorted((last - size, first))
    return int(rng.integers(max(0, earliest), min(latest, extent - size) + 1))


def _class_pixels(table: SampleTable) -> NDArray[np.int32]:
    """Pixels by image and class, ``[N, classes]``; 0 where an image has no mask."""
    column = _chunk(table, "class_pixels")
    pixels = np.zeros((len(table), len(table.info.classes)), np.int32)
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    pixels[valid] = column.drop_null().flatten().to_numpy(zero_copy_only=False).reshape(-1, pixels.shape[1])
    return pixels


def _small_boxes(table: SampleTable, width: int | None) -> tuple[NDArray[np.float64], float]:
    """Small boxes, ``[N, 5]``: image index and x1, y1, x2, y2 in shares of its size; and their area, in pixels."""
    column = _chunk(table, "boxes")
    index = pc.list_parent_indices(column).to_numpy()
    flat = column.flatten()
    x1, y1, x2, y2 = (flat.field(name).to_numpy().astype(np.float64) for name in ("x1", "y1", "x2", "y2"))
    widths, heights = _column(table, "width")[index], _column(table, "height")[index]
    area = (x2 - x1) * (y2 - y1)
    scale = 1 if width is None else width / widths
    small = (area * scale**2 < _SMALL) & ~flat.field("crowd").to_numpy(zero_copy_only=False)
    boxes = np.stack([index, x1 / widths, y1 / heights, x2 / widths, y2 / heights], axis=1)
    return boxes[small], float(area[small].sum())


def _chunk(table: SampleTable, name: str) -> Any:
    chunks = table.rows[name].combine_chunks()
    return pa.concat_arrays(chunks.chunks) if isinstance(chunks, pa.ChunkedArray) else chunks


def _column(table: SampleTable, name: str) -> NDArray[Any]:
    column: NDArray[Any] = table.rows[name].to_numpy()
    return column
