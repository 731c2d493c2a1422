"""Drawing the report's pictures and packing them into the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from tasks.datasets.errors import ImageError
from tasks.datasets.images import read_image
from tasks.datasets.masks import IGNORE, MaskEncoding, read_mask
from tasks.datasets.pages import Packed, webp_uri
from tasks.report.gallery.grid import DrawnBox, LegendEntry, Picture

_INDEX = MaskEncoding(kind="index", indices={i: i for i in range(256)})
_QUALITY = 85


def pack(picture: Picture, legend: Sequence[LegendEntry], width: int) -> Packed:
    """Draw a picture, scaled down to ``width`` pixels where it is wider, as WebP (label images without loss)."""
    if picture.image is None and picture.label is None:
        return Packed(None, missing=picture.missing or "no picture")
    try:
        image = _draw(picture, legend, width)
    except ImageError as error:
        path = picture.image or picture.label
        return Packed(None, missing=str(error).replace(str(path), path.name) if path else str(error))
    return Packed(webp_uri(image, _QUALITY, lossless=picture.label is not None), *image.size)


def _draw(picture: Picture, legend: Sequence[LegendEntry], width: int) -> Image.Image:
    if picture.label is not None:
        indices = read_mask(picture.label, picture.encoding or _INDEX)
        return _scaled(Image.fromarray(_palette(legend)[indices]), width, Image.Resampling.NEAREST)
    assert picture.image is not None
    image = Image.fromarray(read_image(picture.image))
    small = _scaled(image, width, Image.Resampling.LANCZOS)
    _draw_boxes(small, picture.boxes, legend, small.width / image.width)
    return small


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
