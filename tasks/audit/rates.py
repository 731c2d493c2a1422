"""What the audit's measures share: which image a translation was made of, and shares with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Rate
from tasks.datasets import Sample
from tasks.evaluate import interval

RESAMPLES = 1000


def source_id(sample: Sample) -> str:
    """The id of the source's image that a translated one was made of."""
    return str(sample.extra.get("of", sample.id))


def ratio(part: NDArray[Any], whole: NDArray[Any], weights: NDArray[np.int32]) -> Rate:
    """Sum of ``part [N]`` over sum of ``whole [N]``, with its interval over resamples, ``[R, N]`` of how often."""
    if not whole.sum():
        return Rate(value=None)
    parts, wholes = weights @ part, weights @ whole
    low, high = interval(np.divide(parts, wholes, out=np.full(len(weights), np.nan), where=wholes > 0))
    return Rate(value=float(part.sum() / whole.sum()), low=low, high=high)
