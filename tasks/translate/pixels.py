"""Reading images for translation: 8-bit RGB, or what becomes it without loss."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Finding
from tasks.datasets import ImageError, content_of, open_image

_EXACT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX")  # PIL's modes that become RGB without loss
_DEEP_MODES = ("I", "F")  # its modes of more than 8 bits, such as I;16
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH = 24  # where its header has the bits a channel
_PNG_END = b"IEND\xaeB`\x82"


class PixelError(ImageError):
    """An image that cannot be translated or trained on; the message names the file and what to do."""


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
    image = open_image(content, path)
    # PIL opens 16-bit colour as 8-bit RGB, cutting it silently; so a PNG's own header is asked.
    if image.mode.startswith(_DEEP_MODES) or (content.startswith(_PNG) and content[_PNG_DEPTH] == 16):
        return _decode_deep(content, path, keyed="transparency" in image.info)
    if image.mode not in _EXACT_MODES:
        raise PixelError(path, Finding.of("data.other_mode", mode=image.mode))
    if image.has_transparency_data:
        _check_alpha(np.asarray(image.convert("RGBA"))[..., 3], path)
    return np.asarray(image.convert("RGB"))


def _decode_deep(content: bytes, path: Path, keyed: bool) -> NDArray[np.uint8]:
    values = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    # v * 257 maps 0-255 to 0-65535 exactly; anything else would have to be rounded or tone-mapped.
    if values is None or values.dtype != np.uint16 or np.any(values % 257):
        raise PixelError(path, Finding.of("data.too_deep"))
    small = (values // 257).astype(np.uint8).reshape(*values.shape[:2], -1)  # grey, BGR or BGRA
    if keyed:
        raise PixelError(path, Finding.of("data.see_through"))
    if small.shape[2] == 4:
        _check_alpha(small[..., 3], path)
    return np.repeat(small, 3, axis=2) if small.shape[2] == 1 else np.ascontiguousarray(small[..., 2::-1])


def _check_alpha(alpha: NDArray[np.uint8], path: Path) -> None:
    if np.ptp(alpha):
        raise PixelError(path, Finding.of("data.see_through"))


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
    return head[:8] == _PNG and head[16:24] == size and tail == _PNG_END
