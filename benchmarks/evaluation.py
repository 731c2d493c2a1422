"""How much an evaluation costs beside the network: ``python -m benchmarks.evaluation [NETWORK.py ...] [--count N]``.

In one run, in turns: the bare forward of a network on batches held in memory, on all of torch's threads, and the whole
evaluation in this process, from image files to predictions, evidence and scores, on as many. The network is prepared
alike for both (memory format, precision); the bare forward ends with its own maps, at its own resolution. The images
are those of the embedded sample, the weights are random. Measure on an idle machine: beside other work, threads of the
bare forward wait for each other, and the evaluation's do not.
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
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import MODELS, init_default_scope

from tasks.compute import device_name, resolve_device, resolve_precision, share_threads, threads
from tasks.contracts import TASKS, Artifact, Task
from tasks.datasets import DatasetsConfig, SampleDataset, SampleTable, build_dataset
from tasks.evaluate.inference import Inference
from tasks.evaluate.job import EvaluateJob
from tasks.evaluate.worker import evaluate
from tasks.retrain.config import TrainingConfig
from tasks.retrain.configuration import load_config, used
from tasks.store import Store

NETWORKS = (
    Path("configs/networks/segmentation/efficientnet_lite0_fpn.py"),
    Path("configs/networks/detection/efficientnet_lite0_atss.py"),
)
LIMIT = 1.25  # what an evaluation may take at most, in times of the bare forward


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("networks", type=Path, nargs="*", default=NETWORKS, help="files in configs/networks/<task>/")
    parser.add_argument("--count", type=int, default=48, help="images")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(480, 360), metavar=("W", "H"), help="of images, in pixels"
    )
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default=resolve_device())
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    where = f"{device_name(torch.device(options.device))}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{options.count} images of {options.size[0]}x{options.size[1]}, batch {options.batch}; {where}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        images = drawn(Path(name), options.count, *options.size)
        for network in options.networks:
            task: Task = "detection" if network.resolve().parent.name == "detection" else "segmentation"
            folder = Path(name) / network.stem
            untrained(folder, task, network, images, tuple(options.size))
            job = EvaluateJob(
                task=task,
                model=folder,
                table=images.path,
                work=folder / "work",
                batch=options.batch,
                device=options.device,
                precision=options.precision,
            )
            measure(job, network.stem, options.rounds)


def drawn(folder: Path, count: int, width: int, height: int) -> Artifact:
    """Images of the embedded sample, with their labels."""
    sample = SampleDataset(format="sample", side="real", count=count, width=width, height=height)
    taxonomy = Path("configs/taxonomies/cityscapes19.yaml")
    return build_dataset(
        sample, DatasetsConfig(taxonomy=taxonomy, source=sample, target=sample, benchmark=sample), Store(folder)
    )


def untrained(folder: Path, task: Task, network: Path, images: Artifact, size: Any) -> None:
    """A model of random weights, as a training would leave it."""
    training = TrainingConfig(config=network, iterations=1, input_size=size)
    config = load_config(task, training, SampleTable.read(images.path).info)
    init_default_scope(TASKS[task].package)
    torch.manual_seed(0)
    folder.mkdir()
    torch.save({"state_dict": MODELS.build(config.model).state_dict()}, folder / "checkpoint.pth")
    used(config).dump(str(folder / "config.py"))


def measure(job: EvaluateJob, name: str, rounds: int) -> None:
    """Print a network's lines."""
    forward = bare(job)
    forward()
    seconds: dict[str, list[tuple[float, float]]] = {"bare forward": [], "evaluation": []}
    for _ in range(rounds):
        torch.set_num_threads(threads())
        seconds["bare forward"].append(timed(forward))
        share_threads()
        seconds["evaluation"].append(timed(lambda: evaluate(job)))
    count = len(SampleTable.read(job.table))
    for what, found in seconds.items():
        wall, cpu = (statistics.median(values) for values in zip(*found, strict=True))
        print(f"{name:22} {what:13} {wall:7.2f} s {cpu:7.2f} CPU s {count / wall:8.2f} images/s", flush=True)
    pairs = list(zip(seconds["evaluation"], seconds["bare forward"], strict=True))
    wall, cpu = (statistics.median(whole[i] / plain[i] for whole, plain in pairs) for i in range(2))
    verdict = "ok" if wall <= LIMIT else "TOO SLOW"
    print(f"{name:22} {wall:.2f} times the bare forward, CPU {cpu:.2f} (at most {LIMIT}): {verdict}", flush=True)


def bare(job: EvaluateJob) -> Callable[[], None]:
    """The network on all images of a job, without what comes before and after it."""
    inference = Inference(job)
    count = len(inference.images)
    with inference.turn() as model:
        network = model.network
    batches = []
    for k in range(0, count, job.batch):
        read = pseudo_collate([inference.images[i] for i in range(k, min(k + job.batch, count))])
        batches.append(network.data_preprocessor(read, False))
    short = resolve_precision(job.precision, job.device) == "bfloat16"

    @torch.inference_mode()
    def forward() -> None:
        with torch.autocast(job.device, torch.bfloat16, enabled=short):
            for batch in batches:
                network(**batch, mode="tensor")
        if job.device == "cuda":
            torch.cuda.synchronize()

    return forward


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds and CPU seconds."""
    start, used_before = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - start, time.process_time() - used_before


if __name__ == "__main__":
    main()
