"""The order in which a training sees its images where its sets have a ratio, or follow each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from typing import Any

import torch
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from tasks.contracts import Drawing

_APART = 1 << 32  # seeds are below it, so that a set's order is no other set's of another seed


def phases_of(drawing: Drawing, iterations: int, batch: int) -> list[dict[str, Any]]:
    """The phases as ``PhasedSampler`` takes them: how many images each has, of which sets, in which ratio."""
    counts = drawing.iterations(iterations)
    return [
        {"images": count * batch, "sets": list(phase.sets), "ratio": list(phase.ratio)}
        for count, phase in zip(counts, drawing.phases, strict=True)
    ]


@DATA_SAMPLERS.register_module()
class PhasedSampler(Sampler[tuple[int, int]]):
    """Positions in concatenated sets, phase after phase, each with the number of images drawn before it; without end.

    The whole order follows from the seed, so that a resumed training takes it up where it was (``skip``). A phase of
    one set sees it in the order in which mmengine's ``InfiniteSampler`` shows it to a training on that set alone.

    Args:
        dataset: ``SeededDraws`` of mmengine's ``ConcatDataset`` of the sets.
        seed: of the order.
        phases: what ``phases_of`` gave.
    """

    def __init__(self, dataset: Any, seed: int, phases: Sequence[dict[str, Any]]) -> None:
        self.sizes = [len(part) for part in dataset.dataset.datasets]
        self.starts = [0, *accumulate(self.sizes)]
        self.seed, self.phases, self.skipped = seed, phases, 0

    def __len__(self) -> int:
        return sum(self.sizes)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield (number, position), as ``NumberedSampler`` does."""
        return islice(enumerate(self._positions()), self.skipped, None)

    def skip(self, num_samples: int) -> None:
        """Begin after so many images, counted from the beginning of the training."""
        self.skipped = num_samples

    def _positions(self) -> Iterator[int]:
        for i, phase in enumerate(self.phases):
            last = i == len(self.phases) - 1
            draw = self._by_ratio if phase["ratio"] else self._alike
            yield from islice(draw(**phase), None if last else phase["images"])

    def _alike(self, sets: Sequence[int], **_: Any) -> Iterator[int]:
        positions = [position for i in sets for position in range(self.starts[i], self.starts[i + 1])]
        return (positions[i] for i in _shuffled(len(positions), self.seed))

    def _by_ratio(self, sets: Sequence[int], ratio: Sequence[int], **_: Any) -> Iterator[int]:
        orders = [_shuffled(self.sizes[i], self.seed + place * _APART) for place, i in enumerate(sets)]
        for turn in turns(ratio):
            yield self.starts[sets[turn]] + next(orders[turn])


def _shuffled(size: int, seed: int) -> Iterator[int]:
    """All of so many positions, in another order each time, without end."""
    generator = torch.Generator()
    generator.manual_seed(seed)
    while True:
        yield from torch.randperm(size, generator=generator).tolist()


def turns(ratio: Sequence[int]) -> Iterator[int]:
    """Whose turn it is, without end: smooth weighted round robin.

    Any ``sum(ratio)`` turns in a row have the ratio exactly, and each one's turns are spread evenly: a batch of that
    size, or of a multiple, has it exactly, and others on average.
    """
    total, credit = sum(ratio), [0] * len(ratio)
    while True:
        credit = [have + weight for have, weight in zip(credit, ratio, strict=True)]
        turn = max(range(len(ratio)), key=credit.__getitem__)
        credit[turn] -= total
        yield turn
