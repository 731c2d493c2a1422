"""A trained model's configuration is data: nothing in it is executed, called, imported or opened."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.config import Config

from tasks.contracts.model_config import ModelConfig, check_parts

GOOD = """\
default_scope = 'mmseg'
input_size = (64, 32)
model = dict(
    backbone=dict(type='mmseg.ResNetV1c', depth=18, init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://a/b')),
    data_preprocessor=dict(mean=[-1.5, 2, 3], type='SegDataPreProcessor'),
    neck=dict({'a key': 1}),
    test_cfg=dict(nms=dict(type='soft_nms'), mode='whole'),
    pretrained='/models/r18.pth',
    type='mmseg.models.EncoderDecoder')
test_pipeline = [dict(type='LoadTableImage'), dict(keep_ratio=False, scale=(64, 32), type='Resize')]
"""


def write(folder: Path, text: str) -> Path:
    (folder / ModelConfig.FILE).write_text(text)
    return folder


def test_literals_are_read_without_what_a_training_began_with(tmp_path: Path) -> None:
    found = ModelConfig.read(write(tmp_path, GOOD.replace("dict({'a key': 1})", "{'a key': 1}")))
    assert found.model == {
        "backbone": {"type": "mmseg.ResNetV1c", "depth": 18},
        "data_preprocessor": {"mean": [-1.5, 2, 3], "type": "SegDataPreProcessor"},
        "neck": {"a key": 1},
        "test_cfg": {"nms": {"type": "soft_nms"}, "mode": "whole"},
        "type": "mmseg.models.EncoderDecoder",
    }
    assert found.test_pipeline[1] == {"keep_ratio": False, "scale": (64, 32), "type": "Resize"}
    assert found.input_size == (64, 32)


def test_what_mmengine_writes_is_read(tmp_path: Path) -> None:
    model = {"type": "EncoderDecoder", "a": (1, -2.5, None), "b c": [{"d": True}], "e": 1e-8, "f": "", "g": {1: 2}}
    model["h"] = np.inf
    Config({"model": model, "test_pipeline": [], "input_size": (8, 8)}).dump(str(tmp_path / ModelConfig.FILE))
    assert ModelConfig.read(tmp_path).model == model


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "open('planted', 'w')",
        "x = open('planted', 'w')",
        "x = [c for c in (1, 2)]",
        "x = dict([(1, 2)])",
        "x = dict({1: open('planted', 'w')})",
        "x = dict(**{'a': 1})",
        "x = {**{'a': 1}}",
        "x, y = 1, 2",
        "x = f'{1}'",
        "def f(): pass",
        "_base_ = './other.py'\nx = _base_.y",
        "x = " + "-" * 100_000 + "1",
    ],
)
def test_what_is_no_literal_is_refused_and_not_run(tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="is no configuration that this pipeline wrote"):
        ModelConfig.read(write(tmp_path, f"{GOOD}{line}\n"))
    assert not Path("planted").exists()


@pytest.mark.parametrize(
    "value",
    [
        "dict(type='os.system', command='touch planted')",
        "dict(type='subprocess.Popen', args=['touch', 'planted'])",
        "dict(type='torch.load', f='planted', weights_only=False)",
        "dict(type='torch.hub.load', repo_or_dir='planted', source='local')",
        "dict(type='mmengine.utils.install_package', package='planted')",
        "dict(type='mmengine.fileio.load', file='planted')",
        "dict(type='planted')",  # a module beside, which Python finds first
        "dict(type='antigravity')",
        "dict(type='''__import__('os').system('touch planted')''')",  # mmcv evaluates the type of an nms
        "dict(type='CameraMotionCompensation', warp_mode='''open('planted', 'w')''')",  # mmdet evaluates this
        "dict(type='KnowledgeDistillationSingleStageDetector', teacher_config='planted.py')",
        "dict(type='KnowledgeDistillationSingleStageDetector', teacher_config='/tmp/planted.py')",
        "dict(class_weight='planted.pkl')",
        "dict(checkpoint='../planted')",
        "{'../planted': 1}",
    ],
)
def test_parts_that_would_run_or_open_something_are_refused(
    tmp_path: Path, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "planted.py").write_text("raise SystemExit('it ran')")
    text = GOOD.replace("dict(type='soft_nms')", value)
    with pytest.raises(ValueError, match="is no configuration that this pipeline wrote"):
        ModelConfig.read(write(tmp_path, text))
    assert not Path("planted").exists()


@pytest.mark.parametrize(
    "overrides",
    [
        {"model.backbone.type": "os.system"},
        {"optim_wrapper": {"optimizer": {"type": "subprocess.Popen", "args": ["touch", "planted"]}}},
        {"+custom_imports": {"imports": ["planted"]}},
        {"+custom_hooks": [{"type": "mmengine.utils.install_package", "package": "planted"}]},
        {"model.test_cfg.nms": {"type": "eval", "__import__": "os"}},
        {"model.motion.warp_mode": "open('planted', 'w')"},
    ],
)
def test_overrides_that_would_run_something_are_refused(overrides: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no part of a network|would run or import"):
        check_parts(overrides)


def test_overrides_of_every_kind_pass() -> None:
    check_parts(
        {
            "optim_wrapper.optimizer": {"type": "torch.optim.AdamW", "lr": 1e-3},
            "model.backbone.init_cfg": {"type": "Pretrained", "checkpoint": "/models/r18.pth"},
            "+custom_hooks": [{"type": "EMAHook"}, {"type": "mmengine.hooks.EMAHook", "momentum": 1e-4}],
            "model.backbone.type": "mmdet.ResNet",
        }
    )


def test_a_deep_or_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"config\.py"):
        ModelConfig.read(write(tmp_path, "x = " + "[" * 5000 + "]" * 5000))
    with pytest.raises(OSError, match=r"config\.py"):
        ModelConfig.read(tmp_path / "nothing")
