"""One scene in a strip: the simulator's picture, each translator's, and the real image that is most alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.catalogue import t
from tasks.contracts import Arm
from tasks.datasets import ImageError, read_image
from tasks.report.gallery.grid import Grid, GridRow
from tasks.report.gallery.nearest import Features, features_left
from tasks.report.gallery.samples import photograph, translated_label
from tasks.report.gallery.sets import Images, Sets, everywhere, spread
from tasks.report.words import arm_label

_SCENES = 12  # looked through for each row, for the one whose nearest real image is nearest
_REAL = 150  # real images looked through where there are no features
_LAYOUT = (12, 8)  # cells that an image's colours are averaged over, across and down


def scene_strip(sets: Sets) -> Iterator[Grid]:
    """The same scenes through every translator that changes something, beside the nearest real image of each.

    Nearest by the features that the frozen segmenter left of source and real set; where it left none, by colours and
    where they lie in the image. Either is measured from its own set's mean in its own set's standard deviations, so
    that it is the scene that is compared, and not the look that the two sets differ in.
    """
    if sets.source is None or sets.target is None or not sets.changed or not sets.config.strip_rows:
        return
    common = everywhere(sets.source, sets.changed.values())
    pair = _judged(sets)
    source, real = pair or (None, None)
    if source is None or real is None or not set(source[0]) & set(common):
        pair = None
        source = _layouts(sets.source, spread(common, _SCENES * sets.config.strip_rows), sets)
        real = _layouts(sets.target, spread(sets.target.ids, _REAL), sets)
    if source is None or real is None:
        return
    pairs = _pairs(source, real, common, sets.config.strip_rows)
    if pairs:
        yield _grid(sets, pairs, by_features=pair is not None)


def _grid(sets: Sets, pairs: Sequence[tuple[str, str]], by_features: bool) -> Grid:
    assert sets.source is not None
    assert sets.target is not None
    rows = []
    for scene, nearest in pairs:
        translated = (photograph(scene, images.of_source(scene)) for images in sets.changed.values())
        real = photograph(nearest, sets.target.get(nearest))
        rows.append(GridRow(id=scene, pictures=(photograph(scene, sets.source.get(scene)), *translated, real)))
    return Grid(
        kind="strip",
        title=t("pictures.strip_title"),
        note=t("pictures.strip_features" if by_features else "pictures.strip_layout"),
        columns=(arm_label(Arm("source")), *map(translated_label, sets.changed), t("pictures.column_alike")),
        rows=tuple(rows),
    )


def _judged(sets: Sets) -> tuple[Features, Features] | None:
    """The features of source and real set that the first audit with both was made from."""
    for name in sets.changed:
        folders = sets.judged(name)
        if {"source", "real"} <= folders.keys():
            source, real = (features_left(folders[role], sets) for role in ("source", "real"))
            if source is not None and real is not None and source[1].shape[1] == real[1].shape[1]:
                return source, real
    return None


def _layouts(images: Images, ids: Sequence[str], sets: Sets) -> Features | None:
    """CIELAB in the cells of a coarse grid; images that cannot be read are left out, and told where they are shown."""
    found: dict[str, NDArray[np.float32]] = {}
    for name in ids:
        sample = images.get(name)
        assert sample is not None  # the ids are the table's own
        try:
            small = cv2.resize(read_image(Path(sample.image)), _LAYOUT, interpolation=cv2.INTER_AREA)
        except ImageError as error:
            sets.reader.skip(error.file, error.finding)
            continue
        found[name] = np.asarray(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32).ravel()
    return (tuple(found), np.stack(list(found.values()))) if found else None


def _pairs(source: Features, real: Features, common: Sequence[str], number: int) -> list[tuple[str, str]]:
    """Scenes spread over the source, each the one of its stretch with the nearest real image, and that image."""
    at = {name: k for k, name in enumerate(source[0])}
    scenes = spread([name for name in common if name in at], _SCENES * number)
    near, far = _standard(source[1]), _standard(real[1])
    pairs = []
    for part in np.array_split(np.array([at[name] for name in scenes], int), min(number, len(scenes))):
        distances = np.stack([np.linalg.norm(far - near[k], axis=1) for k in part])
        scene, nearest = np.unravel_index(int(distances.argmin()), distances.shape)
        pairs.append((source[0][part[scene]], real[0][nearest]))
    return pairs


def _standard(values: NDArray[np.float32]) -> NDArray[np.float32]:
    deviation = values.std(0)
    return np.asarray((values - values.mean(0)) / np.where(deviation > 0, deviation, 1), np.float32)
