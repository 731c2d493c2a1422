"""Strips of source, translated and the nearest real images: does it look like something that there is?"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.audit import source_id
from tasks.catalogue import figure, t
from tasks.contracts import Arm, Finding
from tasks.evaluate import FEATURES, read_features
from tasks.report.gallery.grid import Grid, GridRow
from tasks.report.gallery.samples import photograph, translated_label
from tasks.report.gallery.sets import Images, Sets, spread
from tasks.report.words import arm_label

NEIGHBOURS = 3
_SCALE = 0.7  # of a picture: five stand in a row
Features = tuple[tuple[str, ...], NDArray[np.float32]]  # ids, and a row of features for each


@dataclass(frozen=True)
class _Space:
    """Images as points, each axis in standard deviations of the real set.

    Attributes:
        ids: of the real images, ``N``. points: ``[N, D]``. mean, deviation: of the real features, ``[D]``.
    """

    ids: tuple[str, ...]
    points: NDArray[np.float32]
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def of(cls, features: Features) -> _Space:
        ids, values = features
        mean, deviation = values.mean(0), values.std(0)
        deviation[deviation == 0] = 1  # says nothing of images, whatever it is divided by
        return cls(ids, (values - mean) / deviation, mean, deviation)

    def nearest(self, feature: NDArray[np.float32]) -> list[tuple[str, float]]:
        """The ids nearest to a feature ``[D]``, and how far they are: Euclidean distance."""
        distances = np.linalg.norm(self.points - (feature - self.mean) / self.deviation, axis=1)
        return [(self.ids[i], float(distances[i])) for i in np.argsort(distances, kind="stable")[:NEIGHBOURS]]


def nearest_real(sets: Sets) -> Iterator[Grid]:
    """A grid a translator whose images, and the real ones, a frozen segmenter left features of."""
    if sets.source is None or sets.target is None or not sets.config.nearest_rows:
        return
    space = functools.cache(lambda folder: _space(folder, sets))  # the real set's are the same for all
    for name, images in sets.changed.items():
        folders = sets.judged(name)
        if not {"real", "translated"} <= folders.keys() or (real := space(folders["real"])) is None:
            continue
        if rows := tuple(_rows(sets, images, real, folders["translated"])):
            yield _grid(name, rows)


def _space(folder: Path, sets: Sets) -> _Space | None:
    features = features_left(folder, sets)
    return _Space.of(features) if features is not None else None


def _grid(name: str, rows: tuple[GridRow, ...]) -> Grid:
    nearest = (t("pictures.column_nearest", rank=k) for k in range(1, len(rows[0].pictures) - 1))
    return Grid(
        kind="nearest",
        translator=name,
        title=t("pictures.nearest_title", translator=name),
        note=t("pictures.nearest_note"),
        columns=(arm_label(Arm("source")), translated_label(name), *nearest),
        rows=rows,
    )


def _rows(sets: Sets, images: Images, space: _Space, folder: Path) -> Iterator[GridRow]:
    assert sets.source is not None
    assert sets.target is not None
    features = features_left(folder, sets)
    if features is None:
        return
    if (found := features[1].shape[1]) != (wanted := len(space.mean)):
        sets.reader.skip(folder / FEATURES, Finding.of("pictures.features_differ", a=found, b=wanted))
        return
    at = {name: k for k, name in enumerate(features[0])}
    for sample_id in spread([i for i in images.ids if i in at], sets.config.nearest_rows):
        sample = images.get(sample_id)
        before = sets.source.get(source_id(sample)) if sample is not None else None
        real = [
            photograph(t("pictures.at_distance", id=i, distance=figure(d)), sets.target.get(i))
            for i, d in space.nearest(features[1][at[sample_id]])
        ]
        pictures = (photograph(sample_id, before), photograph(sample_id, sample), *real)
        yield GridRow(id=sample_id, pictures=tuple(p.model_copy(update={"scale": _SCALE}) for p in pictures))


def features_left(folder: Path, sets: Sets) -> Features | None:
    """The features that the segmenter left, those that are finite.

    None, and no problem, where it left none, as one that slides over images.
    """
    path = folder / FEATURES
    if not path.is_file():
        manifest = sets.reader.manifest(folder)
        if manifest is not None and any(f.path == FEATURES for f in manifest.files):
            sets.reader.skip(path, Finding.of("words.reason_missing"))
        return None
    try:
        ids, values = read_features(folder)
    except (OSError, ValueError) as error:
        sets.reader.skip(path, error)
        return None
    finite = np.flatnonzero(np.isfinite(values).all(axis=1))
    if not len(finite) or not values.shape[1]:
        sets.reader.skip(path, Finding.of("pictures.features_empty"))
        return None
    return tuple(ids[i] for i in finite.tolist()), values[finite]
