"""Reading images for translation: 8-bit RGB, or what becomes it without loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.datasets import PNG, check_alpha, content_of, picture_of

_PNG_END = b"IEND\xaeB`\x82"


def read_exact(path: Path) -> NDArray[np.uint8]:
    """Read an image, which may lie in a zip archive, as RGB, ``uint8 [H, W, 3]``, where that loses nothing.

    Grey is repeated, a palette looked up, 16 bits that hold 8 are reduced, and alpha is dropped that is the same
    everywhere: simulators save some that says nothing.

    Raises:
        ImageError: it cannot be read or decoded.
        PixelError: some of its pixels are more transparent than others, its 16-bit values are not 8-bit values in
            disguise, or its colours are not RGB (CMYK: which RGB they are depends on a profile).
    """
    return decode_exact(content_of(path), path)


def decode_exact(content: bytes, path: Path) -> NDArray[np.uint8]:
    """``read_exact`` of a file's content; ``path`` is for the error."""
    image = picture_of(content, path)
    if image.has_transparency_data:
        check_alpha(np.asarray(image.convert("RGBA"))[..., 3], path)
    return np.asarray(image.convert("RGB"))


def is_whole_png(path: Path, width: int, height: int) -> bool:
    """Whether a file is a PNG of this size whose last chunk is there."""
    try:
        with path.open("rb") as stream:
            head = stream.read(24)
            stream.seek(-len(_PNG_END), 2)
            tail = stream.read()
    except OSError:
        return False
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return head[:8] == PNG and head[16:24] == size and tail == _PNG_END
