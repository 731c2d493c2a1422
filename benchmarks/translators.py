"""Every learned method on one pair of data sets: ``python -m benchmarks.translators PIPELINE CONFIG...``.

A segmenter is trained on the pipeline's target set and frozen. For the source as it is, and as each translator of the
given files renders it: the Frechet distance to the target set on the frozen segmenter's features (``FD_seg``) and on
colour statistics (``FD_colour``), which no method optimises, and how many pixels the frozen segmenter reads as the
simulator's labels say. With ``--arm``, a segmenter is also trained on each translation and scored on the benchmark.
Everything is kept in the store: a repeated run repeats nothing.
"""

from __future__ import annotations

import os

os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")  # the tasks run without a flow here

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from flows.config import PipelineConfig, TrainTranslatorConfig
from flows.shape import JUDGE, judges
from tasks.contracts import Arm, Artifact, Scores
from tasks.datasets import SampleTable, build_dataset, colour_features, frechet_distance
from tasks.evaluate.stage import evaluate_model
from tasks.retrain import RetrainConfig
from tasks.retrain.stage import train_model
from tasks.settings import load
from tasks.store import Manifest, Store
from tasks.translate import Identity, Learned, Translator
from tasks.translate.stage import train_translator, translate


@dataclass(frozen=True)
class Row:
    """What was measured of one translation of the source; distances and accuracies of the source itself beside it."""

    name: str
    minutes: float | None  # of training
    speed: float | None  # images a second when it is applied
    fd_seg: float
    fd_colour: float
    accuracy: float  # share of pixels that the frozen segmenter reads as the simulator's labels say
    miou: float | None  # of a segmenter trained on it, on the benchmark


class Bench:
    """The pair, the frozen segmenter, and what both say of a set of images."""

    def __init__(self, settings: PipelineConfig, seed: int = 0) -> None:
        self.settings, self.seed = settings, seed
        self.store = Store(settings.store)
        sets = {r: getattr(settings.datasets, r) for r in ("source", "target", "benchmark")}
        built = {role: build_dataset(config, settings.datasets, self.store) for role, config in sets.items()}
        self.source, self.target, self.benchmark = (built[role] for role in sets)
        judge = judges(settings) if settings.audit else settings.retrain
        self.frozen = self.train(JUDGE, self.target, judge)
        self.real = self.features(self.target)

    def train(self, arm: str, images: Artifact, retrain: RetrainConfig) -> Artifact:
        return train_model.fn("segmentation", arm, self.seed, (images,), retrain, self.settings.compute, self.store)

    def score(self, model: Artifact, images: Artifact) -> Artifact:
        config = self.settings.evaluate
        return evaluate_model.fn(
            "segmentation", "-", self.seed, model, images, config, self.settings.compute, self.store
        )

    def features(self, images: Artifact) -> tuple[np.ndarray, np.ndarray]:
        """Features of the frozen segmenter, and of colour."""
        table = pq.read_table(self.score(self.frozen, images).file("features.parquet"))
        return np.stack(table["feature"].to_pylist()), colour_features(SampleTable.read(images.path))

    def row(self, translator: Translator, arm: bool) -> Row:
        """Train a translator, apply it and measure the result."""
        trained, how = None, (self.settings.compute, self.store)
        if isinstance(translator, Learned):
            trained = train_translator.fn(translator, self.source, self.target, *how)
        images = translate.fn(translator, self.source, self.target, trained, *how)
        seg, colour = self.features(images)
        metrics = Scores.read(self.score(self.frozen, images).path).metrics
        miou = None
        if arm:
            model = self.train(Arm.translated(translator.name), images, self.settings.retrain)
            scored = self.score(model, self.benchmark)
            miou = Scores.read(scored.path).metrics["mIoU"]
        return Row(
            name=translator.name,
            minutes=trained.seconds / 60 if trained else None,
            speed=Manifest.read(images.path).summary["images_per_second"],
            fd_seg=frechet_distance(seg, self.real[0]),
            fd_colour=frechet_distance(colour, self.real[1]),
            accuracy=metrics["pixel_accuracy"],
            miou=miou,
        )


def measure(settings: PipelineConfig, translators: list[Translator], arm: bool = False) -> list[Row]:
    """The rows of the source as it is, and of each translator."""
    bench = Bench(settings)
    return [bench.row(t, arm) for t in (Identity(method="identity", name="source"), *translators)]


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""

    def number(value: float | None, digits: int, factor: float = 1) -> str:
        return "-" if value is None else f"{factor * value:.{digits}f}"

    lines = [
        "| translator | training, min | applied, images/s | FD_seg | FD_colour | pixel accuracy, % | mIoU of arm, % |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for r in rows:
        cells = [number(r.minutes, 1), number(r.speed, 1), number(r.fd_seg, 3), number(r.fd_colour, 1)]
        cells += [number(r.accuracy, 1, 100), number(r.miou, 1, 100)]
        lines.append(f"| {' | '.join([r.name, *cells])} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline", type=Path, help="configs/pipelines/*.yaml")
    parser.add_argument("translators", type=Path, nargs="+", help="configs/translators/*.yaml")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="sets", help="of the pipeline")
    parser.add_argument("--arm", action="store_true", help="also train a segmenter on each translation")
    options = parser.parse_args()
    settings = load(options.pipeline, PipelineConfig, options.sets)
    methods = [load(path, TrainTranslatorConfig).translator for path in options.translators]
    print(table(measure(settings, methods, options.arm)))


if __name__ == "__main__":
    main()
