"""One small scene, which a writer a format puts into files: what was drawn is what a reader must find again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.datasets.config import Stored
from tasks.datasets.table import Box
from tasks.datasets.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load(Path("configs/taxonomies/cityscapes19.yaml"))
CLASSES = tuple(c.name for c in TAXONOMY.classes)
WIDTH, HEIGHT = 96, 64
_THINGS = {"person": (5, 14), "car": (14, 9), "truck": (16, 18), "bus": (22, 16)}  # width, height


@dataclass(frozen=True)
class Thing:
    """An object: its class, its number from 1, and the box of its pixels (x1, y1, x2, y2), all of them visible."""

    name: str
    number: int
    x1: int
    y1: int
    x2: int
    y2: int


@dataclass(frozen=True)
class Frame:
    """An image and what is in it.

    Attributes:
        number: its place in the set, from 0.
        image: ``uint8 [HEIGHT, WIDTH, 3]``.
        classes: ``uint8 [HEIGHT, WIDTH]``, positions in CLASSES.
        objects: ``uint16 [HEIGHT, WIDTH]``, the number of the thing, 0 for stuff.
        things: no two touch each other.
    """

    number: int
    image: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    objects: NDArray[np.uint16]
    things: tuple[Thing, ...]

    def boxes(self) -> set[Box]:
        """What a reader must find."""
        return {Box(TAXONOMY.detection.index(t.name), t.x1, t.y1, t.x2, t.y2) for t in self.things}


def draw(number: int, stuff: Collection[str], things: Collection[str]) -> Frame:
    """Draw a frame of the classes that a format can express; the same for the same arguments.

    Args:
        number: which frame.
        stuff: classes without objects, shown as vertical bands.
        things: classes of objects, of person, car, truck and bus.
    """
    rng = np.random.default_rng([7, number])
    names = [name for name in CLASSES if name in stuff]
    edges = np.linspace(0, WIDTH, len(names) + 1).astype(int)
    classes = np.zeros((HEIGHT, WIDTH), np.uint8)
    for name, left, right in zip(names, edges, edges[1:], strict=False):
        classes[:, left:right] = CLASSES.index(name)
    objects = np.zeros((HEIGHT, WIDTH), np.uint16)
    found = []
    for place, name in enumerate(n for n in _THINGS if n in things):
        width, height = _THINGS[name]
        x, y = 1 + 24 * place, int(rng.integers(2, HEIGHT - height - 2))
        found.append(Thing(name, len(found) + 1, x, y, x + width, y + height))
        classes[y : y + height, x : x + width] = CLASSES.index(name)
        objects[y : y + height, x : x + width] = len(found)
    image = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    return Frame(number, image, classes, objects, tuple(found))


@dataclass(frozen=True)
class Files:
    """Where a frame was written to; ``labels`` is the file that its boxes are read from, which others may share."""

    id: str
    image: Path
    mask: Path | None = None
    labels: Path | None = None


@dataclass(frozen=True)
class Written:
    """A data set in a folder.

    Attributes:
        files: where each frame is.
        json: a file of the set whose JSON the whole split depends on, if any.
        odd: an image's path that is outside the format's pattern of names, in a folder that the reader looks into;
            None where the format takes any name.
    """

    files: tuple[Files, ...]
    json: Path | None = None
    odd: Path | None = None


@dataclass(frozen=True)
class Format:
    """What the tests need to know of a format.

    Attributes:
        name: for the test's name.
        write: writes frames below a folder, as the split ``train``.
        config: the configuration that reads such a folder.
        stuff, things: the classes that it can express; no ``stuff``: it has no masks; no ``things``: no boxes.
        spoil_mask: paints a value that the format does not define into the mask of a frame; None where masks are
            not files.
        spoil_box: makes one box of a frame malformed; None where boxes come from pixels.
        sequences: whether its frames belong to sequences.
        folder: a folder that the reader looks into, where a loop of links and an unreadable folder are put; None
            where it lists none.
    """

    name: str
    write: Callable[[Path, list[Frame]], Written]
    config: Callable[[Path], Stored]
    stuff: Collection[str] = CLASSES
    things: Collection[str] = tuple(_THINGS)
    spoil_mask: Callable[[Files], None] | None = None
    spoil_box: Callable[[Files], None] | None = None
    sequences: bool = False
    folder: Callable[[Path], Path] | None = None
    notes: dict[str, str] = field(default_factory=dict)
