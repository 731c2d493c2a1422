"""Reading image files, with errors that name the file."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tasks.contracts import Finding
from tasks.datasets.errors import ImageError, reason_of
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
        raise ImageError(path, other_size((label.shape[1], label.shape[0]), size), "size")
    return label


def other_size(size: tuple[int, int], image: tuple[int, int]) -> Finding:
    """That a label is not of its image's size; both are width and height."""
    (width, height), (image_width, image_height) = size, image
    return Finding.of("data.other_size", width=width, height=height, image_width=image_width, image_height=image_height)


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
        raise ImageError(path, Finding.of("data.empty"))
    try:
        image = Image.open(io.BytesIO(content))
        image.load()
    except UnidentifiedImageError as error:
        raise ImageError(path, Finding.of("data.unknown_format")) from error
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError) as error:
        raise ImageError(path, Finding.of("data.not_decodable", problem=reason_of(error))) from error
    return image


def content_of(path: Path) -> bytes:
    """The bytes of an image file, which may lie in a zip archive.

    Raises:
        ImageError: there is no such file, or it cannot be read.
    """
    try:
        return read_bytes(path)
    except FileNotFoundError:
        raise ImageError(path, Finding.of("data.no_such_file"), "found") from None
    except OSError as error:
        raise ImageError(path, Finding.of("data.not_readable", problem=reason_of(error)), "found") from error
