"""Colour transfer between image sets: E. Reinhard et al., "Color Transfer between Images", IEEE CG&A 2001.

In CIELAB instead of the paper's l-alpha-beta. Each source image's channel means and standard deviations are moved to
those of the target set: the averages over its images of their own means and standard deviations, so that a translated
image has the contrast of a typical target image, not that of the whole set.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.compute import ahead
from tasks.datasets import SampleTable, read_image
from tasks.translate.methods.base import Image, PerImage, Resources
from tasks.translate.sections.reinhard import Reinhard

Statistics = tuple[NDArray[np.float64], NDArray[np.float64]]  # means and standard deviations of L, a, b
_FLAT = 1e-3  # a channel with less spread is constant: there is no contrast to scale


class ReinhardTranslator(PerImage):
    """Gives every image these channel means and standard deviations (CIELAB; L 0-100), up to clipping to RGB."""

    def __init__(self, statistics: Statistics) -> None:
        self.statistics = statistics

    def translate(self, image: Image, sample_id: str) -> Image:
        lab = _to_lab(image)
        mean, std = _statistics(lab)
        target_mean, target_std = self.statistics
        scale = np.where(std > _FLAT, target_std / np.maximum(std, _FLAT), 1.0)
        shifted = lab * scale.astype(np.float32) + (target_mean - mean * scale).astype(np.float32)
        rgb = cv2.cvtColor(shifted, cv2.COLOR_LAB2RGB)
        return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def load(config: Reinhard, resources: Resources) -> ReinhardTranslator:
    """Measure the target set and make the translator."""
    if not resources.target:
        raise ValueError("reinhard needs target images, and there are none")
    return ReinhardTranslator(set_statistics(resources.target, config.images, config.seed))


def set_statistics(table: SampleTable, count: int, seed: int) -> Statistics:
    """Average the CIELAB statistics of up to ``count`` images drawn from a table."""
    drawn = np.random.default_rng(seed).permutation(len(table))[:count]
    paths = [s.image for s in table.take(sorted(drawn.tolist()))]
    measured = list(ahead(lambda path: _statistics(_to_lab(read_image(path))), paths))
    return np.mean([m for m, _ in measured], axis=0), np.mean([s for _, s in measured], axis=0)


def _to_lab(image: Image) -> NDArray[np.float32]:
    lab: NDArray[np.float32] = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)  # type: ignore[assignment]
    return lab


def _statistics(lab: NDArray[np.float32]) -> Statistics:
    mean, std = cv2.meanStdDev(lab)
    return np.float64(mean).ravel(), np.float64(std).ravel()
