"""What is said of trainings when a configuration is loaded: the key that is wrong, and a sentence."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.registry import MODELS, init_default_scope

from tasks.catalogue.language import say, speaking
from tasks.retrain.config import RetrainConfig
from tasks.retrain.configuration import load_config, read_network
from tasks.retrain.preflight import POOLED_TO_A_POINT, pooled_to_a_point, retrain_problems
from tasks.store.digest import file_sha256
from tests.retrain.conftest import INFO

DEEPLAB = "configs/networks/segmentation/deeplabv3plus_r50.py"
FPN = "configs/networks/segmentation/efficientnet_lite0_fpn.py"


def told(config: str = FPN, **fields: Any) -> list[tuple[str, str]]:
    """The dotted keys and sentences of a segmentation's training."""
    training = {"config": config, "iterations": 40, **fields}
    problems = list(retrain_problems(RetrainConfig.model_validate({"segmentation": training})))
    with speaking("ko"):
        assert all(say(p.finding) for p in problems)
    return [(".".join(map(str, p.place)), say(p.finding)) for p in problems]


@pytest.mark.parametrize("path", sorted(Path("configs/networks").glob("*/*.py")), ids=lambda p: p.stem)
def test_nothing_is_wrong_with_the_committed_networks(path: Path) -> None:
    assert told(str(path)) == []


def test_network_that_is_missing_or_none(tmp_path: Path) -> None:
    ((place, sentence),) = told(str(tmp_path / "none.py"))
    assert (place, sentence.partition(";")[0]) == ("segmentation.config", f"there is no file {tmp_path / 'none.py'}")
    for content, expected in (("model = dict(\n", "is no valid config"), ("model = 1\n", "lacks train_pipeline, ")):
        (tmp_path / "net.py").write_text(content)
        ((place, sentence),) = told(str(tmp_path / "net.py"))
        assert place == "segmentation.config"
        assert "net.py" in sentence
        assert expected in sentence
        assert "\n" not in sentence


def test_initial_weights_that_are_missing_or_others(tmp_path: Path) -> None:
    weights, sha256 = tmp_path / "w.pth", "0" * 64
    assert told(init={"path": weights, "sha256": sha256})[0][0] == "segmentation.init.path"
    weights.write_bytes(b"weights")
    ((place, sentence),) = told(init={"path": weights, "sha256": sha256})
    assert place == "segmentation.init.sha256"
    assert f"instead of {sha256}" in sentence
    weights.write_bytes(b"")  # known by size and time: what changed is read again
    assert (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        in told(init={"path": weights, "sha256": sha256})[0][1]
    )


def test_initial_weights_that_cannot_be_read(tmp_path: Path) -> None:
    weights = tmp_path / "w.pth"
    for content, problems in (({"state_dict": {"a": torch.zeros(1)}}, 0), ({"a": Planted()}, 1), ([1], 1)):
        torch.save(content, weights)
        found = told(init={"path": weights, "sha256": file_sha256(weights)})
        assert [place for place, _ in found] == ["segmentation.init.path"] * problems
        assert all(sentence.startswith(f"no initial weights: {weights} ") for _, sentence in found)


class Planted:
    """What a file of weights could hold to be run where it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("planted"),)


class Logged:
    """What mmengine's log holds, which reading it with mmengine would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, ("text", "upper")


def test_overrides_run_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fpn = str(Path(FPN).absolute())
    monkeypatch.chdir(tmp_path)
    ((place, sentence),) = told(fpn, overrides={"model.backbone.type": "subprocess.Popen"})
    assert place == "segmentation.overrides"
    assert "is no part of a network" in sentence
    for value, problems in (
        ({"state_dict": {"a": torch.zeros(1)}}, 0),
        ({"state_dict": Planted()}, 1),
        ({"a": Logged()}, 1),
    ):
        torch.save(value, tmp_path / "w.pth")
        backbone = {"type": "Pretrained", "checkpoint": str(tmp_path / "w.pth")}
        assert len(told(fpn, overrides={"+model.backbone.init_cfg": backbone})) == problems
    assert not Path("planted").exists()


def test_packaged_weights_are_of_one_backbone() -> None:
    assert told(init="packaged", class_weights="real") == []
    ((place, sentence),) = told(DEEPLAB, init="packaged")
    assert place == "segmentation.init"
    assert sentence.startswith(
        f"packaged weights are EfficientNet-Lite0's, and the backbone of {DEEPLAB} is ResNetV1c: take a network with"
    )
    ((place, sentence),) = told(overrides={"+model.decode_head.loss_decode.use_sigmoid": True}, class_weights="real")
    assert place == "segmentation.class_weights"
    assert sentence.startswith(f"{FPN} has no CrossEntropyLoss over classes")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("optim_wrapper.optimiser.lr", 0.1, "has no optim_wrapper.optimiser; the nearest is optim_wrapper.optimizer."),
        ("modle.backbone.depth", 50, "has no modle; the nearest is model."),
        ("optim_wrapper.optimizer.rate", 0.1, "at this place it has type, lr, weight_decay."),
        ("train_pipeline.9.prob", 0.1, "has no train_pipeline.9; at this place it has 0, 1, 2, 3, 4, 5 (+1)."),
        ("model.type.name", "x", "has no model.type.name: model.type is a single value"),
        ("optim_wrapper", {"optimizer": {"Lr": 0.1}}, "has no optim_wrapper.optimizer.Lr; the nearest is"),
        ("optim_wrapper.optimizer.lr", "1e-3", "1e-3 is text in YAML: write 0.001"),
        ("optim_wrapper.optimizer.lr", "1e-5", "write 1.0e-05"),
        ("optim_wrapper.optimizer.lr", "fast", "lr is 0.001 in the network's file, and 'fast' is of another type"),
        ("optim_wrapper.optimizer", 5, "5 is of another type"),
        ("model.decode_head.norm_cfg.requires_grad", 1, "requires_grad is True in the network's file, and 1 is"),
    ],
)
def test_wrong_override(key: str, value: Any, expected: str) -> None:
    ((place, sentence),) = told(overrides={key: value})
    assert place.startswith(f"segmentation.overrides.{key}")
    assert expected in sentence


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("optim_wrapper.optimizer.lr", 1),
        ("param_scheduler.0.power", 1.5),
        ("model.test_cfg", None),
        ("train_pipeline", [{"type": "LoadTableImage"}]),
        ("model.backbone", {"_delete_": True, "type": "X", "any": 1}),
        ("model.decode_head", {"dropout_ratio": 0}),
        ("+optim_wrapper.accumulative_counts", 4),
        ("+optim_wrapper", {"clip_grad": {"max_norm": 1}}),
    ],
)
def test_fitting_override(key: str, value: Any) -> None:
    assert told(overrides={key: value}) == []


def test_new_settings_and_changes_go_together() -> None:
    overrides = {"optim_wrapper.optimizer.lr": 0.5, "+optim_wrapper": {"accumulative_counts": 4}}
    wrapper = read_network(Path(FPN), overrides).optim_wrapper
    assert (wrapper.optimizer.lr, wrapper.accumulative_counts) == (0.5, 4)


def test_curve_that_would_be_empty() -> None:
    assert told(log_every=40) == []
    ((place, sentence),) = told(log_every=41)
    assert place == "segmentation.log_every"
    assert sentence.startswith("every 41 of 40 iterations logs nothing")


def test_batch_of_one() -> None:
    ((place, sentence),) = told(DEEPLAB, batch=1)
    assert place == "segmentation.batch"
    assert "DepthwiseSeparableASPPHead" in sentence
    assert told(DEEPLAB, batch=2) == told(batch=1) == []
    group = {"model.decode_head.norm_cfg": {"_delete_": True, "type": "GN", "num_groups": 8}}
    assert told(DEEPLAB, batch=1, overrides=group) == []


NORM = {"type": "BN"}
HEAD = {"in_channels": 8, "channels": 8, "num_classes": 3, "norm_cfg": NORM}
DEEPER = {"in_channels": [8, 8], "in_index": [0, 1]}
RESNET = {
    **{"type": "ResNetV1c", "depth": 18, "num_stages": 4, "out_indices": (0, 1, 2, 3), "norm_cfg": NORM},
    **{"dilations": (1, 1, 2, 4), "strides": (1, 2, 1, 1), "style": "pytorch"},
}
STDC = {
    **{"type": "STDCNet", "stdc_type": "STDCNet1", "in_channels": 3, "channels": (32, 64, 256, 512, 1024)},
    **{
        "bottleneck_type": "cat",
        "num_convs": 4,
        "norm_cfg": NORM,
        "act_cfg": {"type": "ReLU"},
        "with_final_conv": False,
    },
}
PARTS: dict[str, dict[str, Any]] = {
    "APCHead": HEAD,
    "ASPPHead": HEAD,
    "DepthwiseSeparableASPPHead": {**HEAD, "c1_in_channels": 0, "c1_channels": 0},
    "PSPHead": HEAD,
    "UPerHead": {**HEAD, **DEEPER},
    "BiSeNetV1": {"backbone_cfg": {**RESNET, "dilations": (1, 1, 1, 1), "strides": (1, 2, 2, 2)}, "in_channels": 3},
    "BiSeNetV2": {},
    "DDRNet": {},
    "FastSCNN": {},
    "ICNet": {"backbone_cfg": RESNET, "layer_channels": (128, 512)},
    "PIDNet": {},
    "ResNeSt": {"depth": 50},
    "STDCContextPathNet": {
        "backbone_cfg": STDC,
        **{"last_in_channels": (1024, 512), "out_channels": 128},
        "ffm_cfg": {"in_channels": 384, "out_channels": 256, "scale_factor": 4},
    },
}
OTHERS: dict[str, dict[str, Any]] = {
    "FCNHead": HEAD,
    "SegformerHead": {**HEAD, **DEEPER},
    "ANNHead": {**HEAD, **DEEPER, "project_channels": 8},
    "UPerHead": {**HEAD, **DEEPER, "pool_scales": (2, 3)},
    "PSPHead": {**HEAD, "norm_cfg": {"type": "GN", "num_groups": 4}},
}


def trained_on(images: int, part: dict[str, Any]) -> None:
    """Pass images, or a backbone's maps, through a part in training mode: shapes alone, without numbers."""
    init_default_scope("mmseg")
    with torch.device("meta"):
        model = MODELS.build(part)
        model.train()  # returns None for some backbones
        maps = [torch.empty(images, 8, 16, 16)] * 2
        model(maps if part["type"].endswith("Head") else torch.empty(images, 3, 128, 128))


def test_table_of_parts_is_complete() -> None:
    assert {*PARTS} == POOLED_TO_A_POINT


@pytest.mark.parametrize("name", sorted(PARTS))
def test_parts_that_pool_to_a_point_take_no_single_image(name: str) -> None:
    part = {"type": name, **PARTS[name]}
    assert pooled_to_a_point({"backbone": {"neck": [part]}}) == name
    trained_on(2, part)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        trained_on(1, part)


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_other_parts_take_a_single_image(name: str) -> None:
    part = {"type": name, **OTHERS[name]}
    assert pooled_to_a_point(part) is None
    trained_on(1, part)


def test_new_settings_reach_the_training() -> None:
    training = RetrainConfig.model_validate(
        {"segmentation": {"config": FPN, "iterations": 4, "overrides": {"+env": {"x": 1}}}}
    ).segmentation
    assert training is not None
    assert load_config("segmentation", training, INFO).env.x == 1


def test_mmseg_takes_no_batch_of_several_sizes() -> None:
    init_default_scope("mmseg")
    import mmseg.models  # noqa: F401 - registers it

    loader = MODELS.build({"type": "SegDataPreProcessor", "test_cfg": {"size_divisor": 32}})
    images = [torch.zeros(3, 64, 96), torch.zeros(3, 64, 80)]
    with pytest.raises(AssertionError, match="should be the same"):
        loader({"inputs": images, "data_samples": None}, training=False)
