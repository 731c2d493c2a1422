"""Y. Yang, S. Soatto: "FDA: Fourier Domain Adaptation for Semantic Segmentation", CVPR 2020.

The amplitude of a source image's lowest frequencies is replaced by that of a target image; its phase, where the shapes
are, stays. The swapped window reaches ``b = floor(beta * shorter side)`` frequencies from 0 in both directions; with
b = 0 nothing is swapped.
"""

from __future__ import annotations

import zlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.datasets import SampleTable, read_image
from tasks.translate.methods.base import Image, PerImage, Resources
from tasks.translate.sections.fda import Fda


class FdaTranslator(PerImage):
    """Swaps amplitudes with a target image that the seed and the sample's id choose, resized to the source's size."""

    def __init__(self, target: SampleTable, beta: float, seed: int) -> None:
        self.target = target
        self.beta = beta
        self.seed = seed

    def translate(self, image: Image, sample_id: str) -> Image:
        reach = int(self.beta * min(image.shape[:2]))
        if reach == 0:
            return image
        choice = np.random.default_rng([self.seed, zlib.crc32(sample_id.encode())]).integers(len(self.target))
        target = _resize(read_image(self.target[int(choice)].image), image.shape[1], image.shape[0])
        return swap_amplitudes(image, target, reach)


def load(config: Fda, resources: Resources) -> FdaTranslator:
    """Make the translator."""
    if not resources.target:
        raise ValueError("fda needs target images, and there are none")
    return FdaTranslator(resources.target, config.beta, config.seed)


def swap_amplitudes(image: Image, target: Image, reach: int) -> Image:
    """Give ``image`` the amplitudes of ``target`` (same size) at all frequencies up to ``reach`` in both directions."""
    spectrum, style = _spectrum(image), _spectrum(target)
    for rows in (slice(0, reach + 1), slice(-reach, None)):  # frequencies 0..b and -b..-1; columns hold 0 and up only
        window = spectrum[rows, : reach + 1]
        phase = window / np.maximum(np.abs(window), 1e-12)
        # Where the source has no amplitude its phase is undefined: 0 keeps the image real.
        phase[np.abs(window) < 1e-12] = 1
        spectrum[rows, : reach + 1] = np.abs(style[rows, : reach + 1]) * phase
    swapped = np.fft.irfft2(spectrum, s=image.shape[:2], axes=(0, 1))
    return np.rint(np.clip(swapped, 0, 255)).astype(np.uint8)


def _spectrum(image: Image) -> NDArray[np.complexfloating[Any, Any]]:
    return np.fft.rfft2(image.astype(np.float32), axes=(0, 1))


def _resize(image: Image, width: int, height: int) -> Image:
    shrinks = width * height < image.shape[0] * image.shape[1]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)  # type: ignore[return-value]
