"""How often verdicts are false, and intervals hold the truth: ``python -m benchmarks.statistics [--repetitions N]``.

Two arms are simulated on a benchmark of drives, and compared as a run compares them: once with each image drawn alone
(``evaluate.cluster: image``) and once with ``auto``. Where the arms are equal, a verdict of *improves* or *harms* is
false; 5 % are promised. Where one is better by a known difference, 95 % of the intervals are to hold it. Blocks are
about the drives at hand: the last row measures them by what is true of these.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import Difference
from tasks.evaluate import Cluster, ImageFacts, SegmentationEvidence, judged_metric, resample, score_models

Floats = NDArray[np.float64]

CLASSES = ("road", "car", "person", "pole")
RECALL = np.array([0.95, 0.8, 0.55, 0.4])  # of the mean image
FALSE = np.array([0.05, 0.2, 0.3, 0.4])  # pixels found elsewhere, by true pixel
SIZES = np.array([40_000.0, 6_000.0, 900.0, 600.0])  # true pixels of an image
BETTER = 0.03  # of recall, by which the better arm of the second column finds more
MARGIN = 0.005
POPULATION = 40_000


@dataclass(frozen=True)
class World:
    """A benchmark of ``drives`` of ``frames`` each.

    Attributes:
        correlation: of two frames of a drive: of neighbours (``lag``: an AR(1) process along the drive), or of any two
            (``drive``: each drive has a level of its own).
        about: what a verdict has to be true of: all drives there could be, or those of the benchmark.
    """

    drives: int
    frames: int
    correlation: float
    form: Literal["lag", "drive"]
    about: Literal["all", "these"] = "all"

    def noise(self, rng: np.random.Generator, levels: Floats) -> Floats:
        """Standard normal numbers of all frames, alike in a drive: ``[N]``; levels: of the drives, ``[D, 1]``."""
        fresh = rng.standard_normal((self.drives, self.frames))
        r = self.correlation
        if self.form == "drive":
            return (np.sqrt(r) * levels + np.sqrt(1 - r) * fresh).ravel()
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
    World(5, 40, 0.8, "drive"),
    World(5, 40, 0.8, "lag"),
    World(4, 43, 0.5, "drive"),
    World(1, 171, 0.0, "lag"),
    World(1, 171, 0.5, "lag"),
    World(1, 171, 0.8, "lag"),
    World(2, 86, 0.8, "lag"),
    World(1, 60, 0.8, "lag"),
    World(1, 24, 0.8, "lag"),
    World(1, 171, 0.8, "drive"),
    World(1, 171, 0.8, "drive", "these"),
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


@dataclass(frozen=True)
class Levels:
    """What the drives ``[D, 1]`` are: how hard, and what each arm makes of them."""

    hard: Floats
    better: Floats
    source: Floats

    @classmethod
    def drawn(cls, world: World, rng: np.random.Generator) -> Levels:
        """At random."""
        return cls(*(rng.standard_normal((world.drives, 1)) for _ in range(3)))


def arms(
    world: World, levels: Levels, rng: np.random.Generator, better: float
) -> dict[tuple[str, int], SegmentationEvidence]:
    """The evidence of two arms on the same images, the first one better."""
    hard, facts = world.noise(rng, levels.hard), world.facts()
    shown = rng.gamma(2.0, SIZES / 2, (len(hard), len(CLASSES)))
    ids = tuple(f"{i:04}" for i in range(len(hard)))
    own = {"better": (levels.better, better), "source": (levels.source, 0.0)}
    return {
        (arm, 0): SegmentationEvidence(ids, CLASSES, counts(shown, hard, world.noise(rng, level), more), (), facts)
        for arm, (level, more) in own.items()
    }


def true_difference(world: World, levels: Levels, better: float) -> float:
    """The difference in mIoU on all frames there could be of the drives at hand, by a long simulation."""
    rng = np.random.default_rng(99)
    whole = replace(world, frames=POPULATION // world.drives)
    hard = whole.noise(rng, levels.hard)
    shown = np.broadcast_to(SIZES * 100, (len(hard), len(CLASSES)))
    means = []
    for level, more in ((levels.better, better), (levels.source, 0.0)):
        hits, truth, found = np.moveaxis(counts(shown, hard, whole.noise(rng, level), more).sum(0), -1, 0)
        means.append(float((hits / (truth + found - hits)).mean()))
    return means[0] - means[1]


@cache
def expected_difference(better: float) -> float:
    """The same on all drives there could be, however their frames are alike."""
    world = World(POPULATION, 1, 0.0, "lag")
    nothing = np.zeros((POPULATION, 1))
    return true_difference(world, Levels(nothing, nothing, nothing), better) if better else 0.0


@dataclass(frozen=True)
class Trial:
    """One simulated comparison. truth: the difference that it should find; enough: for any verdict."""

    found: Difference
    truth: float
    enough: bool
    worth: int

    @property
    def false(self) -> bool:
        """Whether the verdict names a direction that is not the true one."""
        return (self.found.outcome == "improves" and self.truth <= 0) or (
            self.found.outcome == "harms" and self.truth >= 0
        )

    @property
    def held(self) -> bool:
        """Whether the interval holds the truth."""
        low, high = self.found.low, self.found.high
        return low is not None and high is not None and low <= self.truth <= high


@dataclass(frozen=True)
class Tally:
    """Shares, 0 to 1, of repetitions.

    Attributes:
        false: verdicts of equal arms that name a direction. held: intervals that hold a known difference.
        found: *improves* for the better arm. undecided: too little evidence for any verdict.
        worth: the median number of independent images.
    """

    false: float
    held: float
    found: float
    undecided: float
    worth: float


def tally(world: World, cluster: Cluster, repetitions: int, resamples: int, seed: int = 0) -> Tally:
    """Simulate, compare and count."""
    equal = list(_trials(world, cluster, repetitions, resamples, 0.0, seed))
    better = list(_trials(world, cluster, repetitions, resamples, BETTER, seed + 1))
    return Tally(
        false=_share(trial.false for trial in equal),
        held=_share(trial.held for trial in better),
        found=_share(trial.found.outcome == "improves" for trial in better),
        undecided=_share(not trial.enough for trial in equal),
        worth=float(np.median([trial.worth for trial in equal])),
    )


def _trials(
    world: World, cluster: Cluster, repetitions: int, resamples: int, better: float, seed: int
) -> Iterator[Trial]:
    rng = np.random.default_rng([seed, world.drives, world.frames])
    for repetition in range(repetitions):
        levels = Levels.drawn(world, rng)
        evidence = arms(world, levels, rng, better)
        how = resample(evidence, resamples, repetition, cluster)
        assert how is not None
        board = score_models("segmentation", evidence, how, repetition)
        found = judged_metric(board.measured(("better", "source"), (0,))["metrics", "mIoU"], MARGIN)
        these = world.about == "these"
        truth = true_difference(world, levels, better) if these else expected_difference(better)
        yield Trial(found, truth, how.clusters.enough, how.clusters.effective)


def _share(which: Iterable[bool]) -> float:
    return float(np.mean(list(which)))


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1000, help="simulated benchmarks a row")
    parser.add_argument("--resamples", type=int, default=1000, help="resamples of each")
    given = parser.parse_args()
    print(
        "| drives x frames | frames alike | false by image | false | undecided | held by image | held | found | worth |"
    )
    print("| --- | --- " + "| ---: " * 7 + "|")
    for world in WORLDS:
        before, after = (tally(world, c, given.repetitions, given.resamples) for c in ("image", "auto"))
        form = {"lag": "neighbours", "drive": "all of a drive"}[world.form]
        told = f"{form} {world.correlation}" if world.correlation else "none"
        about = ", of that drive" if world.about == "these" else ""
        shares = (before.false, after.false, after.undecided, before.held, after.held, after.found)
        row = [
            f"{world.drives} x {world.frames}{about}",
            told,
            *(f"{100 * x:.1f}" for x in shares),
            f"{after.worth:.0f}",
        ]
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
