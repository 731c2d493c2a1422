"""Reading image files, with errors that name the file."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tasks.datasets.errors import ImageError
from tasks.datasets.files import read_bytes


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image as RGB, ``uint8 [H, W, 3]``, 0-255. An alpha channel is dropped, grey is repeated.

    Raises:
        ImageError: missing, empty, truncated or not an image.
    """
    return np.asarray(open_image(content_of(path), path).convert("RGB"))


def read_label(path: Path, size: tuple[int, int] | None = None) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Read a label image unchanged: ``[H, W]`` of ids (palette indices stay indices) or ``[H, W, 3]`` of RGB.

    Args:
        path: the file.
        size: the width and height that it must have, its image's.

    Raises:
        ImageError: missing, empty, truncated, not an image, or of another size.
    """
    label = label_of(content_of(path), path)
    if size is not None and label.shape[:2] != size[::-1]:
        raise ImageError(path, f"is {label.shape[1]}x{label.shape[0]}, but its image {size[0]}x{size[1]}", "size")
    return label


def label_of(content: bytes, path: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """``read_label`` of a file's content; ``path`` is for the error."""
    image = open_image(content, path)
    array = np.asarray(image.convert("RGB") if image.mode == "RGBA" else image)
    if array.ndim == 3 and array.shape[2] == 2:  # grey with alpha
        array = array[..., 0]
    return array.astype(np.uint16) if array.dtype.itemsize > 1 else array.astype(np.uint8, copy=False)


def open_image(content: bytes, path: Path) -> Image.Image:
    """Decode an image file's content in full; ``path`` is for the error.

    Raises:
        ImageError: empty, truncated or not an image.
    """
    if not content:
        raise ImageError(path, "is empty (0 bytes)")
    try:
        image = Image.open(io.BytesIO(content))
        image.load()
    except UnidentifiedImageError as error:
        raise ImageError(path, "cannot be decoded (its format is not known)") from error
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError) as error:
        raise ImageError(path, f"cannot be decoded ({error or type(error).__name__})") from error
    return image


def content_of(path: Path) -> bytes:
    """The bytes of an image file, which may lie in a zip archive.

    Raises:
        ImageError: there is no such file, or it cannot be read.
    """
    try:
        return read_bytes(path)
    except FileNotFoundError:
        raise ImageError(path, "no such file", "found") from None
    except OSError as error:
        raise ImageError(path, f"cannot be read ({error.strerror or error})", "found") from error
