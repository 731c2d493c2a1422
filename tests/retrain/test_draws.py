"""Augmentation by number: the same whoever loads, and whatever else drew random numbers."""

import random
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS
from torch.utils.data import DataLoader

from tasks.retrain.draws import NumberedSampler, SeededDraws, seeded


def numbers() -> tuple[float, float, float]:
    return random.random(), float(np.random.random()), float(torch.rand(1))


@DATASETS.register_module()
class Dice(torch.utils.data.Dataset[Any]):
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return index, *numbers()


def drawn(loaders: int, skip: int = 0, seed: int = 3) -> list[Any]:
    data = SeededDraws({"type": "Dice"}, seed)
    sampler = NumberedSampler(data, seed=seed)
    sampler.skip(skip)
    loader = DataLoader(data, 2, sampler=sampler, num_workers=loaders, collate_fn=lambda batch: batch)
    return [item for batch in islice(loader, 5) for item in batch]


def test_loaders_and_resuming_change_nothing() -> None:
    alone = drawn(0)
    numbers()
    assert drawn(2) == alone
    assert drawn(0, skip=6)[:4] == alone[6:]
    assert drawn(2, skip=6)[:4] == alone[6:]


def test_each_draw_and_each_seed_has_numbers_of_its_own() -> None:
    rows = [row[1:] for row in drawn(0) + drawn(0, seed=4)]
    assert len({value for row in rows for value in row}) == 3 * len(rows)


def test_the_generators_are_left_as_they_were() -> None:
    with seeded(0, 0):
        numbers()
    with seeded(1), pytest.raises(RuntimeError, match="an image"), seeded(2):
        raise RuntimeError("an image")
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    expected = numbers(), numbers()
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    first = numbers()
    with seeded(5):
        inside = numbers()
    assert (first, numbers()) == expected
    assert inside not in expected
