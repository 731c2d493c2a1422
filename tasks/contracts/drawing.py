"""How a training draws its images: from which sets, how many of each, in which ratio, and when from which."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.contracts.frozen import Frozen


class Member(Frozen):
    """One of the sets that a training draws from.

    Attributes:
        images: how many of its images are drawn from, a nested choice by the training's seed; None: all of them.
        augmented: whether its images pass the strong photometric augmentation.
    """

    images: int | None = None
    augmented: bool = False


class Phase(Frozen):
    """A part of a training that draws from the same sets throughout.

    Attributes:
        share: of the training's iterations, above 0 and up to 1.
        sets: positions of the sets that are drawn from.
        ratio: images drawn of each of them; empty: all images of all of them alike, so that a larger set gives more.
    """

    share: float
    sets: tuple[int, ...]
    ratio: tuple[int, ...] = ()


class Drawing(Frozen):
    """How a training draws its images; ``members`` are its sets by position, ``phases`` follow each other."""

    members: tuple[Member, ...]
    phases: tuple[Phase, ...]

    @classmethod
    def alike(cls, sets: int) -> Drawing:
        """All images of so many sets, each as often as any other."""
        return cls(members=(Member(),) * sets, phases=(Phase(share=1.0, sets=tuple(range(sets))),))

    @property
    def steady(self) -> bool:
        """Whether all images of all sets are drawn alike from beginning to end."""
        return len(self.phases) == 1 and not self.phases[0].ratio

    def iterations(self, total: int) -> tuple[int, ...]:
        """How many of a training's iterations each phase has; at least one each where there are enough."""
        done, counts = 0, []
        for i, phase in enumerate(self.phases):
            rest = len(self.phases) - i - 1
            count = total - done if not rest else min(max(1, round(phase.share * total)), total - done - rest)
            counts.append(max(count, 0))
            done += counts[-1]
        return tuple(counts)

    def shares(self, sizes: Sequence[int], iterations: int) -> tuple[float, ...]:
        """Which share of the images that a training draws is expected to be of each set, together 1.

        Args:
            sizes: how many images each set has to draw from.
            iterations: of the training.
        """
        found = [0.0] * len(sizes)
        for phase, count in zip(self.phases, self.iterations(iterations), strict=True):
            weights = phase.ratio or tuple(sizes[i] for i in phase.sets)
            for i, weight in zip(phase.sets, weights, strict=True):
                found[i] += count / iterations * weight / sum(weights)
        return tuple(found)
