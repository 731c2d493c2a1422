"""Keys of earlier releases: a configuration that still has one is told where it is now."""

from __future__ import annotations

import re

_MOVED = {
    r"retrain\.(device|gpus|workers|loaders|runner|cluster)": r"is compute.\1 now",
    r"evaluate\.audit": "is audit now",
    r"(translate\.translators\.\d+|translator)\.training\.gpus": "is gone: a batch is divided "
    "among as many of compute.gpus as compute.workers leaves to a training",
}


def moved(key: str) -> str | None:
    """What became of a key, such as ``is compute.workers now``; None of one that never was.

    Args:
        key: dotted, with the positions of list items as numbers.
    """
    for pattern, place in _MOVED.items():
        if (found := re.fullmatch(pattern, key)) is not None:
            return found.expand(place)
    return None
