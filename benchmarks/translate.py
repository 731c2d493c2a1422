"""How much translation costs beside the network: ``python -m benchmarks.translate [--count N] [--size W H] ...``.

In one run, in turns: the bare forward of a generator on images held in memory, in the same batches, on all of torch's
threads, and ``translate_table`` from PNG files to PNG files on as many. On a CPU it can come out below 1: two images at
once on half of the threads each wait less for each other than one on all. The images are drawn: smooth, with noise, so
that their PNGs are as large as CamVid's (231 KB for 480x360). The weights are random and small, so that a translation
resembles its source.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from tasks.compute import device_name, resolve_device, share_threads, threads
from tasks.datasets import Sample, SampleTable, TableInfo, read_image
from tasks.store import file_sha256, write_png
from tasks.translate import (
    MINIMUM,
    MULTIPLE,
    ResnetGenerator,
    WholeImageTranslator,
    autocast,
    initialise,
    to_tensor,
    translate_padded,
    translate_table,
)

LIMIT = 1.15  # what translation may take at most, in times of the bare forward


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--count", type=int, default=64, help="images")
    parser.add_argument("--size", type=int, nargs=2, default=(480, 360), metavar=("W", "H"), help="pixels")
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--blocks", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default=resolve_device())
    options = parser.parse_args()
    logging.getLogger("tasks.compute.progress").setLevel(logging.WARNING)
    network = ResnetGenerator(options.channels, options.blocks, skip=True)
    initialise(network, torch.Generator().manual_seed(0), std=0.002)
    translator = WholeImageTranslator(network, MULTIPLE, MINIMUM, torch.device(options.device))
    with tempfile.TemporaryDirectory() as folder:
        table = drawn(Path(folder) / "source", options.count, *options.size)
        where = f"{device_name(translator.device)}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        what = f"{options.count} images of {options.size[0]}x{options.size[1]}"
        print(f"{what}; {options.channels} channels, {options.blocks} blocks; {where}", flush=True)
        measure(table, translator, Path(folder), options.rounds)


def measure(table: SampleTable, translator: WholeImageTranslator, folder: Path, rounds: int) -> None:
    """Print the table."""
    images = [read_image(s.image) for s in table]
    count = max(1, translator.batch_pixels // (images[0].shape[0] * images[0].shape[1]))
    batches = [np.stack(images[k : k + count]) for k in range(0, len(images), count)]
    forward(translator, batches[:1])
    bare, whole = [], []
    for n in range(rounds):
        torch.set_num_threads(threads())
        bare.append(timed(lambda: forward(translator, batches)))
        share_threads()
        (folder / str(n)).mkdir()
        whole.append(timed(lambda out=folder / str(n): translate_table(table, translator, out, "benchmark")))
    print(f"{'':14}{'seconds: median (fastest)':>28}{'images/s':>10}")
    for name, seconds in (("bare forward", bare), ("disk to disk", whole)):
        middle = statistics.median(seconds)
        print(f"{name:14}{middle:18.2f} ({min(seconds):.2f}){len(table) / middle:11.2f}")
    ratio = statistics.median(w / b for w, b in zip(whole, bare, strict=True))
    verdict = "ok" if ratio <= LIMIT else "TOO SLOW"
    print(f"translation takes {ratio:.3f} times the bare forward (at most {LIMIT}): {verdict}")


@torch.inference_mode()
def forward(translator: WholeImageTranslator, batches: list[np.ndarray]) -> None:
    """The network on these batches, and nothing else but moving them to the device."""
    device = translator.device
    with autocast(device):
        for batch in batches:
            translate_padded(translator.network, to_tensor(batch, device), translator.multiple)
    if device.type == "cuda":
        torch.cuda.synchronize()


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def drawn(folder: Path, count: int, width: int, height: int) -> SampleTable:
    """Smooth random images with noise."""
    rng = np.random.default_rng(0)
    samples = []
    for k in range(count):
        path = folder / f"{k:04d}.png"
        coarse = rng.integers(40, 216, (height // 40 + 1, width // 40 + 1, 3)).astype(np.uint8)
        smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        write_png(path, (smooth + rng.normal(0, 0.6, smooth.shape)).clip(0, 255).astype(np.uint8))
        samples.append(Sample(path.stem, path, None, width, height, "train", file_sha256(path), None, None))
    info = TableInfo(dataset="drawn", classes=(), detection=(), encoding=None, boxes_from=None)
    return SampleTable.from_samples(samples, info, folder)


if __name__ == "__main__":
    main()
