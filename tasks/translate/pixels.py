"""Reading images for translation: 8-bit RGB, or what becomes it without loss."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.datasets.errors import ImageError
from tasks.datasets.images import content_of, open_image

_DEEP_MODES = ("I", "F")  # PIL's modes of more than 8 bits, such as I;16
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH = 24  # where its header has the bits a channel
_PNG_END = b"IEND\xaeB`\x82"


class PixelError(ImageError):
    """An image that cannot be translated or trained on; the message names the file and what to do."""


def read_exact(path: Path) -> NDArray[np.uint8]:
    """Read an image as RGB, ``uint8 [H, W, 3]``. Grey is repeated, alpha dropped, 16 bits that hold 8 are reduced.

    Raises:
        ImageError: it cannot be decoded, or its 16-bit values are not 8-bit values in disguise.
    """
    content = content_of(path)
    if _is_deep(content, path):
        return _read_deep(content, path)
    return np.asarray(open_image(content, path).convert("RGB"))


def _is_deep(content: bytes, path: Path) -> bool:
    """PIL opens 16-bit colour as 8-bit RGB, cutting it silently; so a PNG's own header is asked."""
    if content.startswith(_PNG) and len(content) > _PNG_DEPTH:
        return content[_PNG_DEPTH] == 16
    return open_image(content, path).mode.startswith(_DEEP_MODES)


def _read_deep(content: bytes, path: Path) -> NDArray[np.uint8]:
    values = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    # v * 257 maps 0-255 to 0-65535 exactly; anything else would have to be rounded or tone-mapped.
    if values is None or values.dtype != np.uint16 or np.any(values % 257):
        raise PixelError(path, "more than 8 bits a channel: convert it to an 8-bit image first")
    small = (values // 257).astype(np.uint8)
    if small.ndim == 2 or small.shape[2] == 1:
        return np.repeat(small.reshape(*small.shape[:2], 1), 3, axis=2)
    return np.ascontiguousarray(small[..., 2::-1])  # BGR or BGRA


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
