"""Class weights of segmentation: their definition, the loss that they make, and where they come from."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from tasks.contracts.artifact import Artifact
from tasks.datasets.table import Sample, SampleTable, SegmentationClass
from tasks.retrain.class_weights import class_weights, weighted
from tasks.retrain.config import RetrainConfig
from tasks.retrain.configuration import load_config
from tasks.retrain.make_model import key_of
from tasks.retrain.suitable import TrainingError
from tests.retrain.conftest import INFO

NETWORK = "configs/networks/segmentation/efficientnet_lite0_fpn.py"


def settings(weights: object = "real", config: str = NETWORK) -> RetrainConfig:
    return RetrainConfig.model_validate({"segmentation": {"config": config, "iterations": 4, "class_weights": weights}})


def table_of(*pixels: tuple[int, ...] | None) -> SampleTable:
    def sample(i: int, counts: tuple[int, ...] | None) -> Sample:
        return Sample(str(i), Path("/i"), None, 8, 8, "train", str(i), None, None, class_pixels=counts)

    classes = tuple(SegmentationClass(name=f"c{i}", color=(i, 0, 0)) for i in range(len(pixels[0] or ())))
    info = INFO.model_copy(update={"classes": classes})
    return SampleTable.from_samples([sample(i, counts) for i, counts in enumerate(pixels)], info, Path("/"))


def test_they_are_the_root_of_median_by_frequency() -> None:
    assert class_weights(table_of((800, 50), (800, 50))) == (0.7289, 2.915)  # median 850: of 1600 and 100
    assert class_weights(table_of((900, 4, 36, 0), None)) == (0.2, 3.0, 1.0, 1.0)  # a class without pixels: 1


def test_of_a_set_without_masks_there_are_none() -> None:
    with pytest.raises(TrainingError, match="class_weights: real needs masks, but data set 'squares' has none"):
        weighted(settings(), table_of((0, 0), None))


def test_numbers_of_the_real_set_take_the_place_of_its_name(squares: Artifact) -> None:
    table = SampleTable.read(squares.path)
    config = weighted(settings(), table)
    assert config.segmentation.class_weights == class_weights(table)
    assert weighted(settings("none"), table) == settings("none")
    assert weighted(settings((1.0, 2.0)), table).segmentation.class_weights == (1.0, 2.0)
    keys = [key_of(c.segmentation) for c in (config, settings("none"), settings((1.0, 2.0)))]
    assert keys[0] != keys[1] != keys[2] != keys[0]


def test_the_loss_is_the_weighted_mean_over_labelled_pixels() -> None:
    """As PyTorch defines it, of which mmseg's with ``avg_non_ignore`` raises an error."""
    import mmseg.models  # noqa: F401 - registers the losses
    from mmseg.registry import MODELS

    cfg = load_config("segmentation", settings((0.25, 4.0)).segmentation, INFO)
    loss = MODELS.build(cfg.model.decode_head.loss_decode)
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 2, 5, 7, generator=random)
    labels = torch.randint(0, 2, (2, 5, 7), generator=random)
    labels[:, :2] = 255
    expected = torch.nn.functional.cross_entropy(logits, labels, torch.tensor([0.25, 4.0]), ignore_index=255)
    assert torch.allclose(loss(logits, labels, ignore_index=255), expected)
    assert loss(logits, torch.full_like(labels, 255), ignore_index=255) == 0


def test_every_loss_of_a_network_is_weighted() -> None:
    config = "configs/networks/segmentation/deeplabv3plus_r50.py"
    cfg = load_config("segmentation", settings((1.0, 2.0), config).segmentation, INFO)
    losses = [cfg.model.decode_head.loss_decode, cfg.model.auxiliary_head.loss_decode]
    assert [(x.class_weight, x.avg_non_ignore) for x in losses] == [([1.0, 2.0], False)] * 2
    with pytest.raises(TrainingError, match=r"retrain\.segmentation\.class_weights: 3 for 2 classes"):
        load_config("segmentation", settings((1.0, 2.0, 3.0)).segmentation, INFO)


def test_detection_has_none_and_none_is_negative() -> None:
    with pytest.raises(ValidationError, match=r"class_weights are of segmentation's loss"):
        RetrainConfig.model_validate({"detection": {"config": NETWORK, "iterations": 4, "class_weights": "real"}})
    with pytest.raises(ValidationError, match="greater than 0"):
        settings((1.0, 0.0))
