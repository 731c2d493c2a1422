"""Drawing on pictures: outlined regions, marked crops, headings. All images are RGB ``uint8 [H, W, 3]``."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
Flags = NDArray[np.bool_]

STRIKING = (255, 0, 200)  # magenta: neither sky, street, leaves nor brick
_DARK = (16, 16, 16)
_LEAST, _MOST = 480, 960  # pixels that what is outlined is drawn wide, so that lines are thin beside what they outline
_LINES = 320  # a picture's width over that of its lines
_TINT, _HATCH = 0.45, 3  # of a region's hatching: how strong, and one line in so many
_REACH = 4  # pixels between a crop's component and its corner marks
_BAR, _TEXT = 22, 14  # pixels of a heading and of its letters
_LATIN = 0x250  # the font has what is below


def canvas(image: Pixels) -> Pixels:
    """An image at a size that lines can be drawn on: enlarged by a whole factor, or scaled down."""
    height, width = image.shape[:2]
    if width > _MOST:
        return np.asarray(
            cv2.resize(image, (_MOST, max(1, round(height * _MOST / width))), interpolation=cv2.INTER_AREA)
        )
    times = -(-_LEAST // width)
    return image.repeat(times, 0).repeat(times, 1)


def outline(image: Pixels, region: Flags) -> Pixels:
    """An image with a region ``bool [h, w]`` hatched, and outlined in a striking colour on a dark edge."""
    drawn = canvas(image)
    height, width = drawn.shape[:2]
    inside = cv2.resize(region.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    line = max(1, round(width / _LINES))
    rows, columns = np.indices((height, width), sparse=True)
    hatched = (inside > 0) & ((rows + columns) // line % (2 * _HATCH) < _HATCH - 1)
    drawn[hatched] = np.rint((1 - _TINT) * drawn[hatched] + _TINT * np.array(STRIKING)).astype(np.uint8)
    contours, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    for color, thickness in ((_DARK, 2 * line), (STRIKING, line)):
        cv2.drawContours(drawn, contours, -1, color, thickness, cv2.LINE_AA)
    return drawn


def corners(crop: Pixels, box: tuple[int, int, int, int]) -> Pixels:
    """A crop with marks at the corners of a box (x1, y1, x2, y2; ends excluded), a few pixels off: nothing is hidden.

    Of a box that leaves the crop, they are on the crop's rim.
    """
    height, width = crop.shape[:2]
    x1, x2 = (min(max(x, 0), width - 1) for x in (box[0] - _REACH, box[2] + _REACH - 1))
    y1, y2 = (min(max(y, 0), height - 1) for y in (box[1] - _REACH, box[3] + _REACH - 1))
    arm = max(3, min(x2 - x1, y2 - y1) // 4)
    mark = np.zeros((height, width), np.uint8)
    for x, along in ((x1, 1), (x2, -1)):
        for y, down in ((y1, 1), (y2, -1)):
            cv2.line(mark, (x, y), (x + along * arm, y), 1)
            cv2.line(mark, (x, y), (x, y + down * arm), 1)
    drawn = crop.copy()
    edge = cv2.dilate(mark, np.ones((3, 3), np.uint8)) > 0
    edge[max(2, box[1]) : max(2, min(box[3], height - 2)), max(2, box[0]) : max(2, min(box[2], width - 2))] = False
    drawn[edge] = _DARK
    drawn[mark > 0] = STRIKING
    return drawn


def headed(image: Pixels, text: str) -> Pixels:
    """An image below a bar with a text."""
    bar = Image.new("RGB", (image.shape[1], _BAR), _DARK)
    font = ImageFont.load_default(_TEXT)
    ImageDraw.Draw(bar).text((6, _BAR // 2), text, fill=(255, 255, 255), font=font, anchor="lm")
    return np.vstack([np.asarray(bar), image])


def writable(text: str) -> bool:
    """Whether the font of ``headed`` has all of a text's letters: it is Latin."""
    return all(ord(c) < _LATIN and c.isprintable() for c in text)
