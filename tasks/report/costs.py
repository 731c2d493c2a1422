"""What the stages cost: each stage's artifacts together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tasks.report.model import Cost


@dataclass(frozen=True)
class StageCost:
    """A stage's artifacts together.

    Attributes:
        kind: of the artifacts. artifacts: how many there are. cached: how many of them the run found finished.
        seconds: in all. images_per_second: the mean, weighted by time; None where none of them has any.
        peak_memory, peak_gpu_memory: bytes of the largest; None where none was measured.
    """

    kind: str
    artifacts: int
    cached: int
    seconds: float
    images_per_second: float | None
    peak_memory: int | None
    peak_gpu_memory: int | None


def stages(costs: Iterable[Cost]) -> list[StageCost]:
    """The stages in the order in which they come; an artifact that plays two roles counts once."""
    once = {cost.artifact: cost for cost in costs}
    kinds: dict[str, list[Cost]] = {}
    for cost in once.values():
        kinds.setdefault(cost.kind, []).append(cost)
    return [_together(kind, mine) for kind, mine in kinds.items()]


def _together(kind: str, costs: list[Cost]) -> StageCost:
    speeds = [(c.images_per_second, c.seconds) for c in costs if c.images_per_second is not None]
    weight = sum(seconds for _, seconds in speeds)
    return StageCost(
        kind=kind,
        artifacts=len(costs),
        cached=sum(c.cached for c in costs),
        seconds=sum(c.seconds for c in costs),
        images_per_second=sum(speed * s for speed, s in speeds) / weight if weight else None,
        peak_memory=max((c.peak_memory for c in costs if c.peak_memory is not None), default=None),
        peak_gpu_memory=max((c.peak_gpu_memory for c in costs if c.peak_gpu_memory is not None), default=None),
    )
