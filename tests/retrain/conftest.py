"""A tiny data set with boxes and masks, and trainings that take seconds."""

from pathlib import Path

import numpy as np
import pytest

from tasks.contracts.artifact import Artifact
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.table import Box, Sample, SampleTable, SegmentationClass, TableInfo
from tasks.store.files import write_png
from tasks.store.recipe import Recipe
from tasks.store.store import Store

INFO = TableInfo(
    dataset="squares",
    classes=(SegmentationClass(name="ground", color=(90, 90, 90)), SegmentationClass(name="square", color=(0, 0, 142))),
    detection=("square",),
    encoding=MaskEncoding(kind="index", indices={0: 0, 1: 1}),
    boxes_from="annotated",
)


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Eight 64x64 images, each of a bright square on dark ground, as a ``dataset`` artifact."""
    folder = tmp_path_factory.mktemp("squares")
    random = np.random.default_rng(0)

    def make(work: Path) -> None:
        samples = []
        for i in range(8):
            x, y = (int(v) for v in random.integers(4, 28, 2))
            image = random.integers(0, 60, (64, 64, 3), np.uint8)
            image[y : y + 32, x : x + 32] += 150
            mask = np.zeros((64, 64), np.uint8)
            mask[y : y + 32, x : x + 32] = 1
            write_png(folder / f"{i}.png", image)
            write_png(folder / f"{i}_mask.png", mask)
            box = Box(0, x, y, x + 32, y + 32)
            files = (folder / f"{i}.png", folder / f"{i}_mask.png")
            samples.append(Sample(str(i), *files, 64, 64, "train", str(i), str(i), (box,), class_pixels=(3072, 1024)))
        SampleTable.from_samples(samples, INFO, work).write(work)

    return Store(folder / "store").build(Recipe("dataset", config={}, inputs={}, code="1"), make)
