"""How fast a data set is read: ``python -m benchmarks.datasets [CONFIG [--role source]]``.

The first read against a bare loop that decodes and hashes the same files with as many threads, and the second read,
which checks sizes and times only. Without a configuration, a set of 400 JPEG images of 1280x720 with PNG masks and
boxes is drawn for it. The files are read once before anything is timed, so that all find them in memory.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from tasks.datasets import DatasetsConfig, FolderDataset, RunConfig, SampleTable, build_dataset, content_of, open_image
from tasks.settings import read, validate
from tasks.store import Store

ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path, nargs="?")
    parser.add_argument("--role", choices=("source", "target", "benchmark"), default="source")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        datasets = from_file(options.config) if options.config else drawn(Path(folder) / "set")
        measure(datasets, options.role, Path(folder))


def from_file(path: Path) -> DatasetsConfig:
    """The data sets of a pipeline's configuration."""
    document = read(path)
    document.values = {"name": "benchmark", "datasets": document.values["datasets"]}
    return validate(document, RunConfig).datasets


def measure(datasets: DatasetsConfig, role: str, folder: Path) -> None:
    """Print the table."""
    config = getattr(datasets, role)
    table = SampleTable.read(build_dataset(config, datasets, Store(folder / "warm")).path)
    files = [path for sample in table for path in (sample.image, sample.mask) if path is not None]
    bare, first, second = [], [], []
    for n in range(ROUNDS):
        store = Store(folder / f"store{n}")
        bare.append(timed(lambda: decode_and_hash(files)))
        first.append(timed(lambda s=store: build_dataset(config, datasets, s)))
        second.append(timed(lambda s=store: build_dataset(config, datasets, s)))
    print(f"{len(table)} images, {len(files)} files, {os.cpu_count()} threads; median of {ROUNDS} rounds (fastest)")
    print(f"{'':24}{'seconds':>18}{'images/s':>10}")
    for name, seconds in (("bare decode and hash", bare), ("first read", first), ("second read", second)):
        middle = statistics.median(seconds)
        print(f"{name:24}{middle:9.3f} ({min(seconds):.3f}){len(table) / middle:10.0f}")
    ratio = statistics.median(b / f for b, f in zip(bare, first, strict=True))
    print(f"first read at {ratio:.2f} of the bare loop's speed")
    print(f"second read {statistics.median(first) / statistics.median(second):.0f} times faster than the first")


def decode_and_hash(files: list[Path]) -> None:
    """Read, hash and decode to an array, and nothing else."""

    def one(path: Path) -> None:
        content = content_of(path)
        hashlib.sha256(content).hexdigest()
        np.asarray(open_image(content, path))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, files))


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def drawn(root: Path, count: int = 400, width: int = 1280, height: int = 720) -> DatasetsConfig:
    """A folder of smooth random images with blocks of 11 classes and ten boxes each."""
    rng = np.random.default_rng(0)
    for kind in ("images", "masks"):
        (root / kind / "train").mkdir(parents=True)
    images, annotations = [], []
    for n in range(count):
        coarse = rng.integers(0, 256, (18, 32, 3), np.uint8)
        Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(root / f"images/train/{n}.jpg")
        labels = rng.integers(0, 11, (18, 32), np.uint8)
        Image.fromarray(labels).resize((width, height), Image.Resampling.NEAREST).save(root / f"masks/train/{n}.png")
        images.append({"id": n, "file_name": f"{n}.jpg", "width": width, "height": height})
        for x in range(10):
            annotations.append({"id": len(annotations), "image_id": n, "category_id": 1, "bbox": [100 * x, 50, 80, 60]})
    coco = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "car"}]}
    (root / "boxes_train.json").write_text(json.dumps(coco))
    folder = FolderDataset(format="folder", name="camvid", root=root)
    taxonomy = Path("configs/taxonomies/camvid11.yaml")
    return DatasetsConfig(taxonomy=taxonomy, source=folder, target=folder, benchmark=folder)


if __name__ == "__main__":
    main()
