"""What a segmenter's evaluation leaves of every image beside scores: a feature vector, for distances between sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

FEATURES = "features.parquet"  # id; feature: the mean of the backbone's last map over the image


def write_features(folder: Path, ids: Sequence[str], features: Sequence[NDArray[np.float32]]) -> None:
    """Write the features ``[D]`` of every image; none where images do not pass whole."""
    pq.write_table(pa.table({"id": ids, "feature": features}), folder / FEATURES)


def read_features(folder: Path) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """The images' ids in the table's order, and their features ``[N, D]``.

    Raises:
        OSError: there is no file, or it cannot be read.
        ValueError: it holds something else, or features of several lengths.
    """
    try:
        rows = pq.read_table(folder / FEATURES, columns=["id", "feature"])
        # By Arrow alone: Python's own numbers would take gigabytes.
        lengths = pc.unique(pc.list_value_length(rows["feature"])).to_pylist()
        values = pc.list_flatten(rows["feature"]).to_numpy().astype(np.float32)
        ids = tuple(str(i) for i in rows["id"].to_pylist())
    except (pa.ArrowException, KeyError, TypeError) as error:
        raise ValueError(f"{FEATURES} holds no features of images: {error}") from error
    if len(lengths) > 1 or None in lengths:
        raise ValueError(f"{FEATURES} holds features of several lengths: {sorted(map(str, lengths))}")
    return ids, values.reshape(len(ids), -1) if lengths else values.reshape(0, 0)
