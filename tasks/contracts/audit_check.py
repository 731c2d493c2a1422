"""A check of an audit: a measure of the translation against its threshold."""

from __future__ import annotations

from typing import Literal, get_args

from tasks.contracts.finding import Finding
from tasks.contracts.frozen import Frozen

Severity = Literal["error", "warning"]
Unit = Literal["share", "px", "times", "points"]
Measure = Literal["flips", "flipped_images", "detail", "recall", "colour", "geometry", "distance"]
DetailPart = Literal["gradient", "edges", "high_band"]
DETAIL_PARTS: tuple[DetailPart, ...] = get_args(DetailPart)
BoxSize = Literal["all", "small", "medium", "large"]


class Subject(Frozen):
    """What a check is of; None is what its measure does not tell apart.

    Attributes:
        class_name: the class; without one, all classes of flips, and the whole image of detail and geometry.
        becomes: of flips, the class that most of them are read as. part: of detail. size: of recall, of the boxes.
        distance: its name.
    """

    class_name: str | None = None
    becomes: str | None = None
    part: DetailPart | None = None
    size: BoxSize | None = None
    distance: str | None = None


class AuditCheck(Frozen):
    """A measure against its threshold.

    Attributes:
        measure: what was measured. subject: of what.
        severity: what it means where it did not pass: an ``error`` stops the run before retraining.
        measured: in ``unit``; larger is worse for every measure. threshold: the largest value that passes.
        found: what was measured, as half a sentence. advice: what to do, as the other half; None where it passed.
        listed: ids of the images that it shows most in, the worst first.
        images: how many it was measured on; None where that is not known.
    """

    measure: Measure
    subject: Subject = Subject()
    severity: Severity
    passed: bool
    measured: float
    threshold: float
    unit: Unit
    found: Finding
    advice: Finding | None = None
    listed: tuple[str, ...] = ()
    images: int | None = None

    @property
    def excess(self) -> float:
        """How many times the threshold was measured: what checks are ranked by. Infinite where the threshold is 0."""
        if self.threshold > 0:
            return self.measured / self.threshold
        return float("inf") if self.measured > 0 else 0.0
