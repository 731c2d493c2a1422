"""How real a set looks: distances to the real set, named for the features that they are taken on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.audit.extract import efficientnet
from tasks.audit.gap import check_taxonomies, paired
from tasks.audit.patches import patch_features
from tasks.compute import threads, with_progress
from tasks.contracts import Distance
from tasks.datasets import (
    IGNORE,
    Sample,
    SampleTable,
    frechet_distance,
    kernel_distance,
    mask_of,
    read_image,
    subset,
)
from tasks.translate import resized

log = logging.getLogger(__name__)

Features = NDArray[np.floating]
Rows = NDArray[np.int64]
_OWN_NAMES = {"inception": ("FID", "KID")}  # the only features that these names mean
_KINDS: tuple[Callable[[Features, Features], float], ...] = (frechet_distance, kernel_distance)
_CROPS = 4  # an image
_SIDE = 0.25  # of a crop, in image heights
_PATCH = 64  # pixels that a crop is resized to
_CELLS = 16  # of a layout, across and down
_LEAST_PAIRS = 10  # of matched crops


@dataclass(frozen=True, slots=True)
class FeatureSets:
    """Features of the three sets: ``source`` and ``translated [N, D]``, a row of both being of one image;
    ``real [M, D]``."""

    source: Features
    real: Features
    translated: Features


def distances(features: Mapping[str, FeatureSets], seed: int) -> tuple[Distance, ...]:
    """Frechet and kernel distance of the source and of the translated set to the real one, on each kind of features.

    They are called ``FD_<features>`` and ``KD_<features>``, those on ``inception`` ``FID`` and ``KID``. The Frechet
    distance is biased upwards for few images, so both sides have equally many: as many as the smaller set, the same
    images of source and translated set. The floor is the distance between two random halves of the real set, each of
    at most so many images; where they are fewer, its bias is the larger.

    Args:
        features: name, such as ``seg``, ``efflite0`` or ``inception`` -> the sets' features.
        seed: of the draws.

    Raises:
        ValueError: source and translated rows are not as many, a set has one row only, or the widths differ.
    """
    return tuple(d for name, sets in features.items() for d in _of(name, sets, seed))


def _of(name: str, sets: FeatureSets, seed: int) -> list[Distance]:
    if len(sets.source) != len(sets.translated):
        raise ValueError(
            f"features {name}: {len(sets.source)} rows of the source, but {len(sets.translated)} of the translated "
            "set: they must be of the same images"
        )
    rng = np.random.default_rng(seed)
    count = min(len(sets.source), len(sets.real))
    rows, order = rng.permutation(len(sets.source))[:count], rng.permutation(len(sets.real))
    real, half = sets.real[order], min(count, len(order) // 2)
    return [
        Distance(
            name=label,
            before=distance(sets.source[rows], real[:count]),
            after=distance(sets.translated[rows], real[:count]),
            floor=distance(real[:half], real[half : 2 * half]) if half >= 2 else None,
            images=(count, count),
        )
        for label, distance in zip(_OWN_NAMES.get(name, (f"FD_{name}", f"KD_{name}")), _KINDS, strict=True)
    ]


def semantic_kernel_distance(
    source: SampleTable,
    real: SampleTable,
    translated: SampleTable,
    network: Literal["colour", "efflite0"] = "colour",
    seed: int = 0,
    images: int = 200,
    threshold: float = 0.5,
    device: str = "cpu",
) -> Distance | None:
    """Kernel distance on crops that show the same things: what differs in content between the sets does not count.

    After the sKVD of Richter, AlHaija and Koltun (Enhancing Photorealism Enhancement, TPAMI 2022), which takes VGG's
    features. Crops of a quarter of the height lie at random places, the same in source and translated images. Each
    source crop is matched with the real crop of the most similar layout, the labels of 16 x 16 cells. A real crop is
    given away once, to its best match: repeated, it would bias the estimate. Matched crops being alike, sets that look
    the same come out a little below 0. The floor is the distance between matched crops of two halves of the real set.

    Args:
        source, real, translated: the sets; source and real need masks.
        network: of the crops' features: ``efflite0``, or ``colour``: CIELAB statistics and gradients' orientations,
            in standard deviations of the real crops. The distance is named ``sKD_<network>``.
        seed: of images and places.
        images: how many to draw of each set, four crops from each.
        threshold: share of cells that must be equal, 0 to 1. Unlabelled cells equal nothing.
        device: where the network runs, as torch names it.

    Returns:
        None, with the reason in the log, where masks are missing or less than ten crops were matched.

    Raises:
        FeatureError: the extra ``features`` is not installed.
        ImageError: an image or a mask cannot be read.
        ValueError: the taxonomies differ, or a translated image has no source.
    """
    name = f"sKD_{network}"
    check_taxonomies(source, real)
    source, translated = paired(source, translated, None, seed)
    labelled = [k for k, mask in enumerate(source.rows["mask"].to_pylist()) if mask is not None]
    if source.info.encoding is None or real.info.encoding is None or not labelled or not len(real.labelled("masks")):
        log.warning("%s left out: source and real set must have masks", name)
        return None
    source, translated, real = (
        subset(t, images, seed) for t in (source.take(labelled), translated.take(labelled), real.labelled("masks"))
    )
    places = np.random.default_rng(seed).random((max(len(source), len(real)), _CROPS, 2))
    ours, theirs = _layouts(source, places), _layouts(real, places[::-1])
    rows, columns = match_layouts(ours, theirs, threshold)
    if len(rows) < _LEAST_PAIRS:
        log.warning("%s left out: %d of %d crops have a real one of like layout", name, len(rows), len(ours))
        return None
    describe = _describe(network, device)
    crops = describe(_patches(real, places[::-1]))
    mean, scale = (crops.mean(axis=0), crops.std(axis=0)) if network == "colour" else (np.zeros(1), np.ones(1))
    scale = np.where(scale > 0, scale, 1)
    target = (crops - mean) / scale
    before, after = ((describe(_patches(t, places)[rows]) - mean) / scale for t in (source, translated))
    return Distance(
        name=name,
        before=kernel_distance(before, target[columns]),
        after=kernel_distance(after, target[columns]),
        floor=_floor(theirs, target, threshold),
        images=(len(np.unique(rows // _CROPS)), len(np.unique(columns // _CROPS))),
    )


def match_layouts(a: NDArray[np.uint8], b: NDArray[np.uint8], threshold: float) -> tuple[Rows, Rows]:
    """Pair layouts one to one, the most similar first.

    Args:
        a, b: class indices, 255 where there is none, ``[N, cells]`` and ``[M, cells]``.
        threshold: share of equal cells that a pair has at least.

    Returns:
        Rows of a, ascending, and of b.
    """
    share = np.zeros((len(a), len(b)), np.float32)
    for label in set(np.unique(a).tolist()) - {IGNORE}:
        share += (a == label).astype(np.float32) @ (b == label).astype(np.float32).T
    share /= a.shape[1]
    good = np.flatnonzero(share.ravel() >= threshold)
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for place in good[np.argsort(-share.ravel()[good], kind="stable")].tolist():
        row, column = divmod(place, len(b))
        if row not in pairs and column not in taken:
            pairs[row] = column
            taken.add(column)
    rows = sorted(pairs)
    return np.array(rows, np.int64), np.array([pairs[row] for row in rows], np.int64)


def _floor(layouts: NDArray[np.uint8], features: Features, threshold: float) -> float | None:
    half = len(layouts) // _CROPS // 2 * _CROPS
    rows, columns = match_layouts(layouts[:half], layouts[half:], threshold)
    return kernel_distance(features[:half][rows], features[half:][columns]) if len(rows) >= _LEAST_PAIRS else None


def _describe(network: Literal["colour", "efflite0"], device: str) -> Callable[[NDArray[np.uint8]], Features]:
    if network == "colour":
        return patch_features
    describe = efficientnet(device)
    return lambda x: np.concatenate([describe(x[k : k + _PATCH]) for k in range(0, len(x), _PATCH)])


def _layouts(table: SampleTable, places: Features) -> NDArray[np.uint8]:
    """The labels of every crop, ``[images * crops, cells]``."""

    def one(sample: Sample, at: Features) -> list[NDArray[np.uint8]]:
        crops = _cut(mask_of(sample, table.info), at)
        return [cv2.resize(c, (_CELLS, _CELLS), interpolation=cv2.INTER_NEAREST).ravel() for c in crops]  # type: ignore[misc]

    return _over(table, places, one, "layouts")


def _patches(table: SampleTable, places: Features) -> NDArray[np.uint8]:
    """Every crop, ``[images * crops, side, side, 3]``."""

    def one(sample: Sample, at: Features) -> list[NDArray[np.uint8]]:
        return [resized(c, _PATCH) for c in _cut(read_image(sample.image), at)]

    return _over(table, places, one, "crops")


def _cut(image: NDArray[np.uint8], places: Features) -> list[NDArray[np.uint8]]:
    height, width = image.shape[:2]
    side = min(max(1, round(_SIDE * height)), width)
    corners = (places * (height - side + 1, width - side + 1)).astype(int).tolist()
    return [image[y : y + side, x : x + side] for y, x in corners]


def _over(
    table: SampleTable, places: Features, one: Callable[[Sample, Features], list[NDArray[np.uint8]]], what: str
) -> NDArray[np.uint8]:
    with ThreadPoolExecutor(threads()) as pool:
        found = with_progress(pool.map(one, table, places), len(table), f"{what} of {table.info.dataset}")
        return np.stack([crop for crops in found for crop in crops])
