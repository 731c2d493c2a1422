"""Spatial priors: where in the image each class tends to be, and how that is drawn."""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.compute import with_progress
from tasks.datasets.errors import ImageError
from tasks.datasets.masks import read_mask
from tasks.datasets.select import subset
from tasks.datasets.table import Sample, SampleTable, TableInfo

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Priors:
    """Where in the image each class tends to be.

    Attributes:
        shares: of the images in which a pixel of a cell belongs to a class, ``float32 [classes, H, W]``, 0 to 1. Over
            the classes they add up to 1 less the ignored share. NaN where no mask could be read.
        images: how many masks they come from.
        problems: the masks that could not be read, and why.
    """

    shares: NDArray[np.float32]
    images: int
    problems: tuple[str, ...]


def spatial_priors(table: SampleTable, images: int, grid: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """The shares of ``read_priors``; masks that cannot be read are left out, with a warning in the log."""
    priors = read_priors(table, images, grid, seed)
    for problem in priors.problems:
        log.warning("left out of the spatial priors: %s", problem)
    return priors.shares


def read_priors(table: SampleTable, images: int, grid: tuple[int, int], seed: int) -> Priors:
    """Measure how often each class covers each cell of a coarse grid, over masks drawn at random.

    Every mask is stretched to the grid, whatever its aspect; a cell counts with the part of it that a class covers.

    Args:
        table: the samples; only those with a mask are drawn.
        images: how many masks at most.
        grid: its width and height in cells, such as ``(64, 36)``.
        seed: of the draw.
    """
    drawn = list(subset(table.labelled("masks"), images, seed)) if table.info.encoding is not None else []
    total = np.zeros((len(table.info.classes), grid[1], grid[0]), np.float32)

    def one(sample: Sample) -> NDArray[np.float32] | ImageError:
        try:
            return _coverage(mask_of(sample, table.info), len(total), grid)
        except ImageError as error:
            return error

    problems = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in with_progress(pool.map(one, drawn), len(drawn), f"masks of {table.info.dataset}"):
            if isinstance(found, ImageError):
                problems.append(str(found))
            else:
                total += found
    used = len(drawn) - len(problems)
    shares = np.asarray(total / used if used else np.full_like(total, np.nan), np.float32)
    return Priors(shares, used, tuple(problems))


def _coverage(mask: NDArray[np.uint8], classes: int, grid: tuple[int, int]) -> NDArray[np.float32]:
    covered = np.zeros((classes, grid[1], grid[0]), np.float32)
    present = np.flatnonzero(cv2.calcHist([mask], [0], None, [256], [0, 256]).ravel()[:classes])
    for index in present:
        covered[index] = cv2.resize((mask == index).astype(np.float32), grid, interpolation=cv2.INTER_AREA)
    return covered


def mask_of(sample: Sample, info: TableInfo) -> NDArray[np.uint8]:
    """A sample's mask as class indices, ``uint8 [H, W]``; the sample has one."""
    assert sample.mask is not None
    assert info.encoding is not None
    return read_mask(sample.mask, info.encoding)


def heat_position(share: NDArray[np.float32] | float) -> NDArray[np.float32]:
    """Where on the heat maps' scale, 0 to 1, a share stands: at its cube root, so that thin classes show."""
    return np.cbrt(np.asarray(share, np.float32))


def heat_map(shares: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Shares ``[H, W]``, 0 to 1, as colours RGB ``uint8 [H, W, 3]``: dark for 0, bright for 1 (viridis)."""
    levels = np.rint(255 * heat_position(shares)).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[..., ::-1], np.uint8)
