"""Small image sets made of noise and shapes, and the smallest CUT."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from torch import Tensor

from tasks.contracts.artifact import Artifact
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.table import Box, Sample, SampleTable, SegmentationClass, TableInfo
from tasks.store.digest import file_sha256
from tasks.store.recipe import Recipe
from tasks.store.store import Store
from tasks.translate.sections.cut import Cut
from tasks.translate.training.trainer import Trainer

MakeTable = Callable[..., SampleTable]

_INFO = TableInfo(
    dataset="noise",
    classes=(SegmentationClass(name="road", color=(128, 64, 128)),),
    detection=("car",),
    encoding=MaskEncoding(kind="index", indices={0: 0}),
    boxes_from="annotated",
)


@pytest.fixture
def make_table(tmp_path: Path) -> MakeTable:
    """A function that draws ``count`` images of one size (or one size each) and returns their table."""

    def make(
        name: str, count: int = 4, size: tuple[int, int] = (40, 36), sizes: Any = None, mean: float = 128
    ) -> SampleTable:
        rng = np.random.default_rng([len(name), *name.encode()])
        folder = tmp_path / name
        folder.mkdir()
        samples = []
        for k, (width, height) in enumerate(sizes or [size] * count):
            pixels = rng.normal(mean, 30, (height // 4 + 1, width // 4 + 1, 3)).clip(0, 255).astype(np.uint8)
            image, mask = folder / f"{name}{k}.png", folder / f"{name}{k}_mask.png"
            cv2.imwrite(str(image), cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC))
            cv2.imwrite(str(mask), np.zeros((height, width), np.uint8))
            samples.append(
                Sample(
                    id=f"{name}{k}",
                    image=image,
                    mask=mask,
                    width=width,
                    height=height,
                    split="train",
                    sha256=file_sha256(image),
                    mask_sha256=file_sha256(mask),
                    boxes=(Box(0, 1.5, 2, 10, 12), Box(0, 3, 3, 9, 9, crowd=True))[: k % 3],
                    extra={"weather": "clear", "frame": k},
                )
            )
        return SampleTable.from_samples(samples, _INFO, folder)

    return make


@pytest.fixture
def table(make_table: MakeTable) -> SampleTable:
    """Three images of one size: ``s0`` to ``s2``."""
    return make_table("s", 3)


@pytest.fixture
def source(table: SampleTable, tmp_path: Path) -> Artifact:
    """These as a data set in a store."""

    def make(folder: Path) -> None:
        table.write(folder)

    return Store(tmp_path / "store").build(Recipe("dataset", config={}, inputs={}, code="0"), make)


@pytest.fixture
def make_cut() -> Callable[..., Cut]:
    """A function that configures the smallest CUT; keywords go to its ``training`` section."""

    def make(fast: bool = True, **training: Any) -> Cut:
        return Cut.model_validate(
            {
                "method": "cut",
                "fast": fast,
                "generator": {"channels": 4, "blocks": 1},
                "discriminator": {"channels": 4, "layers": 2},
                "nce": {"layers": [0, 4, 12], "patches": 16, "width": 8},
                "training": {
                    "iterations": 6,
                    "crop": 32,
                    "checkpoint_every": 2,
                    "sample_every": 3,
                    "ema": 0.9,
                    **training,
                },
            }
        )

    return make


@pytest.fixture
def crash() -> Callable[[Trainer, int], None]:
    """A function that runs a training until it dies as this step (counted from 0) begins."""

    def run(trainer: Trainer, at: int) -> None:
        train = trainer.train_step

        def dying(step: int, *crops: Any) -> dict[str, Tensor]:
            if step == at:
                raise KeyboardInterrupt
            return train(step, *crops)

        trainer.train_step = dying  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            trainer.run()

    return run
