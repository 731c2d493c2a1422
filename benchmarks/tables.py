"""How long the operations on a sample table take: ``python -m benchmarks.tables [--rows N]``.

The table is synthetic; no images are read. Peak memory is the process's so far, so that it only grows down the list.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.datasets import SCHEMA, SampleTable, SegmentationClass, TableInfo
from tasks.datasets.select import divided, filtered, subset

CLASSES = 19
SPLITS = ("train", "val", "test")


def synthetic_table(rows: int, sequences: int, folder: Path, seed: int = 0) -> SampleTable:
    """A table of images with 0 to 8 boxes, every twentieth unlabelled; class c is shown by 0.6 ** c of them.

    Args:
        rows: how many images.
        sequences: how many drives they are of.
        folder: where relative paths start.
        seed: of all that is random.
    """
    rng = np.random.default_rng(seed)
    number = pa.array(np.arange(rows))
    text = pc.utf8_lpad(number.cast(pa.string()), 8, "0")
    sequence = pc.utf8_lpad(pa.array(np.sort(rng.integers(0, sequences, rows))).cast(pa.string()), 5, "0")
    digest = pc.binary_join_element_wise(*[text] * 8, "")  # 64 characters, as a SHA-256 has
    pixels = rng.integers(1, 1 << 20, (rows, CLASSES), np.int32)
    pixels[rng.random((rows, CLASSES)) > 0.6 ** np.arange(CLASSES)] = 0
    columns = {
        "id": pc.binary_join_element_wise(pc.binary_join_element_wise("drive", sequence, ""), text, "_"),
        "image": pc.binary_join_element_wise("images/", text, ".png", ""),
        "mask": pc.binary_join_element_wise("masks/", text, ".png", ""),
        "width": np.full(rows, 1920, np.int32),
        "height": np.full(rows, 1080, np.int32),
        "split": pa.DictionaryArray.from_arrays(rng.integers(0, len(SPLITS), rows, np.int8), SPLITS).cast(pa.string()),
        "sequence": sequence,
        "sha256": digest,
        "mask_sha256": digest,
        "phash": rng.integers(0, 1 << 64, rows, np.uint64),
        "class_pixels": pa.ListArray.from_arrays(np.arange(rows + 1, dtype=np.int32) * CLASSES, pixels.ravel()),
        "boxes": _boxes(rng, rows),
        "extra": pa.repeat("{}", rows),
    }
    info = TableInfo(
        dataset="synthetic",
        classes=tuple(SegmentationClass(name=f"class {i}", color=(i, 0, 0)) for i in range(CLASSES)),
        detection=("person", "car", "truck", "bus"),
        encoding=None,
        boxes_from="annotated",
    )
    return SampleTable(pa.table(columns, schema=SCHEMA), info, folder)


def _boxes(rng: np.random.Generator, rows: int) -> pa.ListArray:
    unlabelled = np.arange(rows) % 20 == 19
    counts = np.where(unlabelled, 0, rng.integers(0, 9, rows))
    total = int(counts.sum())
    x, y = rng.integers(0, 1800, total), rng.integers(0, 1000, total)
    fields = {"category": rng.integers(0, 4, total), "x1": x, "y1": y, "x2": x + 40, "y2": y + 30}
    of_box = SCHEMA.field("boxes").type.value_type
    arrays = [pa.array(values).cast(of_box.field(name).type) for name, values in fields.items()]
    boxes = pa.StructArray.from_arrays([*arrays, pa.array(np.zeros(total, bool))], fields=list(of_box))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(starts, boxes, mask=pa.array(unlabelled))


def main() -> None:
    """Print operation, seconds and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table")
    rows: int = parser.parse_args().rows
    print(f"{rows:,} rows\n{'operation':32} {'seconds':>8} {'peak MB':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = _timed("make", lambda: synthetic_table(rows, max(rows // 200, 3), folder))
        _timed("write", lambda: table.write(folder))
        table = _timed("read", lambda: SampleTable.read(folder))
        few = min(10_000, rows // 2)
        shares = {"train": 0.8, "val": 0.1, "test": 0.1}
        _timed("filtered by split", lambda: filtered(table, split="val"))
        _timed("filtered by glob", lambda: filtered(table, include="*[13579]_*7"))
        _timed("divided 0.8/0.1/0.1", lambda: divided(table, shares))
        _timed(f"subset random {few:,}", lambda: subset(table, few))
        _timed(f"subset stratified {few:,}", lambda: subset(table, few, draw="stratified"))
        _timed("labelled with boxes", lambda: table.labelled("boxes"))
        _timed("first 1,000 samples", lambda: list(islice(table, 1000)))
        _timed("1,000 samples by position", lambda: [table[i] for i in range(0, rows, max(rows // 1000, 1))])
        _timed("all samples", lambda: deque(table, maxlen=0))
        _timed("all samples, and from_samples", lambda: SampleTable.from_samples(table, table.info, folder))


def _timed(what: str, operation: Callable[[], Any]) -> Any:
    start = time.perf_counter()
    result = operation()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux: KiB
    print(f"{what:32} {seconds:8.2f} {peak:8.0f}", flush=True)
    return result


if __name__ == "__main__":
    main()
