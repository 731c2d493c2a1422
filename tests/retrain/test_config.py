"""The retrain section: where its files are, and that it travels."""

from pathlib import Path

import cloudpickle

from tasks.retrain.config import RetrainConfig, Weights
from tasks.retrain.make_model import key_of

SEGMENTATION = {"config": "configs/networks/segmentation/efficientnet_lite0_fpn.py", "iterations": 4}


def test_absolute_paths_are_the_same_training() -> None:
    init = Weights(path=Path("weights.pth"), sha256="0" * 64)
    config = RetrainConfig.model_validate({"segmentation": {**SEGMENTATION, "init": init}})
    moved = config.absolute().segmentation
    assert moved.config == Path.cwd() / SEGMENTATION["config"]
    assert moved.init.path == Path.cwd() / "weights.pth"
    assert key_of(moved) == key_of(config.segmentation)
    assert config.absolute().detection is None


def test_config_travels_to_another_process() -> None:
    config = RetrainConfig.model_validate({"segmentation": SEGMENTATION, "seeds": [0, 3]})
    assert cloudpickle.loads(cloudpickle.dumps(config)) == config
