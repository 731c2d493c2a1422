"""Translation at a width of its own: images are shrunk before, and what comes out is brought back to their size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.translate.sections.learned import MINIMUM, Learned

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]

_RADIUS = 2  # pixels, at translation's size
_EPSILON = 1e-4  # (1/100 of the range) squared: below such contrast the guide is noise
_AT_ONCE = 4  # channels that OpenCV resizes together


@dataclass(frozen=True)
class AppliedWidth:
    """Translation at a width.

    Attributes:
        width: in pixels; narrower images stay as they are.
        upsampling: ``guided``, by ``guided_upsampling``, or ``lanczos``.
        minimum: the smallest side that a translator takes; an image is shrunk no further.
    """

    width: int
    upsampling: Literal["guided", "lanczos"]
    minimum: int

    @classmethod
    def of(cls, config: Learned) -> Self | None:
        """That of a configuration; None for images' own."""
        return cls(config.apply_width, config.apply_upsampling, MINIMUM) if config.apply_width else None

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height at translation of an image of these, in pixels: of the same shape, up to rounding."""
        share = min(1.0, max(self.width / width, self.minimum / min(width, height)))
        return max(self.minimum, round(width * share)), max(self.minimum, round(height * share))

    def shrunk(self, image: Image) -> Image:
        """An image ``[H, W, 3]`` at translation's size, by the mean over areas, as at training."""
        height, width = image.shape[:2]
        if (size := self.size(width, height)) == (width, height):
            return image
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)

    def restored(self, translated: Image, shrunk: Image, source: Image) -> Image:
        """What was translated at the size of ``shrunk``, at that of ``source``."""
        if translated.shape == source.shape:
            return translated
        if self.upsampling == "guided":
            return guided_upsampling(translated, shrunk, source)
        size = (source.shape[1], source.shape[0])
        return np.asarray(cv2.resize(translated, size, interpolation=cv2.INTER_LANCZOS4), np.uint8)


def guided_upsampling(translated: Image, shrunk: Image, source: Image) -> Image:
    """Bring a translation to its source's size, with the source's detail.

    In every small window the translation is fitted by an affine function of the source's colours; these functions,
    not the pixels, are interpolated, and applied to the source at full size (K. He, J. Sun, X. Tang, "Guided Image
    Filtering", ECCV 2010, with a guide in colour; K. He, J. Sun, "Fast Guided Filter", 2015). What of the translation
    no such function explains is interpolated itself and added, so that nothing of it is lost.

    Args:
        translated, shrunk: the translation and its source, ``uint8 [h, w, 3]``. source: ``uint8 [H, W, 3]``.

    Returns:
        ``uint8 [H, W, 3]``.
    """
    guide, wanted, full = (np.divide(x, 255, dtype=np.float32) for x in (shrunk, translated, source))
    matrix, offset = _fitted(guide, wanted)
    rest = wanted - _applied(matrix, offset, guide)
    size = (source.shape[1], source.shape[0])
    large = _resized(matrix.reshape(*guide.shape[:2], 9), size, cv2.INTER_LINEAR).reshape(*full.shape[:2], 3, 3)
    result = _applied(large, _resized(offset, size, cv2.INTER_LINEAR), full)
    result += _resized(rest, size, cv2.INTER_CUBIC)
    return np.asarray((result * 255).round().clip(0, 255), np.uint8)


def _fitted(guide: Plane, wanted: Plane) -> tuple[Plane, Plane]:
    """Matrices ``[h, w, 3, 3]`` and offsets ``[h, w, 3]`` from guide to wanted, by ridge regression in each window."""
    height, width = guide.shape[:2]
    mean, aim = _box(guide), _box(wanted)
    products = guide[..., :, None] * np.concatenate([guide, wanted], 2)[..., None, :]
    means = mean[..., :, None] * np.concatenate([mean, aim], 2)[..., None, :]
    both = _box(products.reshape(height, width, 18)).reshape(height, width, 3, 6) - means
    spread = both[..., :3] + _EPSILON * np.eye(3, dtype=np.float32)
    matrix = np.linalg.solve(spread, both[..., 3:]).transpose(0, 1, 3, 2)
    offset = aim - np.einsum("hwij,hwj->hwi", matrix, mean)
    return _box(matrix.reshape(height, width, 9)).reshape(matrix.shape), _box(offset)


def _applied(matrix: Plane, offset: Plane, colours: Plane) -> Plane:
    return np.asarray(np.einsum("hwij,hwj->hwi", matrix, colours) + offset, np.float32)


def _box(planes: Plane) -> Plane:
    side = 2 * _RADIUS + 1
    return np.asarray(cv2.blur(planes, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)


def _resized(planes: Plane, size: tuple[int, int], mode: int) -> Plane:
    parts = [planes[..., k : k + _AT_ONCE] for k in range(0, planes.shape[2], _AT_ONCE)]
    found = [cv2.resize(np.ascontiguousarray(part), size, interpolation=mode) for part in parts]
    return np.concatenate([f.reshape(size[1], size[0], -1) for f in found], 2)
