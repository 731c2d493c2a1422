"""How close the translated set came to the real one: the features that are there, their distances, and their map."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.audit.config import AuditConfig
from tasks.audit.domains import domain_map
from tasks.audit.extract import (
    FeatureError,
    ImageFeatures,
    OfTable,
    efficientnet_features,
    inception_features,
    segmenter_features,
)
from tasks.audit.gap import paired
from tasks.audit.realism import FeatureSets, distances, semantic_kernel_distance
from tasks.contracts import Artifact, Distance, DomainMap, Finding
from tasks.datasets import SampleTable, subset

_LEAST = 2  # images of a set, or nothing can be fitted
Tables = tuple[SampleTable, SampleTable, SampleTable]
Judgements = tuple[Artifact | None, Artifact | None, Artifact | None]
Row = tuple[str, NDArray[np.float32]]
Sets = tuple[ImageFeatures, ImageFeatures, ImageFeatures]


@dataclass(frozen=True)
class Closeness:
    """Distances to the real set, and the map of domains on the features of ``audit.features``.

    Attributes:
        notes: what could not be measured, and why.
    """

    distances: tuple[Distance, ...] = ()
    map: DomainMap | None = None
    notes: tuple[Finding, ...] = ()


def measure_closeness(
    source: SampleTable,
    real: SampleTable,
    translated: SampleTable,
    judged: Judgements,
    config: AuditConfig,
    device: str = "cpu",
) -> Closeness:
    """Measure distances, and draw the map, on the features that the configuration asks for.

    Args:
        source, real, translated: the sets.
        judged: the segmenter's evaluations on them, in this order.
        config: which features, and on how many images of each set.
        device: where networks run, as torch names it.

    Returns:
        Nothing of the segmenter's features where it left none, with a note. Nothing at all of less than two images.

    Raises:
        FeatureError: features that the configuration names cannot be had.
        ImageError: an image cannot be read.
    """
    if min(len(source), len(real), len(translated)) < _LEAST:
        return Closeness()
    source, translated = paired(source, translated, config.images, config.seed)
    real = real if config.images is None else subset(real, config.images, config.seed)
    tables = (source, real, translated)
    found: dict[str, Sets] = {}
    notes: tuple[Finding, ...] = ()
    if config.features == "efficientnet_lite0":
        found["efflite0"] = _each(tables, efficientnet_features(device))
    else:
        try:
            found["seg"] = _segmenter(tables, judged)
        except FeatureError as error:  # they come for nothing, and nobody asked for them by name
            notes = (Finding.of("audits.note_features", why=error.finding),)
    if (weights := config.inception) is not None:
        found["inception"] = _each(tables, inception_features(weights, device))
    features = {name: FeatureSets(*(values for _, values in sets)) for name, sets in found.items()}
    measured = distances(features, config.seed)
    semantic = _semantic(tables, config, device)
    maps = (domain_map(name, r, s, t, seed=config.seed) for name, (s, r, t) in found.items())
    return Closeness(measured if semantic is None else (*measured, semantic), next(maps, None), notes)


def _semantic(tables: Tables, config: AuditConfig, device: str) -> Distance | None:
    if config.features == "segmenter":
        return semantic_kernel_distance(*tables, "colour", config.seed)
    return semantic_kernel_distance(*tables, "efflite0", config.seed, device=device)


def _each(tables: Tables, features: OfTable) -> Sets:
    source, real, translated = (features(t) for t in tables)
    return source, real, translated


def _segmenter(tables: Tables, judged: Judgements) -> Sets:
    """The segmenter's features of the tables' images; of source and translated set, of those that have both.

    Raises:
        FeatureError: there are none, or of less than two images.
    """
    files = [artifact.path for artifact in judged if artifact is not None]
    if len(files) < len(judged):
        raise FeatureError(Finding.of("audits.features_untrained"))
    source, real, translated = (_rows(t, f) for t, f in zip(tables, files, strict=True))
    both = [(a, b) for a, b in zip(source, translated, strict=True) if a is not None and b is not None]
    alone = [r for r in real if r is not None]
    if min(len(both), len(alone)) < _LEAST:
        raise FeatureError(Finding.of("audits.features_few"))
    return _stacked([a for a, _ in both]), _stacked(alone), _stacked([b for _, b in both])


def _rows(table: SampleTable, folder: Path) -> list[Row | None]:
    """Id and features of each row of a table; None where the segmenter has not read it."""
    known = dict(zip(*segmenter_features(folder), strict=True))
    return [(i, known[i]) if i in known else None for i in table.rows["id"].to_pylist()]


def _stacked(rows: list[Row]) -> ImageFeatures:
    return tuple(i for i, _ in rows), np.stack([values for _, values in rows])
