"""Training crops as a function of (seed, step): nothing to save, so a resumed training sees what it would have seen."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.datasets.table import SampleTable
from tasks.translate.ahead import ahead
from tasks.translate.config import Training
from tasks.translate.pixels import PixelError, read_exact


@dataclass(frozen=True)
class Side:
    """The images of one side, source or target."""

    name: str
    paths: tuple[Path, ...]
    training: Training

    @classmethod
    def of(cls, name: str, table: SampleTable, training: Training) -> Side:
        """The side of a table's images, in its order."""
        if not len(table):
            raise ValueError(f"the {name} set has no images to train on")
        return cls(name, tuple(s.image for s in table), training)

    def image(self, index: int) -> NDArray[np.uint8]:
        """An image at training size, ``uint8 [H, W, 3]``."""
        pixels, width = read_exact(self.paths[index]), self.training.width
        if width is not None and width != pixels.shape[1]:
            height = round(pixels.shape[0] * width / pixels.shape[1])
            shrinks = width < pixels.shape[1]
            mode = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
            pixels = cv2.resize(pixels, (width, height), interpolation=mode)  # type: ignore[assignment]
        return pixels

    def crop(self, position: int) -> NDArray[np.uint8]:
        """The crop at this place of the endless, shuffled-by-epoch sequence of crops, ``uint8 [crop, crop, 3]``."""
        size, salt = self.training.crop, (self.training.seed, *self.name.encode())
        epoch, offset = divmod(position, len(self.paths))
        index = _order(salt, epoch, len(self.paths))[offset]
        pixels = self.image(index)
        height, width = pixels.shape[:2]
        if height < size or width < size:
            raise PixelError(
                self.paths[index],
                f"{width}x{height} at training size, smaller than the {size}x{size} crops: "
                "lower training.crop or raise training.width",
                "size",
            )
        top, left = np.random.default_rng([*salt, 1, position]).integers(0, [height - size + 1, width - size + 1])
        return pixels[top : top + size, left : left + size]


@functools.lru_cache(maxsize=8)
def _order(salt: tuple[int, ...], epoch: int, count: int) -> tuple[int, ...]:
    return tuple(np.random.default_rng([*salt, 0, epoch]).permutation(count).tolist())


def crop_batches(
    source: Side, target: Side, steps: range
) -> Iterator[tuple[int, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Yield (step, source crops, target crops), crops ``uint8 [N, crop, crop, 3]``, read ahead by threads."""
    size = source.training.batch

    def batch(step: int) -> tuple[int, NDArray[np.uint8], NDArray[np.uint8]]:
        places = range(step * size, (step + 1) * size)
        return step, np.stack([source.crop(p) for p in places]), np.stack([target.crop(p) for p in places])

    return ahead(batch, steps)
