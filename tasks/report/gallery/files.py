"""The drawn pictures as files, for people to take."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tasks.contracts import Finding
from tasks.datasets import ImageError
from tasks.report.gallery.grid import Grid, GridRow, LegendEntry, Picture
from tasks.report.gallery.pictures import animated, draw

log = logging.getLogger(__name__)

WIDTH = 960  # pixels that a saved picture is scaled down to
_SAVED = ("datasets", "nearest", "flips", "lost", "clip")  # what is drawn or found here; the others are files already
_CHARS = 80  # of a file's name, less its ending


def save_png(picture: Picture, legend: Sequence[LegendEntry], path: Path) -> None:
    """Write a picture, of a clip the first frame, as PNG.

    Raises:
        ImageError: it is a placeholder, or it cannot be read.
    """
    image = draw(picture, legend, WIDTH)
    if image is None:
        raise ImageError(path, Finding.of("data.no_picture", why=picture.missing), "found")
    image.save(path, "PNG")


def save_pictures(grids: Iterable[Grid], folder: Path) -> list[str]:
    """Write what is drawn as PNG, and clips as animated WebP, too; placeholders are left out.

    Args:
        grids: the galleries. folder: is made where there is none.

    Returns:
        The files' names below the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    for grid in (g for g in grids if g.kind in _SAVED):
        for row, column, picture in _pictures(grid):
            name = _unused(_safe(column, grid.kind, grid.translator, row.id), names)
            try:
                save_png(picture, grid.legend, folder / f"{name}.png")
            except ImageError as error:
                log.warning("a picture was not saved: %s", error)
                continue
            names.append(f"{name}.png")
            if picture.frames is not None:
                (folder / f"{name}.webp").write_bytes(animated(picture, WIDTH)[0])
                names.append(f"{name}.webp")
    return names


def _pictures(grid: Grid) -> Iterator[tuple[GridRow, str, Picture]]:
    """The pictures that there are, each with its row, and its column by number; of data sets the drawn ones."""
    for row in grid.rows:
        for column, picture in enumerate(row.pictures, 1):
            if picture.missing is None and (grid.kind != "datasets" or picture.pixels is not None):
                yield row, str(column) if len(row.pictures) > 1 else "", picture


def _safe(column: str, *parts: str | None) -> str:
    """A file's name of letters, digits, dots and dashes; it neither hides nor leaves its folder."""
    name = re.sub(r"[^\w.]+", "-", "-".join(p for p in parts if p), flags=re.ASCII)
    return "-".join(p for p in (name[:_CHARS].strip("-._"), column) if p)


def _unused(name: str, names: Sequence[str]) -> str:
    taken = {n.rpartition(".")[0].casefold() for n in names}
    number = 2
    wanted = name
    while wanted.casefold() in taken:
        wanted, number = f"{name}-{number}", number + 1
    return wanted
