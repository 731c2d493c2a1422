"""Strong photometric augmentation: where it stands in a pipeline, and what it leaves as it is."""

from typing import Any

import numpy as np
import pytest
import torch

from tasks.retrain.augmentation import StrongPhotometric, augmented

IMAGE = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)


def passed(image: Any, seed: int) -> Any:
    torch.manual_seed(seed)
    return StrongPhotometric().transform({"img": image, "gt_seg_map": "kept"})


def test_it_stands_right_before_packing() -> None:
    pipeline = [{"type": "LoadTableImage"}, {"type": "RandomFlip", "prob": 0.5}, {"type": "mmseg.PackSegInputs"}]
    kinds = [step["type"] for step in augmented(pipeline)]
    assert kinds == ["LoadTableImage", "RandomFlip", "StrongPhotometric", "mmseg.PackSegInputs"]
    assert len(pipeline) == 3
    assert [step["type"] for step in augmented(pipeline[:1])] == ["LoadTableImage", "StrongPhotometric"]


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_shape_type_range_and_labels_stay(kind: Any) -> None:
    before = IMAGE.copy()
    for seed in range(20):
        results = passed(IMAGE.astype(kind), seed)
        image = results["img"]
        assert (image.shape, image.dtype, results["gt_seg_map"]) == (IMAGE.shape, kind, "kept")
        assert image.flags["C_CONTIGUOUS"]
        assert 0 <= image.min() <= image.max() <= 255
    assert np.array_equal(before, IMAGE)


def test_it_is_strong_and_follows_from_the_random_state() -> None:
    images = [passed(IMAGE, seed)["img"].astype(int) for seed in range(60)]
    assert np.array_equal(passed(IMAGE, 7)["img"], images[7])
    moved = [np.abs(image - IMAGE).mean() for image in images]
    assert np.mean([m > 10 for m in moved]) > 0.7
    grey = [np.ptp(image, axis=2).max() <= 1 for image in images]
    assert 0.02 < np.mean(grey) < 0.4


def test_colours_are_blue_green_red() -> None:
    """A grey value weighs green most and blue least, whatever the order of the channels."""
    levels = {}
    for channel, name in enumerate(("blue", "green", "red")):
        flat = np.zeros((16, 16, 3), np.uint8)
        flat[..., channel] = 200
        found = [passed(flat, seed)["img"] for seed in range(120)]
        levels[name] = np.mean([f.mean() for f in found if np.ptp(f.astype(int), axis=2).max() <= 1])
    assert levels["green"] > levels["red"] > levels["blue"]
