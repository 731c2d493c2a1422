"""The same images before and after translation, and real ones to compare with."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.catalogue import t
from tasks.contracts import Arm
from tasks.datasets import Sample
from tasks.report.gallery.grid import Grid, GridRow, Picture
from tasks.report.gallery.sets import Images, Sets, everywhere, spread
from tasks.report.words import arm_label

_STRIP = 4  # pictures in a row of a plain strip


def translation_samples(sets: Sets) -> Iterator[Grid]:
    """The same images before and after each translator, chosen evenly over those that all translated sets have."""
    if sets.source is None or not sets.config.sample_rows:
        return
    chosen = spread(everywhere(sets.source, sets.translated.values()), sets.config.sample_rows)
    yield Grid(
        kind="translation",
        title=t("pictures.translation_title"),
        note=t("pictures.translation_note"),
        columns=(arm_label(Arm("source")), *map(translated_label, sets.translated)),
        rows=tuple(GridRow(id=i, pictures=tuple(_before_and_after(sets, sets.source, i))) for i in chosen),
    )


def _before_and_after(sets: Sets, source: Images, sample_id: str) -> Iterator[Picture]:
    yield photograph(sample_id, source.get(sample_id))
    yield from (photograph(sample_id, images.of_source(sample_id)) for images in sets.translated.values())


def real_samples(sets: Sets) -> Iterator[Grid]:
    """Images of the target, chosen evenly."""
    if sets.target is None or not sets.config.sample_rows:
        return
    pictures = [photograph(i, sets.target.get(i)) for i in spread(sets.target.ids, sets.config.sample_rows)]
    yield Grid(
        kind="real",
        title=t("pictures.real_title"),
        note=t("pictures.real_note", dataset=sets.target.info.dataset),
        columns=(),
        rows=tuple(
            GridRow(id=f"target {i // _STRIP + 1}", pictures=tuple(pictures[i : i + _STRIP]))
            for i in range(0, len(pictures), _STRIP)
        ),
    )


def photograph(caption: str, sample: Sample | None) -> Picture:
    """An image as it is; a placeholder where its set has none."""
    if sample is None:
        return Picture(caption=caption, missing=t("pictures.not_in_set"))
    return Picture(caption=caption, image=sample.image)


def translated_label(translator: str) -> str:
    """The heading of a translator's images."""
    return arm_label(Arm.translated(translator))
