"""The domain gap in two parts: of the pixels, which translation can close, and of the scenes, which it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.audit.rates import source_id
from tasks.compute import threads, with_progress
from tasks.contracts import ClassGap, Finding, Gap
from tasks.datasets import (
    IGNORE,
    ImageError,
    Sample,
    SampleTable,
    cielab,
    colour_statistics,
    frechet_distance,
    jensen_shannon,
    mask_of,
    read_image,
    spatial_priors,
    subset,
)

Floats = NDArray[np.float64]
GRID = (64, 36)  # cells of the spatial priors, across and down
_LEAST_PIXELS = 50  # of a class in an image, or its colour there is chance
_LEAST_IMAGES = 3  # that show a class
_QUANTISED = 1 / 12  # variance that rounding to whole levels adds (Widrow and Kollar, Quantization Noise, 2008)


def measure_gap(
    source: SampleTable, real: SampleTable, translated: SampleTable, seed: int, images: int | None = None
) -> Gap:
    """Measure how far the source and the translated set are from the real one.

    Args:
        source, real, translated: the sets; every translated image is one of the source's, by id or by ``extra["of"]``.
        seed: of the draws.
        images: measure on so many of each set, drawn at random; on all if None.

    Returns:
        The gap. Its classes are empty, and ``frequency`` and ``prior`` None, where source or real set has no masks.

    Raises:
        ImageError: an image or a mask cannot be read, or their sizes differ.
        ValueError: a set has less than two images, the taxonomies differ, or a translated image has no source.
    """
    check_taxonomies(source, real, translated)
    source, translated = paired(source, translated, images, seed)
    real = real if images is None else subset(real, images, seed)
    for role, table in (("source", source), ("real", real), ("translated", translated)):
        if len(table) < 2:
            raise ValueError(f"the gap needs two images of each set at least, but the {role} set has {len(table)}")
    height = min(int(t.rows["height"].to_numpy().min()) for t in (source, real, translated))
    before, target, after = (_measured(t, height) for t in (source, real, translated))
    classes = _classes(source, real, before, target, after, seed)
    priors = [c.prior for c in classes if c.prior is not None]
    return Gap(
        colour_before=frechet_distance(before.colour, target.colour),
        colour_after=frechet_distance(after.colour, target.colour),
        spectrum_before=float(np.abs(before.spectrum - target.spectrum).mean()),
        spectrum_after=float(np.abs(after.spectrum - target.spectrum).mean()),
        frequency=_frequency(source, real, before.pixels, target.pixels),
        prior=float(np.mean(priors)) if priors else None,
        classes=classes,
    )


def paired(
    source: SampleTable, translated: SampleTable, images: int | None, seed: int
) -> tuple[SampleTable, SampleTable]:
    """The same images of both sets, in one order; of several translations of an image one, drawn at random.

    Args:
        source, translated: the sets.
        images: how many to draw at random; all that were translated if None.
        seed: of the draws.

    Raises:
        ValueError: a translated image has no source.
    """
    place = {i: k for k, i in enumerate(source.rows["id"].to_pylist())}
    origins = [source_id(s) for s in translated]
    if lost := [i for i in origins if i not in place]:
        raise ValueError(f"{len(lost)} translated images have no source in {source.info.dataset}, such as {lost[0]}")
    order = np.random.default_rng(seed).permutation(len(origins)).tolist()
    chosen = {origins[k]: k for k in order}
    rows = sorted(chosen.values())
    one_each = translated.take(rows)
    drawn = one_each if images is None else subset(one_each, images, seed)
    return source.take(place[source_id(s)] for s in drawn), drawn


def check_taxonomies(*tables: SampleTable) -> None:
    """See to it that an index means the same class in all sets.

    Raises:
        ValueError: it does not.
    """
    first = tables[0].info
    for info in (t.info for t in tables[1:]):
        if [c.name for c in info.classes] != [c.name for c in first.classes]:
            raise ValueError(f"{first.dataset} and {info.dataset} have different classes: read both by one taxonomy")


def radial_spectrum(luma: Floats, frequencies: int, floor: float) -> Floats:
    """The power spectrum of an image, averaged over all directions: dB at 1 ... ``frequencies`` cycles an image height.

    It is the density per (cycles / height)^2, so that one scene has one spectrum, however many pixels it is stored in.
    A Hann window keeps the borders, where the periodic image jumps, from counting as edges.

    Args:
        luma: ``[H, W]``, 0-255.
        frequencies: at most half the height: the sampling holds no more.
        floor: power added everywhere: what lies below it is not told from nothing.
    """
    height, width = luma.shape
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    power = np.abs(np.fft.fft2((luma - luma.mean()) * window)) ** 2 / ((window**2).sum() * height**2)
    rings = _rings(height, width)
    sums = np.bincount(rings, power.ravel(), frequencies + 1)[1 : frequencies + 1]
    counts = np.bincount(rings, minlength=frequencies + 1)[1 : frequencies + 1]
    return np.asarray(10 * np.log10(sums / counts + floor), np.float64)


@lru_cache(maxsize=8)
def _rings(height: int, width: int) -> NDArray[np.int64]:
    """Each coefficient's frequency, rounded to whole cycles an image height, ``[H * W]``."""
    y, x = np.fft.fftfreq(height) * height, np.fft.fftfreq(width) * height
    return np.asarray(np.rint(np.hypot(y[:, None], x)).ravel(), np.int64)


@dataclass(frozen=True, slots=True)
class _Statistics:
    """Statistics of an image, or of a set.

    Attributes:
        colour: CIELAB statistics ``[6]``; of a set a row an image.
        spectrum: dB by frequency; of a set its mean.
        pixels: of each class, ``[C]``; of a set their sum.
        classes: CIELAB statistics of each class, ``[C, 6]``, NaN where there is too little of it; of a set their mean.
    """

    colour: Floats
    spectrum: Floats
    pixels: NDArray[np.int64]
    classes: Floats


def _measured(table: SampleTable, height: int) -> _Statistics:
    names, masks = len(table.info.classes), table.info.encoding is not None
    floor = _QUANTISED / height**2  # that of the smallest image, for all: else sizes would show

    def one(sample: Sample) -> _Statistics:
        image = read_image(sample.image)
        lab = cielab(image)
        luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64)
        pixels, classes = np.zeros(names, np.int64), np.full((names, 6), np.nan)
        if masks and sample.mask is not None:
            mask = mask_of(sample, table.info)
            if mask.shape != lab.shape[:2]:
                raise ImageError(sample.mask, Finding.of("data.unlike_image", image=sample.image), "size")
            pixels, classes = class_colours(lab, mask, names)
        return _Statistics(colour_statistics(lab), radial_spectrum(luma, height // 2, floor), pixels, classes)

    with ThreadPoolExecutor(threads()) as pool:
        found = list(with_progress(pool.map(one, table), len(table), f"gap: images of {table.info.dataset}"))
    spectrum = np.mean([f.spectrum for f in found], axis=0)
    pixels = np.sum([f.pixels for f in found], axis=0)
    return _Statistics(np.stack([f.colour for f in found]), spectrum, pixels, _class_means([f.classes for f in found]))


def class_colours(
    lab: NDArray[np.float32], mask: NDArray[np.uint8], classes: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """How many pixels are of each class, ``[C]``, and their mean L, a, b and standard deviations, ``[C, 6]``.

    Statistics of less than 50 pixels are NaN. Every pixel is looked at once, however many classes there are.
    """
    labels = mask.ravel()
    pixels = np.bincount(labels, minlength=IGNORE + 1)[:classes]
    channels = lab.reshape(-1, 3).astype(np.float64).T
    least = np.maximum(pixels, 1)
    mean, squares = (
        np.stack([np.bincount(labels, values, IGNORE + 1)[:classes] / least for values in powers])
        for powers in (channels, channels**2)
    )
    found = np.concatenate([mean, np.sqrt(np.maximum(squares - mean**2, 0))]).T
    found[pixels < _LEAST_PIXELS] = np.nan
    return pixels, found


def _class_means(images: Sequence[Floats]) -> Floats:
    """The mean over the images that show a class, ``[C, 6]``; NaN where less than three do."""
    stack = np.stack(images)
    known = ~np.isnan(stack[..., 0])
    count = known.sum(axis=0)
    total = np.where(known[..., None], stack, 0).sum(axis=0)
    return np.where(count[:, None] >= _LEAST_IMAGES, total / np.maximum(count, 1)[:, None], np.nan)


def _classes(
    source: SampleTable, real: SampleTable, before: _Statistics, target: _Statistics, after: _Statistics, seed: int
) -> tuple[ClassGap, ...]:
    if not (before.pixels.any() and target.pixels.any()):
        return ()
    shares = [i.pixels / i.pixels.sum() for i in (before, target)]
    maps = [spatial_priors(t, len(t), GRID, seed) for t in (source, real)]
    return tuple(
        ClassGap(
            name=c.name,
            frequency_source=float(shares[0][k]),
            frequency_real=float(shares[1][k]),
            prior=jensen_shannon(maps[0][k], maps[1][k]) if maps[0][k].any() and maps[1][k].any() else None,
            colour_before=_colour(before.classes[k], target.classes[k]),
            colour_after=_colour(after.classes[k], target.classes[k]),
        )
        for k, c in enumerate(source.info.classes)
    )


def _colour(a: Floats, b: Floats) -> float | None:
    distance = float(np.linalg.norm(a - b))
    return None if np.isnan(distance) else distance


def _frequency(a: SampleTable, b: SampleTable, pixels: NDArray[np.int64], others: NDArray[np.int64]) -> float | None:
    """Over the classes that both sets can have; None where one of them has no pixel of these."""
    impossible = {*a.info.impossible, *b.info.impossible}
    both = np.array([c.name not in impossible for c in a.info.classes], bool)
    return jensen_shannon(pixels[both], others[both]) if pixels[both].any() and others[both].any() else None
