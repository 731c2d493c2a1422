"""How far two distributions are apart."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr


def jensen_shannon(a: NDArray[np.number], b: NDArray[np.number]) -> float:
    """Jensen-Shannon divergence in bits: 0 for the same distribution, 1 for disjoint ones (Lin, IEEE Trans. IT 1991).

    From SciPy's relative entropies: its ``jensenshannon`` is the square root, and NaN for distributions that are the
    same but for rounding.

    Args:
        a, b: arrays of one shape, of counts or shares, none negative; each is normalised to the sum 1.

    Raises:
        ValueError: the shapes differ, a value is negative or not finite, or one of them is 0 throughout.
    """
    p, q = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if p.shape != q.shape:
        raise ValueError(f"distributions of shapes {p.shape} and {q.shape}: they must be the same")
    if not all(np.isfinite(v).all() and (v >= 0).all() and v.any() for v in (p, q)):
        raise ValueError("a distribution has a value that is negative or not finite, or only zeros")
    p, q = p / p.sum(), q / q.sum()
    mean = (p + q) / 2
    nats = float(rel_entr(p, mean).sum() + rel_entr(q, mean).sum()) / 2
    return min(max(nats / math.log(2), 0.0), 1.0)
