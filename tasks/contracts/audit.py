"""What an audit says, as plain data: ``audit.json`` is ``Audit``, dumped; the report reads nothing else."""

from __future__ import annotations

from typing import ClassVar, Literal

from tasks.contracts.audit_check import AuditCheck, BoxSize
from tasks.contracts.filed import Filed
from tasks.contracts.finding import Finding
from tasks.contracts.frozen import Frozen

Domain = Literal["real", "source", "translated"]


class Rate(Frozen):
    """A share from 0 to 1 with its 95 % interval over images; None where nothing was counted."""

    value: float | None
    low: float | None = None
    high: float | None = None


class ClassFlips(Frozen):
    """The flips of one class.

    Attributes:
        pixels: pixels of the class that the judge read rightly in the source.
        rate: the share of these that it reads as another class after translation.
        to: class -> share of ``pixels`` that is read as that class afterwards; the largest first, none of 0.
    """

    name: str
    pixels: int
    rate: Rate
    to: dict[str, float]


class Flips(Frozen):
    """Semantic flipping: pixels that a segmenter of the real side reads rightly before translation, wrongly after.

    Attributes:
        share: flipped pixels among those read rightly before. recovered: pixels read wrongly before and rightly after,
            among those read wrongly before.
        matrix: ``[C][C]`` pixels by label (all read rightly before) and by what is read after.
        source_accuracy, translated_accuracy: share of all labelled pixels that the judge reads as labelled.
        real_accuracy, real_miou: the judge's own scores on the real benchmark: how far it can be trusted.
    """

    share: Rate
    recovered: Rate
    classes: tuple[ClassFlips, ...]
    matrix: tuple[tuple[int, ...], ...]
    source_accuracy: float | None
    translated_accuracy: float | None
    real_accuracy: float | None
    real_miou: float | None


class Detail(Frozen):
    """How much of the source's detail is left, 1 being all of it; None where there was none to keep.

    Attributes:
        region: ``image``, or the class inside whose mask it was measured. images: how many had the region.
        gradient: mean gradient-magnitude similarity. edges: F1 of Canny edges, the source's being the truth.
        high_band: amplitude of the source above half the Nyquist frequency that the translation still holds, at most 1.
    """

    region: str
    images: int
    gradient: Rate
    edges: Rate
    high_band: Rate


class Recall(Frozen):
    """Recall of a frozen detector at IoU 0.5 on the simulator's boxes of one size, before and after translation."""

    size: BoxSize
    boxes: int
    before: Rate
    after: Rate


class Distance(Frozen):
    """A distance to the real set, named for the features it is taken on.

    Attributes:
        before, after: of the source and of the translated set. floor: between two halves of the real set: what cannot
            be told from nothing. images: (source, real) images it was measured on.
    """

    name: str
    before: float
    after: float
    floor: float | None
    images: tuple[int, int]


class ClassGap(Frozen):
    """The gap of one class between source and real set; None where one of them has none of it.

    Attributes:
        frequency_source, frequency_real: share of labelled pixels.
        prior: Jensen-Shannon divergence (base 2, 0 to 1) of where in the image the class lies, given that it is there.
        colour_before, colour_after: distance of the class's CIELAB statistics to the real set's.
    """

    name: str
    frequency_source: float
    frequency_real: float
    prior: float | None
    colour_before: float | None
    colour_after: float | None


class Gap(Frozen):
    """The domain gap in two: what translation can close (RGB), and what only other scenes could (semantic).

    Attributes:
        spectrum_before, spectrum_after: mean absolute difference of the radial log power spectra to the real set's,
            in dB.
        colour_before, colour_after: Frechet distance on CIELAB statistics.
        frequency: Jensen-Shannon divergence (0 to 1) of the class frequencies.
        prior: mean over the classes of their ``prior``.
    """

    colour_before: float
    colour_after: float
    spectrum_before: float
    spectrum_after: float
    frequency: float | None
    prior: float | None
    classes: tuple[ClassGap, ...]


class MapPoint(Frozen):
    """An image on the two-dimensional map of domains."""

    domain: Domain
    id: str
    x: float
    y: float


class DomainMap(Frozen):
    """Images of all three domains on the two first principal components of a frozen network's features.

    Attributes:
        explained: share of the variance along each axis.
    """

    features: str
    explained: tuple[float, float]
    points: tuple[MapPoint, ...]


class Acted(Frozen):
    """An image whose flipped share was over the threshold, and what was done with it."""

    id: str
    flipped: float
    action: Literal["drop", "keep_source"]


class Audit(Filed):
    """The audit of one translated set. ``checks`` are ranked: those that failed most come first.

    Attributes:
        acted: images with too much flipped. notes: what could not be measured, and how far the rest can be trusted.
    """

    FILE: ClassVar[str] = "audit.json"

    translator: str
    images: int
    checks: tuple[AuditCheck, ...]
    flips: Flips | None
    detail: tuple[Detail, ...]
    recall: tuple[Recall, ...]
    distances: tuple[Distance, ...]
    gap: Gap | None
    map: DomainMap | None
    acted: tuple[Acted, ...] = ()
    notes: tuple[Finding, ...] = ()
