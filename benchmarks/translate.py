"""How much translation costs beside the network: ``python -m benchmarks.translate [--count N] [--size W H] ...``.

In one run, in turns, each on all of torch's threads:

* the plain loop: what test programs of the kind of CUT's do, an image at a time: PIL opens a PNG, it becomes a tensor,
  passes the network in float32 without gradients, and PIL saves a PNG as it does by default. Theirs also write the
  source anew beside the translation, which is left out here.
* the bare forward of the generator in float32 on images held in memory, in the batches of the last two.
* ``translate_table`` from PNG files to PNG files in float32, and in bfloat16. On a CPU it can take less than the bare
  forward: two images at once on half of the threads each wait less for each other than one on all.

The images are drawn: smooth, with noise, so that their PNGs are as large as CamVid's (231 KB for 480x360). The weights
are random and small, so that a translation resembles its source. On a machine with other work, take OMP_NUM_THREADS=1
and few images, and look at the ratios alone, which are medians over the rounds.
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
from PIL import Image

from tasks.compute import device_name, has_bfloat16, resolve_device, share_threads, threads
from tasks.datasets import Sample, SampleTable, TableInfo, read_image
from tasks.store import file_sha256, write_png
from tasks.translate import (
    MINIMUM,
    MULTIPLE,
    ResnetGenerator,
    WholeImageTranslator,
    initialise,
    to_tensor,
    translate_padded,
    translate_table,
)

LIMIT = 1.15  # what translation in float32 may take at most, in times of the bare forward
WANTED = 1.5  # times as fast as the plain loop, at least
PLAIN, BARE = "plain loop, float32", "bare forward, float32"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=64, help="images (64)")
    parser.add_argument("--size", type=int, nargs=2, default=(480, 360), metavar=("W", "H"), help="pixels (480 360)")
    parser.add_argument("--channels", type=int, default=16, help="of the generator (16)")
    parser.add_argument("--blocks", type=int, default=6, help="of the generator (6)")
    parser.add_argument("--rounds", type=int, default=3, help="turns (3)")
    parser.add_argument("--device", default=resolve_device(), help="cpu or cuda (what there is)")
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
        tell(measure(table, translator, Path(folder), options.rounds), len(table))


def measure(table: SampleTable, translator: WholeImageTranslator, folder: Path, rounds: int) -> dict[str, list[float]]:
    """The seconds that each way took, a value a round."""
    images = [read_image(s.image) for s in table]
    count = max(1, translator.batch_pixels // (images[0].shape[0] * images[0].shape[1]))
    batches = [np.stack(images[k : k + count]) for k in range(0, len(images), count)]
    ways: dict[str, Callable[[Path], object]] = {
        PLAIN: lambda out: plain_loop(table, translator, out),
        BARE: lambda _: forward(translator, batches),
        "disk to disk, float32": lambda out: translate_table(table, translator, out, "benchmark"),
    }
    if has_bfloat16(translator.device.type):
        ways["disk to disk, bfloat16"] = lambda out: in_bfloat16(table, translator, out)
    forward(translator, batches[:1])
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for n in range(rounds):
        for way, run in ways.items():
            torch.set_num_threads(threads())
            if way.startswith("disk"):
                share_threads()
            (out := folder / f"{way} {n}").mkdir()
            start = time.perf_counter()
            run(out)
            taken[way].append(time.perf_counter() - start)
    return taken


def tell(taken: dict[str, list[float]], count: int) -> None:
    """Print the table."""
    print(f"{'':24}{'seconds: median (fastest)':>28}{'images/s':>10}{'of bare forward':>17}{'of plain loop':>15}")
    for way, seconds in taken.items():
        of_bare, of_plain = (ratio(seconds, taken[other]) for other in (BARE, PLAIN))
        middle = statistics.median(seconds)
        figures = f"{count / middle:10.2f}{of_bare:17.3f}{of_plain:15.3f}"
        print(f"{way:24}{middle:18.2f} ({min(seconds):.2f}){figures}")
    whole, best = list(taken.values())[2], list(taken.values())[-1]
    times, faster = ratio(whole, taken[BARE]), 1 / ratio(best, taken[PLAIN])
    print(f"float32 takes {times:.3f} times the bare forward (at most {LIMIT}): {verdict(times <= LIMIT)}")
    print(f"{faster:.2f} times as fast as the plain loop (at least {WANTED}): {verdict(faster >= WANTED)}")


def ratio(seconds: list[float], others: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(seconds, others, strict=True))


def verdict(fulfilled: bool) -> str:
    return "ok" if fulfilled else "TOO SLOW"


@torch.inference_mode()
def plain_loop(table: SampleTable, translator: WholeImageTranslator, folder: Path) -> None:
    """One image after the other, from PIL to PIL."""
    network = translator.network
    for sample in table:
        pixels = np.array(Image.open(sample.image).convert("RGB"))
        scaled = torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float() / 255
        result = network(((scaled - 0.5) / 0.5)[None].to(translator.device))
        made = (result[0].cpu().float().numpy().transpose(1, 2, 0) + 1) / 2 * 255
        Image.fromarray(made.clip(0, 255).astype(np.uint8)).save(folder / f"{sample.id}.png")


@torch.inference_mode()
def forward(translator: WholeImageTranslator, batches: list[np.ndarray]) -> None:
    """The network on these batches, and nothing else but moving them to the device."""
    device = translator.device
    for batch in batches:
        translate_padded(translator.network, to_tensor(batch, device), translator.multiple)
    if device.type == "cuda":
        torch.cuda.synchronize()


def in_bfloat16(table: SampleTable, translator: WholeImageTranslator, folder: Path) -> None:
    translator.precision = "bfloat16"
    translate_table(table, translator, folder, "benchmark")
    translator.precision = "float32"


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
