"""The data sets side by side: an image of each, and where in the image each class tends to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.catalogue import t
from tasks.datasets import ClassCount, Overview, heat_map, heat_position, overview_of, percent
from tasks.report.gallery.grid import Grid, GridRow, LegendEntry, Picture
from tasks.report.gallery.samples import photograph
from tasks.report.gallery.sets import Images, Sets, spread

_WIDTH = 160  # pixels of a heat map
_TICKS = (0.0, 0.01, 0.1, 0.5, 1.0)  # shares whose colours the legend shows
_SEED = 0


@dataclass(frozen=True)
class _Set:
    """A data set in its role; ``found`` is None where its numbers cannot be read, or no priors are wanted."""

    role: str
    images: Images
    found: Overview | None

    @property
    def heading(self) -> str:
        role = t(f"pictures.role_{self.role}")
        return t("pictures.column_set", role=role, dataset=self.images.info.dataset, n=len(self.images.ids))

    @property
    def masked(self) -> bool:
        return self.found is not None and self.found.masked > 0

    def position(self, name: str) -> int | None:
        """A class's index into what was found; None where the set's taxonomy does not have it."""
        names = [c.name for c in self.found.classes] if self.found is not None else []
        return names.index(name) if name in names else None


def side_by_side(sets: Sets) -> Iterator[Grid]:
    """An image of each set, and a heat map of every class that some set shows."""
    tables = {"source": sets.source, "target": sets.target, "benchmark": sets.benchmark}
    shown = [_Set(role, images, _counted(role, images, sets)) for role, images in tables.items() if images is not None]
    if not shown:
        return
    limit = sets.config.prior_images
    names = dict.fromkeys(c.name for s in shown if s.found for c in s.found.classes)
    heats = [row for name in names if (row := _heat_row(name, shown)) is not None] if limit else []
    yield Grid(
        kind="datasets",
        title=t("pictures.datasets_title"),
        note=t("pictures.datasets_note" if heats else "pictures.datasets_note_alone", n=limit),
        columns=tuple(s.heading for s in shown),
        rows=(*_examples(shown, sets.config.example_rows), *heats),
        legend=tuple(_scale()) if heats else (),
    )


def _counted(role: str, images: Images, sets: Sets) -> Overview | None:
    if not sets.config.prior_images:
        return None
    try:
        found = overview_of(images.table, role, images=0, prior_images=sets.config.prior_images, seed=_SEED)
    except (ValueError, IndexError, pa.ArrowException) as error:
        sets.reader.skip(images.table.folder / "samples.parquet", error)
        return None
    if found.problems:
        name = images.info.dataset
        sets.reader.problems.append(t("pictures.masks_unread", n=len(found.problems), dataset=name))
    return found


def _examples(shown: Sequence[_Set], rows: int) -> Iterator[GridRow]:
    chosen = [spread(s.images.ids, rows) for s in shown]
    for i in range(max(map(len, chosen))):
        pictures = [
            photograph(ids[i], s.images.get(ids[i]))
            if i < len(ids)
            else Picture(caption="", missing=t("pictures.no_more_images"))
            for s, ids in zip(shown, chosen, strict=True)
        ]
        yield GridRow(id=t("pictures.example"), pictures=tuple(pictures))


def _heat_row(name: str, shown: Sequence[_Set]) -> GridRow | None:
    """The heat maps of a class; None where no set shows it."""
    pictures = [_heat(name, s) for s in shown]
    return GridRow(id=name, pictures=tuple(pictures)) if any(p.pixels is not None for p in pictures) else None


def _heat(name: str, of: _Set) -> Picture:
    at = of.position(name)
    if of.found is None or not of.masked or at is None:
        return Picture(caption=name, missing=t("pictures.no_masks"))
    count, priors = of.found.classes[at], of.found.priors
    if priors is None:
        return Picture(caption=name, missing=t("pictures.no_mask_read"))
    if not priors[at].any():
        return Picture(caption=name, missing=_absence(count))
    share = count.share if count.pixels else float(priors[at].sum() / max(float(priors.sum()), 1e-9))
    return Picture(caption=f"{name}, {percent(share)}", pixels=_smooth(priors[at]))


def _absence(count: ClassCount) -> str:
    match count.state:
        case "impossible":
            return t("pictures.class_impossible")
        case "shown":
            return t("pictures.class_not_drawn", share=percent(count.share))
    return t("pictures.class_absent")


def _smooth(shares: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A class's heat map, its cells smoothly enlarged; the same colours for the same shares everywhere."""
    size = (_WIDTH, max(1, round(_WIDTH * shares.shape[0] / shares.shape[1])))
    levels = cv2.resize(heat_position(shares), size, interpolation=cv2.INTER_CUBIC)  # smooth in what is seen
    return heat_map(np.clip(levels, 0, 1).astype(np.float32) ** 3)


def _scale() -> Iterator[LegendEntry]:
    colors = heat_map(np.array([_TICKS], np.float32))[0].tolist()
    for share, (r, g, b) in zip(_TICKS, colors, strict=True):
        yield LegendEntry(name=f"{100 * share:g} %", color=(r, g, b))
