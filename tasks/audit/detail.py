"""How much of the source's detail a translation keeps, in the whole image and inside the masks of thin classes.

Own code, as image libraries measure how alike a pair is, without masks, and not how much detail is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.audit.geometry import Plane, displacement, gradient_magnitude, luminance
from tasks.audit.rates import RESAMPLES, ratio, source_id
from tasks.compute import threads, with_progress
from tasks.contracts import DETAIL_PARTS, Detail
from tasks.datasets import ImageError, Sample, SampleTable, TableInfo, mask_of, other_size, read_image, subset
from tasks.evaluate import image_weights

MAX_WORST = 12
LEAST_PIXELS = 30  # of a thin class in an image, below which it is not measured there
MARGIN = 2  # pixels around a thin class's mask that belong to its region: its edges lie on the mask's border
_STABILISER = 170.0  # the constant of GMSD, for 0 to 255
_FLAT = 0.01  # mean gradient, or deviation of the high band, in grey levels, up to which there is no detail to keep
_LEAST_EDGE = 8.0  # Sobel magnitude of a step of two grey levels: what is below is rounding
_GAINS = (0.25, 4.0)  # beyond these, contrast is lost, not changed
_CANNY_UNITS = 8  # a unit of the Sobel magnitude in OpenCV's 16 bits: 255 grey levels at the least gain just fit
_SQUARE = np.ones((3, 3), np.uint8)
_HALF_BAND = np.array([-1, 0, 9, 16, 9, 0, -1], np.float32) / 32  # low-pass, of amplitude 1/2 at half Nyquist
Values = NDArray[np.float64]


@dataclass(frozen=True)
class DetailFound:
    """The detail that a translated set keeps.

    Attributes:
        ids: the translated images that were measured, in their table's order: ``N``.
        details: ``image`` first, then the thin classes that occur; means over images with 95 % intervals.
        per_image: ``gradient``, ``edges`` and ``high_band`` of the whole image, 0 to 1, and ``shift``, its
            displacement in pixels: ``[N]`` each, NaN where undefined.
        worst: region -> ids that lost most (in the mean of the three), the worst first; none that lost nothing.
    """

    ids: tuple[str, ...]
    details: tuple[Detail, ...]
    per_image: dict[str, Values]
    worst: dict[str, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class DetailMaps:
    """What detail is summed up from, an image pair; every map is ``[H, W]``.

    Attributes:
        weight: the source's gradient magnitude. similarity: of the gradient magnitudes, 0 to 1.
        edges: Canny edges of the source, of the translated image. near: the same, dilated by 1 px.
        energy: the source's high band, squared. kept: the product of both high bands.
    """

    weight: Plane
    similarity: Plane
    edges: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    near: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    energy: Plane
    kept: Plane

    @classmethod
    def of(cls, source: NDArray[np.uint8], translated: NDArray[np.uint8]) -> Self:
        """Of two RGB images ``uint8 [H, W, 3]`` of one size."""
        before, after = luminance(source), luminance(translated)
        after = after / np.float32(contrast_gain(before, after))
        g, h = gradient_magnitude(before), gradient_magnitude(after)
        bands = [plane - cv2.sepFilter2D(plane, -1, _HALF_BAND, _HALF_BAND) for plane in (before, after)]
        edges = _edges(before, after)
        near = [cv2.dilate(e.astype(np.uint8), _SQUARE) > 0 for e in edges]
        return cls(
            weight=g,
            similarity=np.asarray((2 * g * h + _STABILISER) / (g * g + h * h + _STABILISER), np.float32),
            edges=edges,
            near=(near[0], near[1]),
            energy=bands[0] * bands[0],
            kept=bands[0] * bands[1],
        )

    def measure(self, region: NDArray[np.bool_] | None = None) -> tuple[float, float, float]:
        """Gradient, edges and high band kept in a region ``[H, W]``, or in all of it: 0 to 1, NaN where there are none.

        * gradient: gradient magnitude similarity (Xue et al., GMSD, IEEE TIP 2014), its mean weighted by the source's
          gradient. Flat areas, where anything is similar, would otherwise hide what became of edges.
        * edges: F1 of the translated image's Canny edges (Canny, IEEE TPAMI 1986), the source's being the truth, with
          1 px of tolerance. Precision and recall are of the edges in the region.
        * high band: the amplitude of the source's high band, above half the Nyquist frequency, that is left: the
          regression coefficient of the translated band on the source's. Bare energy would count noise as detail.
        """

        def inside(plane: NDArray[Any]) -> NDArray[Any]:
            return plane.ravel() if region is None else plane[region]

        weight, energy = inside(self.weight).astype(float), inside(self.energy).astype(float)
        gradient, high_band = np.nan, np.nan
        if weight.sum() > _FLAT * weight.size:
            gradient = float((weight * inside(self.similarity)).sum() / weight.sum())
        if energy.sum() > _FLAT**2 * energy.size:
            high_band = float(np.clip(inside(self.kept).astype(float).sum() / energy.sum(), 0, 1))
        (before, after), (near_before, near_after) = (map(inside, maps) for maps in (self.edges, self.near))
        true, found = np.count_nonzero(before), np.count_nonzero(after)
        if not true:
            return gradient, np.nan, high_band
        recall = np.count_nonzero(before & near_after) / true
        precision = np.count_nonzero(after & near_before) / found if found else 0.0
        return gradient, 2 * precision * recall / (precision + recall or 1), high_band


def contrast_gain(before: Plane, after: Plane) -> float:
    """The factor of contrast between two luminances ``[H, W]``, from 1/4 to 4, 1 where the source is flat.

    It is that of structures of some ten to fifty pixels (a difference of Gaussians at a quarter of the size): they stay
    under blur and noise, and change with an image's contrast, so that what is divided by it has lost detail, and not
    merely contrast. The least-absolute-deviation regression through 0, which is the weighted median of pixelwise
    ratios, does not follow areas that were repainted, as a sky.
    """
    small = (max(1, before.shape[1] // 4), max(1, before.shape[0] // 4))
    scaled = [cv2.resize(plane, small, interpolation=cv2.INTER_AREA) for plane in (before, after)]
    x, y = ((cv2.GaussianBlur(s, (0, 0), 1.5) - cv2.GaussianBlur(s, (0, 0), 6)).ravel() for s in scaled)
    there = np.abs(x) > _FLAT
    if not there.any():
        return 1.0
    ratios = y[there] / x[there]
    order = np.argsort(ratios)
    total = np.cumsum(np.abs(x[there])[order], dtype=float)
    return float(np.clip(ratios[order][np.searchsorted(total, total[-1] / 2)], *_GAINS))


def _edges(before: Plane, after: Plane) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Canny edges of both, at the source's thresholds: Otsu's (IEEE TSMC 1979) of its gradients, and half of it.

    ``after`` has the source's contrast. Thresholds of its own would follow its blur, and find blurred edges again.
    """
    gradients = [[cv2.Sobel(plane, cv2.CV_32F, dx, 1 - dx) for dx in (1, 0)] for plane in (before, after)]
    levels = np.clip(np.sqrt(gradients[0][0] ** 2 + gradients[0][1] ** 2) / 4, 0, 255).astype(np.uint8)
    high = max(4 * cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)[0], _LEAST_EDGE)

    def edges(dx: NDArray[Any], dy: NDArray[Any]) -> NDArray[np.bool_]:
        x, y = (np.clip(np.rint(_CANNY_UNITS * d), -32767, 32767).astype(np.int16) for d in (dx, dy))
        return np.asarray(cv2.Canny(x, y, _CANNY_UNITS * high / 2, _CANNY_UNITS * high, L2gradient=True) > 0)

    return edges(*gradients[0]), edges(*gradients[1])


def measure_detail(
    source: SampleTable, translated: SampleTable, thin: Sequence[str], seed: int, images: int | None = None
) -> DetailFound:
    """Measure the detail that each translated image keeps of its source, and how far it is displaced.

    The translated luminance is first brought to the source's contrast (``contrast_gain``), because a translation may
    change it. Intervals are by bootstrap over the source's images, so that variants of one image stay together.

    Args:
        source, translated: the tables; a translated row is of the source's row of its extra's ``of``, or of its id.
        thin: classes inside whose masks (the source's) detail is measured too, where the taxonomy has them.
        seed: of the draw and of the bootstrap.
        images: how many translated images to measure, drawn at random; None for all.

    Raises:
        ValueError: a translated image is of no image of the source, or not of its size.
        ImageError: an image or a mask cannot be read, or a mask is not of its image's size.
    """
    drawn = translated if images is None else subset(translated, images, seed)
    pairs = _pairs(source, drawn)
    names = [c.name for c in source.info.classes]
    regions = {name: names.index(name) for name in dict.fromkeys(thin) if name in names}

    def one(pair: tuple[Sample, Sample]) -> tuple[Values, float]:
        return _measured(*pair, source.info, list(regions.values()))

    with ThreadPoolExecutor(threads()) as pool:
        results = with_progress(pool.map(one, pairs), len(pairs), f"detail of {source.info.dataset}", bar=False)
        measured = list(results)
    values = np.array([kept for kept, _ in measured]).reshape(len(pairs), 1 + len(regions), len(DETAIL_PARTS))
    ids = tuple(sample.id for _, sample in pairs)
    groups = np.unique([sample.id for sample, _ in pairs], return_inverse=True)[1].astype(np.int64)
    there = {
        name: values[:, k]
        for k, name in enumerate(("image", *regions))
        if name == "image" or not np.isnan(values[:, k]).all()
    }
    weights = image_weights(int(groups.max(initial=-1)) + 1, RESAMPLES, seed)
    return DetailFound(
        ids=ids,
        details=tuple(_detail(name, kept, groups, weights) for name, kept in there.items()),
        per_image={
            **{part: values[:, 0, k] for k, part in enumerate(DETAIL_PARTS)},
            "shift": np.array([shift for _, shift in measured], float),
        },
        worst={name: _worst(ids, kept) for name, kept in there.items()},
    )


def _pairs(source: SampleTable, translated: SampleTable) -> list[tuple[Sample, Sample]]:
    wanted = {source_id(sample) for sample in translated}
    by_id = {sample.id: sample for sample in source if sample.id in wanted}
    pairs = []
    for sample in translated:
        before = by_id.get(source_id(sample))
        if before is None:
            reason = f"is of {source_id(sample)!r}, which {source.folder} does not have"
            raise ValueError(f"{translated.folder}: image {sample.id!r} {reason}; translate it again")
        _check_size(sample, (sample.width, sample.height), before, (before.width, before.height))
        pairs.append((before, sample))
    return pairs


def _check_size(sample: Sample, size: tuple[int, int], before: Sample, wanted: tuple[int, int]) -> None:
    if size != wanted:
        sizes = f"is {size[0]}x{size[1]}, but its source {before.id!r} {wanted[0]}x{wanted[1]}"
        raise ValueError(f"{sample.image}: image {sample.id!r} {sizes}; translate it again")


def _measured(before: Sample, after: Sample, info: TableInfo, regions: list[int]) -> tuple[Values, float]:
    """Parts kept ``[1 + regions, 3]``, the image's first, and the displacement in pixels."""
    source, translated = read_image(before.image), read_image(after.image)
    _check_size(after, (translated.shape[1], translated.shape[0]), before, (source.shape[1], source.shape[0]))
    maps = DetailMaps.of(source, translated)
    values = np.full((1 + len(regions), len(DETAIL_PARTS)), np.nan)
    values[0] = maps.measure()
    if regions and before.mask is not None and info.encoding is not None:
        mask = mask_of(before, info)
        if mask.shape != source.shape[:2]:
            sizes = (mask.shape[1], mask.shape[0]), (source.shape[1], source.shape[0])
            raise ImageError(before.mask, other_size(*sizes), "size")
        for row, index in zip(values[1:], regions, strict=True):
            inside = (mask == index).astype(np.uint8)
            if np.count_nonzero(inside) >= LEAST_PIXELS:
                row[:] = maps.measure(cv2.dilate(inside, _SQUARE, iterations=MARGIN) > 0)
    return values, float(np.hypot(*displacement(source, translated)))


def _detail(region: str, kept: Values, groups: NDArray[np.int64], weights: NDArray[np.int32]) -> Detail:
    """Means over the images ``[N, 3]`` that have the region; ``groups [N]`` are resampled as whole."""
    sources = weights.shape[1]
    known = ~np.isnan(kept)
    rates = {
        part: ratio(
            np.bincount(groups, np.where(known[:, k], kept[:, k], 0), sources),
            np.bincount(groups, known[:, k], sources),
            weights,
        )
        for k, part in enumerate(DETAIL_PARTS)
    }
    return Detail(region=region, images=int(known.any(1).sum()), **rates)


def _worst(ids: tuple[str, ...], kept: Values) -> tuple[str, ...]:
    known = ~np.isnan(kept)
    lost = np.where(known, 1 - kept, 0).sum(1) / np.maximum(known.sum(1), 1)
    order = np.argsort(-lost, kind="stable")[:MAX_WORST].tolist()
    return tuple(ids[i] for i in order if lost[i] > 0)
