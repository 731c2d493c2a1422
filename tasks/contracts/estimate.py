"""A score with its interval."""

from __future__ import annotations

from tasks.contracts.frozen import Frozen


class Estimate(Frozen):
    """A score from 0 to 1 with its 95 % interval; all None where the benchmark has nothing to score it on."""

    value: float | None
    low: float | None = None
    high: float | None = None
