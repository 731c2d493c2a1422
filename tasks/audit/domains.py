"""The map of domains: where translated images lie between the source's and the real ones, in two dimensions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.audit.extract import ImageFeatures
from tasks.contracts import Domain, DomainMap, MapPoint

Floats = NDArray[np.float64]


def domain_map(
    name: str,
    real: ImageFeatures,
    source: ImageFeatures,
    translated: ImageFeatures,
    limit: int = 200,
    seed: int = 0,
) -> DomainMap:
    """Project images of three domains on the first two principal components of the real and the source set.

    The translated images have no say in the axes: one sees them move within the frame of the other two. Features are
    standardised by those two sets. A component's sign is that which makes its largest loading positive.

    Args:
        name: of the features.
        real, source, translated: ids and features ``[N, D]``.
        limit: of points a domain; each gets equally many. Source and translated points are of the same images, where
            ids are shared.
        seed: of the draw.

    Raises:
        ValueError: a set is empty or has not one id a row, or the features are not of one width of at least 2, or not
            finite.
    """
    _check(name, {"real": real, "source": source, "translated": translated})
    rng = np.random.default_rng(seed)
    before, after = _same_images(source, translated)
    count = min(limit, len(real[0]), len(before[0]), len(after[0]))
    order = rng.permutation(len(before[0]))[:count]
    paired = len(before[0]) == len(after[0])
    drawn: dict[Domain, ImageFeatures] = {
        "real": _take(real, rng.permutation(len(real[0]))[:count]),
        "source": _take(before, order),
        "translated": _take(after, order if paired else rng.permutation(len(after[0]))[:count]),
    }
    fitted = np.concatenate([drawn["real"][1], drawn["source"][1]]).astype(np.float64)
    mean, scale = fitted.mean(axis=0), fitted.std(axis=0)
    scale[scale == 0] = 1  # a feature that never changes says nothing
    axes, explained = principal_axes((fitted - mean) / scale)
    points = []
    for domain, (ids, features) in drawn.items():
        places = (features.astype(np.float64) - mean) / scale @ axes.T
        points += [MapPoint(domain=domain, id=i, x=x, y=y) for i, (x, y) in zip(ids, places.tolist(), strict=True)]
    return DomainMap(features=name, explained=explained, points=tuple(points))


def principal_axes(centred: Floats) -> tuple[Floats, tuple[float, float]]:
    """The first two principal components of centred rows ``[N, D]``, N and D at least 2.

    Returns:
        Unit vectors ``[2, D]``, and the shares of the variance that lie along them (0 where there is no variance).
    """
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2]
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.where(axes[[0, 1], largest] < 0, -1.0, 1.0)[:, None]
    variance = values**2
    total = float(variance.sum()) or 1.0
    return axes, (float(variance[0]) / total, float(variance[1]) / total)


def _same_images(a: ImageFeatures, b: ImageFeatures) -> tuple[ImageFeatures, ImageFeatures]:
    """The rows of both whose ids are shared, in one order; both unchanged where none is."""
    in_a, in_b = ({i: k for k, i in enumerate(ids)} for ids, _ in (a, b))
    shared = [i for i in in_a if i in in_b]
    if not shared:
        return a, b
    return _take(a, np.array([in_a[i] for i in shared])), _take(b, np.array([in_b[i] for i in shared]))


def _take(features: ImageFeatures, rows: NDArray[np.int64]) -> ImageFeatures:
    ids, values = features
    return tuple(ids[k] for k in rows.tolist()), values[rows]


def _check(name: str, sets: dict[str, ImageFeatures]) -> None:
    for domain, (ids, values) in sets.items():
        if values.ndim != 2 or len(ids) != len(values) or not len(ids) or values.shape[1] < 2:
            raise ValueError(
                f"map of {name}: {domain} has {len(ids)} ids and features of shape {values.shape}; "
                "there must be an image, and two features an image"
            )
        if not np.isfinite(values).all():
            raise ValueError(f"map of {name}: {domain} has features that are not finite")
    if len({values.shape[1] for _, values in sets.values()}) > 1:
        widths = {domain: values.shape[1] for domain, (_, values) in sets.items()}
        raise ValueError(f"map of {name}: features of different widths: {widths}")
