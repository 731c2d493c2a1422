"""Reading image files, with errors that name the file: the one place that decodes images, and the one for labels.

Both are exact or rejected. What a file's EXIF orientation says is applied: labels are in displayed coordinates.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tasks.contracts import Finding
from tasks.datasets.errors import ImageError, reason_of
from tasks.datasets.files import read_bytes
from tasks.datasets.png import PNG, fault

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")  # of the images of plain folders
OTHER_PICTURES = (  # which no reader takes for an image, and none passes over in silence
    *(".avif", ".dng", ".exr", ".gif", ".hdr", ".heic", ".heif", ".jfif", ".jp2", ".jxl", ".pbm", ".pgm", ".ppm"),
    *(".raw", ".tga"),
)
_PNG_DEPTH = 24  # where its header has the bits a channel
_EXACT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX")  # PIL's modes that become RGB without loss
_DEEP_MODES = ("I", "F")  # its modes of more than 8 bits, such as I;16
_MAX_ID = 65535
assert Image.MAX_IMAGE_PIXELS is not None
_LARGEST = 2 * 3 * Image.MAX_IMAGE_PIXELS  # bytes of a file: RGB of the most pixels that PIL decodes, uncompressed
_LOSSY_WEBP = b"VP8 "  # the kind of its first chunk, at 12
_ORIENTATION = 0x0112  # EXIF's tag
_TURNS = {  # its values (EXIF 2.3, 4.6.4 A) -> what makes the image upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class PixelError(ImageError):
    """An image that cannot be translated or trained on; the message names the file and what to do."""


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image as RGB, ``uint8 [H, W, 3]``, 0-255; grey is repeated, a palette looked up.

    An alpha channel is dropped that is the same everywhere: simulators save some that says nothing.

    Raises:
        ImageError: missing, empty, damaged or not an image.
        PixelError: it does not become 8-bit RGB without loss (see ``picture_of``).
    """
    return rgb_of(content_of(path), path)


def rgb_of(content: bytes, path: Path) -> NDArray[np.uint8]:
    """``read_image`` of a file's content; ``path`` is for the error."""
    return np.asarray(picture_of(content, path).convert("RGB"))


def picture_of(content: bytes, path: Path) -> Image.Image:
    """Decode an image that becomes 8-bit RGB without loss; 16 bits that hold 8 are reduced. ``path`` is for the error.

    Raises:
        ImageError: empty, damaged or not an image.
        PixelError: some of its pixels are more transparent than others, its 16-bit values are not 8-bit values in
            disguise, or its colours are not RGB (CMYK: which RGB they are depends on a profile).
    """
    image = _decoded(content, path)
    turn = _turn(image)
    if image.mode.startswith(_DEEP_MODES) or _is_deep_png(content):
        image = Image.fromarray(_shallow(content, path, keyed="transparency" in image.info))
    elif image.mode not in _EXACT_MODES:
        raise PixelError(path, Finding.of("data.other_mode", mode=image.mode))
    elif image.has_transparency_data:
        _check_alpha(np.asarray(image.convert("RGBA"))[..., 3], path)
    return image if turn is None else image.transpose(turn)


def _is_deep_png(content: bytes) -> bool:
    """Whether it is a PNG of 16 bits a channel, which PIL opens as 8-bit RGB, cutting it silently."""
    return content.startswith(PNG) and content[_PNG_DEPTH] == 16


def _shallow(content: bytes, path: Path, keyed: bool) -> NDArray[np.uint8]:
    """The 8 bits that an image of 16 holds, as RGB; ``keyed``: one of its colours is transparent."""
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


def read_label(path: Path, size: tuple[int, int] | None = None) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Read a label image unchanged: ``[H, W]`` of ids (palette indices stay indices) or ``[H, W, 3]`` of RGB.

    Args:
        path: the file.
        size: the width and height that it must have, its image's.

    Raises:
        ImageError: missing, empty, damaged, not an image, of another size, or such that its values are not what was
            written: of a lossy format, no RGB, or beyond 16 bits.
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
    image = _decoded(content, path, strictly=True)
    # GIF is among them: its writers number the values anew.
    if image.format in ("GIF", "JPEG", "MPO", "JPEG2000", "AVIF") or (
        image.format == "WEBP" and content[12:16] == _LOSSY_WEBP
    ):
        raise ImageError(path, Finding.of("data.lossy_label", format=image.format))
    turn = _turn(image)
    if _is_deep_png(content) and image.mode in ("RGB", "RGBA"):
        return _deep_label(content, path)
    if not image.mode.startswith(_DEEP_MODES) and image.mode not in _EXACT_MODES:
        raise ImageError(path, Finding.of("data.label_mode", mode=image.mode))
    image = image if turn is None else image.transpose(turn)
    array = np.asarray(image.convert("RGB") if image.mode in ("RGBA", "RGBX") else image)
    if array.ndim == 3 and array.shape[2] == 2:  # grey with alpha
        array = array[..., 0]
    if array.dtype.itemsize == 1:
        return array.astype(np.uint8, copy=False)
    return _ids(array, path)


def _deep_label(content: bytes, path: Path) -> NDArray[np.uint16]:
    """The RGB of a PNG of 16 bits a channel, which OpenCV decodes exactly: to BGR or BGRA."""
    values = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.ndim != 3:
        raise ImageError(path, Finding.of("data.unknown_format"))
    rgb: NDArray[np.uint16] = np.ascontiguousarray(_ids(values, path)[..., 2::-1])
    return rgb


def _ids(values: NDArray[Any], path: Path) -> NDArray[np.uint16]:
    """Values of more than 8 bits as the ids that they are."""
    ids: NDArray[np.uint16] = np.clip(np.nan_to_num(values), 0, _MAX_ID).astype(np.uint16)
    if not np.array_equal(ids, values):
        raise ImageError(path, Finding.of("data.label_values", most=_MAX_ID))
    return ids


def open_image(content: bytes, path: Path) -> Image.Image:
    """Decode an image file's content in full, upright, to look at; ``path`` is for the error.

    Raises:
        ImageError: empty, truncated or not an image.
    """
    image = _decoded(content, path)
    turn = _turn(image)
    return image if turn is None else image.transpose(turn)


def is_turned(content: bytes, path: Path) -> bool:
    """Whether an image file's EXIF says that it is to be turned to be displayed.

    Raises:
        ImageError: not an image.
    """
    try:
        return _turn(Image.open(io.BytesIO(content))) is not None
    except UnidentifiedImageError as error:
        raise ImageError(path, Finding.of("data.unknown_format")) from error


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What makes an image upright; None where it is, or where its EXIF cannot be read, which no viewer shows turned."""
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, struct.error):
        return None


def _decoded(content: bytes, path: Path, strictly: bool = False) -> Image.Image:
    if not content:
        raise ImageError(path, Finding.of("data.empty"))
    if content.startswith(PNG) and (why := fault(content, strictly)) is not None:
        raise ImageError(path, Finding.of("data.not_decodable", problem=why))
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
        return read_bytes(path, _LARGEST)
    except FileNotFoundError:
        raise ImageError(path, Finding.of("data.no_such_file"), "found") from None
    except OSError as error:
        raise ImageError(path, Finding.of("data.not_readable", problem=reason_of(error)), "found") from error
