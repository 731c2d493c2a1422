"""What is in a data set: its numbers, counted in the sample table, and pictures of some of its images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.contracts import DatasetCounts
from tasks.datasets.divergence import jensen_shannon
from tasks.datasets.overview.drawing import DrawnSample, draw_samples
from tasks.datasets.priors import read_priors
from tasks.datasets.select import presence, subset
from tasks.datasets.table import BoxSource, SampleTable

# shown: the set has it; absent: it could, but these images do not; impossible: no label of the set means it;
# unlabelled: the set has no labels of this kind at all.
State = Literal["shown", "absent", "impossible", "unlabelled"]
_SMALL, _LARGE = 32**2, 96**2  # bounds of COCO's object sizes, in pixels of area
_CELLS = 64  # the spatial priors' grid is so wide, and as high as the set's commonest aspect makes it


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A segmentation class in a set.

    Attributes:
        name, color: as in the taxonomy.
        state: whether the set shows it, and if not, why.
        pixels: how many it has.
        share: of the pixels that belong to any class, 0 to 1.
        images: how many show it.
    """

    name: str
    color: tuple[int, int, int]
    state: State
    pixels: int
    share: float
    images: int


@dataclass(frozen=True, slots=True)
class BoxCount:
    """A detection class in a set; crowds are counted apart, and in nothing else.

    Attributes:
        name: as in the taxonomy.
        state: whether the set has objects of it, and if not, why.
        objects, crowds: how many boxes it has.
        per_image: objects over the images that are labelled with boxes.
        images: how many of these have a box of it, be it a crowd.
        sizes: objects with a box below 32², up to 96², and above 96² pixels of area: COCO's small, medium and large,
            but by the box's area, since boxes are all that a table has.
        median: of the widths and of the heights, in pixels; None without objects.
    """

    name: str
    state: State
    objects: int
    crowds: int
    per_image: float
    images: int
    sizes: tuple[int, int, int]
    median: tuple[float, float] | None


@dataclass(frozen=True)
class Overview:
    """What is in a data set.

    Attributes:
        role: what it is used as, for people.
        dataset: its name.
        images: how many rows its table has.
        splits: split -> images.
        sequences: how many there are; 0 where the format has none.
        sizes: (width, height) in pixels -> images, the commonest first.
        masked: images with a mask.
        boxed: images that are labelled with boxes, be it with none.
        empty: those of them that have no box.
        unlabelled: images with neither.
        ignored: share of the masks' pixels that belong to no class, 0 to 1; None without masks.
        classes, detection: one entry a class, in the taxonomy's order.
        boxes_from: how the boxes come about (see ``TableInfo``).
        priors: see ``Priors.shares``; None without masks.
        prior_images: how many masks these come from.
        pictures: of some images, in the table's order.
        problems: what could not be read for priors.
        counts: what became of everything that the set was found to have; None where that is not known.
    """

    role: str
    dataset: str
    images: int
    splits: dict[str, int]
    sequences: int
    sizes: dict[tuple[int, int], int]
    masked: int
    boxed: int
    empty: int
    unlabelled: int
    ignored: float | None
    classes: tuple[ClassCount, ...]
    detection: tuple[BoxCount, ...]
    boxes_from: BoxSource | None
    priors: NDArray[np.float32] | None
    prior_images: int
    pictures: tuple[DrawnSample, ...]
    problems: tuple[str, ...]
    counts: DatasetCounts | None = None

    @property
    def objects(self) -> int:
        """Boxes that are no crowds."""
        return sum(c.objects for c in self.detection)

    @property
    def crowds(self) -> int:
        """Boxes that mark groups."""
        return sum(c.crowds for c in self.detection)


def overview_of(
    table: SampleTable,
    role: str,
    images: int = 12,
    prior_images: int = 400,
    seed: int = 0,
    counts: DatasetCounts | None = None,
) -> Overview:
    """Count what is in a table, and draw some of its images.

    Args:
        table: the set. Numbers come from its columns alone; only what is drawn is decoded.
        role: what the set is used as, for people, such as ``source``.
        images: how many images to draw, chosen so that each class is shown about equally often.
        prior_images: over how many masks, chosen at random, the spatial priors are taken.
        seed: of both choices.
        counts: what became of everything that the set was found to have.
    """
    rows = table.rows
    sizes = _sizes(table)
    shown = presence(table).sum(axis=0)
    classes, ignored = _classes(table, shown)
    masked = rows["mask"].is_valid() if table.info.encoding is not None else pc.is_null(rows["id"])
    boxed = rows["boxes"].is_valid() if table.info.has_boxes else pc.is_null(rows["id"])
    width, height = next(iter(sizes), (1, 1))
    priors = read_priors(table, prior_images, (_CELLS, max(1, round(_CELLS * height / width))), seed)
    return Overview(
        role=role,
        dataset=table.info.dataset,
        images=len(table),
        splits={str(v["values"]): v["counts"] for v in pc.value_counts(rows["split"]).to_pylist()},
        sequences=pc.count_distinct(rows["sequence"], mode="only_valid").as_py(),
        sizes=sizes,
        masked=_count(masked),
        boxed=_count(boxed),
        empty=_count(pc.equal(pc.list_value_length(rows["boxes"]), 0)) if table.info.has_boxes else 0,
        unlabelled=_count(pc.invert(pc.or_(masked, boxed))),
        ignored=ignored,
        classes=classes,
        detection=_boxes(table, shown[len(classes) :], _count(boxed)),
        boxes_from=table.info.boxes_from,
        priors=priors.shares if priors.images else None,
        prior_images=priors.images,
        pictures=tuple(draw_samples(subset(table, images, seed, "stratified"))),
        problems=priors.problems,
        counts=counts,
    )


def class_divergence(a: Overview, b: Overview) -> float | None:
    """Jensen-Shannon divergence of two sets' class frequencies in pixels, in bits: 0 for the same, 1 for disjoint.

    Over the classes that both sets can have; None where one of them has no pixel of these.
    """
    of_b = {c.name: c for c in b.classes}
    pairs = [(c, of_b[c.name]) for c in a.classes if c.name in of_b]
    both = [(c.pixels, d.pixels) for c, d in pairs if "impossible" not in (c.state, d.state)]
    counts = np.array(both, np.float64).reshape(-1, 2)
    if not counts.any(axis=0).all():
        return None
    return jensen_shannon(*counts.T)


def _count(flags: object) -> int:
    return int(pc.sum(flags).as_py() or 0)


def _sizes(table: SampleTable) -> dict[tuple[int, int], int]:
    pairs = np.stack([table.rows[name].to_numpy() for name in ("width", "height")], axis=1)
    values, counts = np.unique(pairs, axis=0, return_counts=True)
    return {(int(values[i, 0]), int(values[i, 1])): int(counts[i]) for i in np.argsort(-counts, kind="stable")}


def _classes(table: SampleTable, shown: NDArray[np.int64]) -> tuple[tuple[ClassCount, ...], float | None]:
    """The segmentation classes, and the ignored share of the masks' pixels."""
    info = table.info
    column = table.rows["class_pixels"]
    pixels = pc.list_flatten(column).to_numpy().reshape(-1, len(info.classes)).sum(axis=0, dtype=np.int64)
    area = pc.multiply(table.rows["width"].cast("int64"), table.rows["height"].cast("int64"))
    whole, labelled = pc.sum(area.filter(column.is_valid())).as_py() or 0, int(pixels.sum())
    counts = tuple(
        ClassCount(
            name=c.name,
            color=c.color,
            state=_state(int(n), c.name in info.impossible, info.encoding is not None),
            pixels=int(n),
            share=int(n) / labelled if labelled else 0.0,
            images=int(k),
        )
        for c, n, k in zip(info.classes, pixels, shown, strict=False)
    )
    return counts, 1 - labelled / whole if whole else None


def _boxes(table: SampleTable, shown: NDArray[np.int64], boxed: int) -> tuple[BoxCount, ...]:
    boxes = pc.list_flatten(table.rows["boxes"].combine_chunks())
    category, crowd, x1, y1, x2, y2 = (
        pc.struct_field(boxes, name).to_numpy(zero_copy_only=False)
        for name in ("category", "crowd", "x1", "y1", "x2", "y2")
    )
    crowd = crowd.astype(bool)
    width, height = x2 - x1, y2 - y1
    size = np.digitize(width * height, (_SMALL, np.nextafter(_LARGE, np.inf)))
    counts = []
    for index, name in enumerate(table.info.detection):
        mine = (category == index) & ~crowd
        objects, crowds = int(mine.sum()), int(((category == index) & crowd).sum())
        small, medium, large = (int(n) for n in np.bincount(size[mine], minlength=3))
        median = (float(np.median(width[mine])), float(np.median(height[mine]))) if objects else None
        state = _state(objects + crowds, name in table.info.impossible_boxes, table.info.has_boxes)
        per_image = objects / boxed if boxed else 0.0
        counts.append(
            BoxCount(name, state, objects, crowds, per_image, int(shown[index]), (small, medium, large), median)
        )
    return tuple(counts)


def _state(found: int, impossible: bool, labelled: bool) -> State:
    if not labelled:
        return "unlabelled"
    return "shown" if found else "impossible" if impossible else "absent"
