"""COCO's compressed run-length encoding of binary masks (https://github.com/cocodataset/cocoapi, maskApi).

The lengths of runs of 0 and 1 in turn, column by column, the first of 0. From the fourth on, each is the difference to
the one two before it. A number is written in groups of 5 bits, the lowest first, each a character of its value + 48
(+ 32 where another follows); the highest of its bits is the sign. Decoded here because pycocotools 2.0.11 does not
check what it decodes: a damaged string can be a segmentation fault.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.datasets.errors import MalformedError

_MAX_GROUPS = 7  # 35 bits: more than any image has pixels


def decode_rle(counts: bytes, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Decode a mask: ``bool [H * W]``, column by column.

    Args:
        counts: the encoded run lengths.
        size: width and height.

    Raises:
        MalformedError: this is no encoding of a mask of this size.
    """
    runs = _runs(np.frombuffer(counts, np.uint8).astype(np.int64) - 48)
    pixels = size[0] * size[1]
    if (runs < 0).any() or (runs > pixels).any() or runs.sum() != pixels:
        raise MalformedError("data.rle_runs", width=size[0], height=size[1])
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


def _runs(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The run lengths, unchecked, of groups of 5 bits and a continuation bit."""
    last = np.flatnonzero((groups & 32) == 0)
    if not len(last) or last[-1] != len(groups) - 1 or groups.min() < 0 or groups.max() > 63:
        raise MalformedError("data.rle_characters")
    first = np.concatenate(([0], last[:-1] + 1))
    lengths = last - first + 1
    if lengths.max() > _MAX_GROUPS:
        raise MalformedError("data.rle_numbers")
    shifts = 5 * (np.arange(len(groups)) - np.repeat(first, lengths))
    runs = np.add.reduceat((groups & 31) << shifts, first)
    runs -= np.where(groups[last] & 16, 1 << 5 * lengths, 0)
    runs[1::2] = runs[1::2].cumsum()
    runs[2::2] = runs[2::2].cumsum()
    return runs
