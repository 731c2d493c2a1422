"""Training crops as a function of (seed, step): nothing to save, so a resumed training sees what it would have seen."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.compute import ahead
from tasks.contracts import Finding
from tasks.datasets import PixelError, SampleTable, read_image
from tasks.translate.errors import TranslatorError
from tasks.translate.sections.learned import Training
from tasks.translate.training.focus import Focus

log = logging.getLogger(__name__)
_SHOWN = 20  # of the images that are left out, so many are named in the log


@dataclass(frozen=True)
class TrainingImages:
    """The images of one side, source or target, and the crops of them; ``left_out`` are the ids of those too small."""

    name: str
    paths: tuple[Path, ...]
    training: Training
    focus: Focus | None = None
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, table: SampleTable, training: Training) -> TrainingImages:
        """The side of a table's images, in its order.

        Raises:
            TranslatorError: class-aware crops are wanted, and the source set has no labels.
            PixelError: no image is as large as the crops.
        """
        if not len(table):
            raise ValueError(f"the {name} set has no images to train on")
        table, left_out = _large_enough(table, training)
        if left_out:
            shown = ", ".join(left_out[:_SHOWN])
            log.warning("%s: %d images smaller than the crops are left out: %s", name, len(left_out), shown)
        focus = None
        if training.crops == "classes":
            focus = Focus.of(table, training.width, (training.seed, *name.encode()))
            if focus is None and name == "source":
                raise TranslatorError(
                    f"training.crops: 'classes' needs masks or small boxes, and {table.info.dataset} has none: "
                    "set it to 'uniform'"
                )
            if focus is None:
                log.info("the %s set has no labels: its crops are uniform", name)
        return cls(name, tuple(s.image for s in table), training, focus, left_out)

    def image(self, index: int) -> NDArray[np.uint8]:
        """An image at training size, ``uint8 [H, W, 3]``."""
        pixels, width = read_image(self.paths[index]), self.training.width
        if width is not None and width != pixels.shape[1]:
            height = self.training.loaded((pixels.shape[1], pixels.shape[0]))[1]
            shrinks = width < pixels.shape[1]
            mode = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
            pixels = cv2.resize(pixels, (width, height), interpolation=mode)  # type: ignore[assignment]
        return pixels

    def crop(self, position: int) -> NDArray[np.uint8]:
        """The crop at this place of the endless sequence of crops, ``uint8 [crop, crop, 3]``.

        Images are shuffled anew each epoch; where the focus says what to show, it names the image, too. With
        ``training.mirror``, half of the crops, drawn one by one, are mirrored left to right.
        """
        size, salt = self.training.crop, (self.training.seed, *self.name.encode())
        spot = self.focus.spot(position) if self.focus is not None else None
        if spot is None:
            epoch, offset = divmod(position, len(self.paths))
            index = _order(salt, epoch, len(self.paths))[offset]
        else:
            index = spot.index
        pixels = self.image(index)
        height, width = pixels.shape[:2]
        if height < size or width < size:
            raise _below_crop(self.paths[index], (width, height), size)
        rng = np.random.default_rng([*salt, 1, position])
        if spot is None:
            top, left = rng.integers(0, [height - size + 1, width - size + 1])
        else:
            top, left = spot.corner(rng, height, width, size)
        shown = pixels[top : top + size, left : left + size]
        return shown[:, ::-1] if self.training.mirror and rng.random() < 0.5 else shown


def _large_enough(table: SampleTable, training: Training) -> tuple[SampleTable, tuple[str, ...]]:
    """The rows whose images hold a crop, and the ids of the others.

    Raises:
        PixelError: there are no such rows.
    """
    fits = {size: min(training.loaded(size)) >= training.crop for size in table.sizes()}
    if all(fits.values()):
        return table, ()
    ids, widths, heights = (table.rows[name].to_pylist() for name in ("id", "width", "height"))
    kept = [i for i, size in enumerate(zip(widths, heights, strict=True)) if fits[size]]
    if not kept:
        raise _below_crop(table[0].image, training.loaded((widths[0], heights[0])), training.crop)
    return table.take(kept), tuple(sorted(set(ids) - {ids[i] for i in kept}))


def _below_crop(image: Path, size: tuple[int, int], crop: int) -> PixelError:
    return PixelError(image, Finding.of("data.below_crop", width=size[0], height=size[1], crop=crop), "size")


@functools.lru_cache(maxsize=8)
def _order(salt: tuple[int, ...], epoch: int, count: int) -> tuple[int, ...]:
    return tuple(np.random.default_rng([*salt, 0, epoch]).permutation(count).tolist())


def crop_batches(
    source: TrainingImages, target: TrainingImages, steps: range, rank: int = 0, ranks: int = 1
) -> Iterator[tuple[int, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Yield (step, source crops, target crops), crops ``uint8 [N, crop, crop, 3]``, read ahead by threads.

    A step's crops are its batches, one after the other; of each batch, a rank gets its equal share.
    """
    size, batches = source.training.batch, source.training.accumulate
    share = size // ranks

    def crops(step: int) -> tuple[int, NDArray[np.uint8], NDArray[np.uint8]]:
        starts = [(step * batches + k) * size + rank * share for k in range(batches)]
        places = [start + i for start in starts for i in range(share)]
        return step, np.stack([source.crop(p) for p in places]), np.stack([target.crop(p) for p in places])

    return ahead(crops, steps)
