"""The report's pictures as plain data: what is shown beside what."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from tasks.contracts import Frozen
from tasks.datasets import MaskEncoding

Kind = Literal["strip", "datasets", "translation", "real", "nearest", "flips", "lost", "clip", "predictions"]


class GridPart(Frozen):
    """Base of the grids' parts, which hold pixels."""

    model_config = ConfigDict(arbitrary_types_allowed=True)


class LegendEntry(GridPart):
    """A class and its RGB colour (0-255)."""

    name: str
    color: tuple[int, int, int]


class DrawnBox(GridPart):
    """A box in pixels of the original image; ``category`` is an index into the legend."""

    category: int
    x1: float
    y1: float
    x2: float
    y2: float


class Picture(GridPart):
    """A picture of a grid: an image, a label image in the legend's colours, an image with boxes, or a drawn one.

    Paths stay out of ``report.json``: they lead into the store of one machine. So does whatever is drawn; neither is
    in its schema.

    Attributes:
        caption: what it shows.
        image: the photograph. label: a label image, drawn in its place; encoding: how that is decoded, None where
            its values are class indices already; size: the width and height that it must have, its image's.
        boxes: drawn over the image.
        pixels: of a drawn picture, RGB ``uint8 [H, W, 3]``. frames: of a clip, the same ``[N, H, W, 3]``, shown at
            ``rate`` frames a second.
        sharp: keep every pixel as it is: no lossy packing, enlarged without smoothing, as of labels and small crops.
        scale: how wide it is in the page, as a share of the width that pictures have: less than 1 where many stand in
            a row, more where it is several pictures in one.
        missing: why there is no picture.
    """

    caption: str
    image: SkipJsonSchema[Path | None] = Field(default=None, exclude=True)
    label: SkipJsonSchema[Path | None] = Field(default=None, exclude=True)
    encoding: SkipJsonSchema[MaskEncoding | None] = Field(default=None, exclude=True)
    size: SkipJsonSchema[tuple[int, int] | None] = Field(default=None, exclude=True)
    boxes: SkipJsonSchema[tuple[DrawnBox, ...]] = Field(default=(), exclude=True)
    pixels: SkipJsonSchema[NDArray[np.uint8] | None] = Field(default=None, exclude=True)
    frames: SkipJsonSchema[NDArray[np.uint8] | None] = Field(default=None, exclude=True)
    rate: SkipJsonSchema[float] = Field(default=4.0, exclude=True)
    sharp: SkipJsonSchema[bool] = Field(default=False, exclude=True)
    scale: SkipJsonSchema[float] = Field(default=1.0, exclude=True)
    missing: str | None = None


class GridRow(GridPart):
    """The same image in every column."""

    id: str
    pictures: tuple[Picture, ...]


class Grid(GridPart):
    """Pictures side by side under headings; without headings, a plain strip.

    Attributes:
        kind: what it shows, which decides how: of ``translation`` the first column is before, each other one after.
        translator: whose images it is about; None where about all or none.
    """

    kind: Kind
    translator: str | None = None
    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[GridRow, ...]
    legend: tuple[LegendEntry, ...] = ()
