"""Drawing the report's pictures and packing them into the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from tasks.catalogue import say, t
from tasks.datasets import IGNORE, ImageError, MaskEncoding, Packed, decoded, read_image, read_label, webp_uri
from tasks.report.gallery.grid import DrawnBox, LegendEntry, Picture

CLIP_BYTES = 1_200_000  # a clip that is larger is packed more coarsely, and then smaller
_INDEX = MaskEncoding(kind="index", indices={i: i for i in range(256)})
_QUALITY = 85
_CLIP_QUALITIES = (75, 55, 35)
_SMALLER, _LEAST = 0.75, 96
_EFFORT = 3  # of WebP's 0 to 6, of a clip: more takes seconds for a few percent


def pack(picture: Picture, legend: Sequence[LegendEntry], width: int) -> Packed:
    """Draw a picture, scaled down to its share of ``width`` pixels where it is wider, as WebP.

    Label images and sharp pictures are packed without loss. A clip is animated, and at most about ``CLIP_BYTES`` large.
    """
    width = max(1, round(picture.scale * width))
    if picture.frames is not None:
        return _pack_clip(picture, width)
    try:
        image = draw(picture, legend, width)
    except ImageError as error:
        return Packed(None, missing=_unreadable(error))
    if image is None:
        return Packed(None, missing=picture.missing or t("pictures.none"))
    return Packed(webp_uri(image, _QUALITY, lossless=picture.label is not None or picture.sharp), *image.size)


def draw(picture: Picture, legend: Sequence[LegendEntry], width: int) -> Image.Image | None:
    """A picture, of a clip its first frame, at most ``width`` pixels wide; None where it is a placeholder.

    Raises:
        ImageError: it cannot be read.
    """
    smooth = Image.Resampling.NEAREST if picture.sharp else Image.Resampling.LANCZOS
    drawn = picture.pixels if picture.frames is None else picture.frames[0]
    if drawn is not None:
        return _scaled(Image.fromarray(drawn), width, smooth)
    if picture.label is not None:
        label = read_label(picture.label, picture.size)
        indices = decoded(label, picture.encoding or _INDEX, picture.label)
        return _scaled(Image.fromarray(_palette(legend)[indices]), width, Image.Resampling.NEAREST)
    if picture.image is None:
        return None
    image = Image.fromarray(read_image(picture.image))
    small = _scaled(image, width, smooth)
    _draw_boxes(small, picture.boxes, legend, small.width / image.width)
    return small


def animated(picture: Picture, width: int) -> tuple[bytes, tuple[int, int]]:
    """A clip as animated WebP, at most ``width`` pixels wide and about ``CLIP_BYTES`` large, and its size in pixels."""
    assert picture.frames is not None
    while True:
        frames = [_scaled(Image.fromarray(f), width, Image.Resampling.LANCZOS) for f in picture.frames]
        for quality in _CLIP_QUALITIES:
            content = _encoded(frames, picture.rate, quality)
            if len(content) <= CLIP_BYTES:
                return content, frames[0].size
        if frames[0].width <= _LEAST:
            return content, frames[0].size
        width = max(_LEAST, int(frames[0].width * _SMALLER))


def _encoded(frames: Sequence[Image.Image], rate: float, quality: int) -> bytes:
    stream = io.BytesIO()
    options = {"duration": round(1000 / rate), "loop": 0, "quality": quality, "method": _EFFORT}
    frames[0].save(stream, "WEBP", save_all=True, append_images=frames[1:], **options)
    return stream.getvalue()


def _pack_clip(picture: Picture, width: int) -> Packed:
    content, size = animated(picture, width)
    return Packed("data:image/webp;base64," + base64.b64encode(content).decode(), *size)


def _unreadable(error: ImageError) -> str:
    """Which file cannot be shown, by name alone, and why."""
    return t("pictures.unreadable", file=error.file.name, reason=say(error.finding.below(error.file.parent)))


def _scaled(image: Image.Image, width: int, resampling: Image.Resampling) -> Image.Image:
    if image.width <= width:
        return image
    return image.resize((width, max(1, round(image.height * width / image.width))), resampling)


def _palette(legend: Sequence[LegendEntry]) -> np.ndarray:
    """Colours by class index, ``uint8 [256, 3]``; black for what is ignored or unknown."""
    table = np.zeros((IGNORE + 1, 3), np.uint8)
    for index, entry in enumerate(legend[:IGNORE]):
        table[index] = entry.color
    return table


def _draw_boxes(image: Image.Image, boxes: Sequence[DrawnBox], legend: Sequence[LegendEntry], scale: float) -> None:
    """Outline every box in its class's colour, on a dark edge that keeps it visible on any ground."""
    draw = ImageDraw.Draw(image)
    for box in boxes:
        x1, x2 = sorted((box.x1 * scale, box.x2 * scale))
        y1, y2 = sorted((box.y1 * scale, box.y2 * scale))
        color = legend[box.category].color if box.category < len(legend) else (255, 255, 255)
        draw.rectangle((x1 - 1, y1 - 1, x2 + 1, y2 + 1), outline=(0, 0, 0), width=4)
        draw.rectangle((x1, y1, x2, y2), outline=color, width=2)
