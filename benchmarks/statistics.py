"""How often verdicts are false, and intervals hold the truth: ``python -m benchmarks.statistics [--repetitions N]``.

Two arms are simulated on a benchmark of drives, and compared as a run compares them: once with each image drawn alone
(``evaluate.cluster: image``) and once with ``auto``. Where the arms are equal, a verdict of *improves* or *harms* is
false; 5 % are promised. Where one is better by a known difference, 95 % of the intervals are to hold it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.evaluate import Cluster, ImageFacts, SegmentationEvidence, judged_metric, resample, score_models

Floats = NDArray[np.float64]

CLASSES = ("road", "car", "person", "pole")
RECALL = np.array([0.95, 0.8, 0.55, 0.4])  # of the mean image
FALSE = np.array([0.05, 0.2, 0.3, 0.4])  # pixels found elsewhere, by true pixel
SIZES = np.array([40_000.0, 6_000.0, 900.0, 600.0])  # true pixels of an image
BETTER = 0.03  # of recall, by which the better arm of the second column finds more
MARGIN = 0.005
POPULATION = 400_000


@dataclass(frozen=True)
class World:
    """A benchmark of ``drives`` of ``frames`` each.

    Attributes:
        correlation: of two frames of a drive: of neighbours (``lag``: an AR(1) process along the drive), or of any two
            (``drive``: each drive has a level of its own).
    """

    drives: int
    frames: int
    correlation: float
    form: Literal["lag", "drive"]

    def noise(self, rng: np.random.Generator) -> Floats:
        """Standard normal numbers of all frames, alike in a drive: ``[N]``."""
        fresh = rng.standard_normal((self.drives, self.frames))
        r = self.correlation
        if self.form == "drive":
            return (np.sqrt(r) * rng.standard_normal((self.drives, 1)) + np.sqrt(1 - r) * fresh).ravel()
        for t in range(1, self.frames):
            fresh[:, t] = r * fresh[:, t - 1] + np.sqrt(1 - r * r) * fresh[:, t]
        return fresh.ravel()

    def facts(self) -> ImageFacts:
        """What an evaluation would say of its images."""
        images = self.drives * self.frames
        drives = tuple(f"drive{i // self.frames:03}" for i in range(images))
        return ImageFacts("simulated", drives, tuple(range(images)), ({},) * images)


WORLDS = (
    World(171, 1, 0.0, "lag"),
    World(20, 25, 0.5, "drive"),
    World(20, 25, 0.5, "lag"),
    World(5, 40, 0.3, "drive"),
    World(5, 40, 0.3, "lag"),
    World(5, 40, 0.8, "drive"),
    World(5, 40, 0.8, "lag"),
    World(1, 171, 0.0, "lag"),
    World(1, 171, 0.5, "lag"),
    World(1, 171, 0.8, "lag"),
    World(2, 86, 0.8, "lag"),
    World(1, 60, 0.8, "lag"),
    World(1, 24, 0.8, "lag"),
    World(1, 171, 0.8, "drive"),
)


def counts(shown: Floats, hard: Floats, own: Floats, better: float) -> NDArray[np.int64]:
    """An arm's pixel counts ``[N, C, 3]``.

    Args:
        shown: true pixels ``[N, C]``. hard: how hard each image is, whatever the arm; own: what the arm makes of it;
            both ``[N]``, standard normal. better: recall that the arm finds more.
    """
    good = (0.6 * own - 0.8 * hard)[:, None]
    hits = shown * np.clip(RECALL + better + 0.08 * good, 0, 1)
    found = hits + shown * np.clip(FALSE - 0.04 * good, 0, None)
    return np.stack([hits, shown, found], axis=-1).astype(np.int64)


def arms(world: World, rng: np.random.Generator, better: float) -> dict[tuple[str, int], SegmentationEvidence]:
    """The evidence of two arms on the same images, the first one better."""
    hard, facts = world.noise(rng), world.facts()
    shown = rng.gamma(2.0, SIZES / 2, (len(hard), len(CLASSES)))
    ids = tuple(f"{i:04}" for i in range(len(hard)))
    return {
        (arm, 0): SegmentationEvidence(ids, CLASSES, counts(shown, hard, world.noise(rng), more), (), facts)
        for arm, more in (("better", better), ("source", 0.0))
    }


@cache
def true_difference(better: float) -> float:
    """The difference in mIoU of all images there could be; it does not depend on how they lie in drives."""
    means = []
    world = World(POPULATION, 1, 0.0, "lag")
    for more in (better, 0.0):
        rng = np.random.default_rng(99)
        shown = np.broadcast_to(SIZES * 100, (POPULATION, len(CLASSES)))
        hits, truth, found = np.moveaxis(counts(shown, world.noise(rng), world.noise(rng), more).sum(0), -1, 0)
        means.append(float((hits / (truth + found - hits)).mean()))
    return means[0] - means[1]


@dataclass(frozen=True)
class Tally:
    """Shares, 0 to 1, of repetitions.

    Attributes:
        false: *improves* or *harms* for equal arms. held: intervals that hold a known difference, of those that say
            something. found: *improves* for the better arm. undecided: too little evidence for any verdict.
        worth: the median number of independent images.
    """

    false: float
    held: float
    found: float
    undecided: float
    worth: float


def tally(world: World, cluster: Cluster, repetitions: int, resamples: int, seed: int = 0) -> Tally:
    """Simulate, compare and count."""
    equal = list(_compared(world, cluster, repetitions, resamples, 0.0, seed))
    better = list(_compared(world, cluster, repetitions, resamples, BETTER, seed + 1))
    truth = true_difference(BETTER)
    known = [d for _, d in better if d[1] is not None]
    return Tally(
        false=_share(d[0] in {"improves", "harms"} for _, d in equal),
        held=_share(d[1] <= truth <= d[2] for d in known if d[1] is not None and d[2] is not None),
        found=_share(d[0] == "improves" for _, d in better),
        undecided=_share(not enough for (enough, _), _ in equal),
        worth=float(np.median([worth for (_, worth), _ in equal])),
    )


def _compared(
    world: World, cluster: Cluster, repetitions: int, resamples: int, better: float, seed: int
) -> Iterator[tuple[tuple[bool, int], tuple[str, float | None, float | None]]]:
    rng = np.random.default_rng([seed, world.drives, world.frames])
    for repetition in range(repetitions):
        evidence = arms(world, rng, better)
        how = resample(evidence, resamples, repetition, cluster)
        board = score_models("segmentation", evidence, how, repetition)
        found = judged_metric(board.measured(("better", "source"), (0,))["metrics", "mIoU"], MARGIN)
        assert board.clusters
        yield (board.clusters.enough, board.clusters.effective), (found.outcome, found.low, found.high)


def _share(which: Iterable[bool]) -> float:
    each = list(which)
    return float(np.mean(each)) if each else float("nan")


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1000, help="simulated benchmarks a row")
    parser.add_argument("--resamples", type=int, default=1000, help="resamples of each")
    given = parser.parse_args()
    print(
        "| drives x frames | correlation | false by image | false | undecided | held by image | held | found | worth |"
    )
    print("| --- | --- " + "| ---: " * 7 + "|")
    for world in WORLDS:
        before, after = (tally(world, c, given.repetitions, given.resamples) for c in ("image", "auto"))
        form = {"lag": "neighbours", "drive": "all of a drive"}[world.form]
        shares = (before.false, after.false, after.undecided, before.held, after.held, after.found)
        told = " | ".join(f"{100 * x:.1f}" for x in shares)
        print(
            f"| {world.drives} x {world.frames} | {world.correlation} {form} | {told} | {after.worth:.0f} |", flush=True
        )


if __name__ == "__main__":
    main()
