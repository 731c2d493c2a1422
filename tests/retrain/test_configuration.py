"""mmengine configurations made for a job: classes, input size, schedule, and refusals."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from mmengine.registry import MODELS, init_default_scope

import tasks.retrain.data  # noqa: F401 - registers what networks are built of
from tasks.contracts.task import TASKS
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.table import SampleTable, SegmentationClass, TableInfo
from tasks.retrain.config import TrainingConfig
from tasks.retrain.configuration import load_config
from tasks.retrain.make_model import key_of
from tasks.retrain.suitable import TrainingError, check_images

INFO = TableInfo(
    dataset="d",
    classes=tuple(SegmentationClass(name=str(i), color=(i, 0, 0)) for i in range(7)),
    detection=("a", "b", "c"),
    encoding=MaskEncoding(kind="index", indices={i: i for i in range(7)}),
    boxes_from="annotated",
)
FILES = sorted(Path("configs/networks").glob("*/*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_committed_network_is_built_for_the_taxonomy(path: Path) -> None:
    task = path.parent.name
    cfg = load_config(task, TrainingConfig(config=path, iterations=100), INFO)  # type: ignore[arg-type]
    init_default_scope(TASKS[task].package)  # type: ignore[index]
    model = MODELS.build(cfg.model)
    shapes = {tuple(v.shape) for v in model.state_dict().values()}
    outputs = {s[0] for s in shapes if s}
    assert (7 if task == "segmentation" else 3) in outputs
    assert isinstance(model, torch.nn.Module)


def test_schedule_is_in_shares_of_the_training() -> None:
    training = TrainingConfig(config=Path("configs/networks/detection/faster_rcnn_r50_fpn.py"), iterations=1000)
    warm_up, steps = load_config("detection", training, INFO).param_scheduler
    assert (warm_up["begin"], warm_up["end"]) == (0, 20)
    assert (steps["milestones"], steps["end"]) == ([670, 920], 1000)


def test_input_size_reaches_both_pipelines() -> None:
    training = TrainingConfig(
        config=Path("configs/networks/segmentation/efficientnet_lite0_fpn.py"), iterations=9, input_size=(96, 64)
    )
    cfg = load_config("segmentation", training, INFO)
    sizes = [t.scale for p in (cfg.train_pipeline, cfg.test_pipeline) for t in p if t.type == "Resize"]
    assert [tuple(s) for s in sizes] == [(96, 64), (96, 64)]
    assert tuple(cfg.input_size) == (96, 64)


def test_overrides_by_dotted_key() -> None:
    overrides = {"optim_wrapper.optimizer.lr": 0.5}
    training = TrainingConfig(
        config=Path("configs/networks/segmentation/efficientnet_lite0_fpn.py"), iterations=9, overrides=overrides
    )
    assert load_config("segmentation", training, INFO).optim_wrapper.optimizer.lr == 0.5


def test_refusals_name_the_file(tmp_path: Path) -> None:
    broken, partial = tmp_path / "broken.py", tmp_path / "partial.py"
    broken.write_text("model = dict(")
    partial.write_text("model = dict(type='X')")
    for path, message in ((tmp_path / "none.py", "no file"), (broken, "no valid config"), (partial, "lacks train_pip")):
        with pytest.raises(TrainingError, match=rf"{path.name}|{message}") as caught:
            load_config("segmentation", TrainingConfig(config=path, iterations=1), INFO)
        assert message in str(caught.value)
        assert path.name in str(caught.value)


def test_unsuitable_tables_are_refused(tmp_path: Path) -> None:
    def table(**changes: object) -> SampleTable:
        return SampleTable.from_samples([], INFO.model_copy(update=changes), tmp_path)

    with pytest.raises(TrainingError, match="has no images"):
        check_images("detection", table())


BASE = """
size = 4
model = dict(type="EncoderDecoder", backbone=dict(type="ResNet", depth=18))
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1))
"""


def training(folder: Path, base: str, own: str, **fields: object) -> TrainingConfig:
    """A training whose network inherits from a file beside it."""
    (folder / "base.py").write_text(base)
    (folder / "net.py").write_text(own)
    return TrainingConfig.model_validate({"config": folder / "net.py", "iterations": 4, **fields})


OWN = '_base_ = "base.py"\nmodel = dict(backbone=dict(depth=50))\n'
LAZY = (
    "from mmengine.config import read_base\nfrom torch.optim import SGD\nwith read_base():\n    from .base import *\n"
)


@pytest.mark.parametrize("own", [OWN, f"{LAZY}optim_wrapper.update(optimizer=dict(type=SGD, lr=0.1))\n"])
def test_key_is_of_the_network_as_resolved(own: str, tmp_path: Path) -> None:
    key = key_of(training(tmp_path, BASE, own))
    assert key_of(training(tmp_path, f"# a comment\n{BASE.replace(', ', ',  ')}", f"{own}# more\n")) == key
    for changed in (BASE.replace("size = 4", "size = 5"), BASE.replace("ResNet", "ResNeXt")):
        assert key_of(training(tmp_path, changed, own)) != key
    assert key_of(training(tmp_path, BASE, own.replace("50", "34").replace("lr=0.1", "lr=0.2"))) != key


def test_override_counts_as_what_it_does(tmp_path: Path) -> None:
    key = key_of(training(tmp_path, BASE, OWN))
    assert key_of(training(tmp_path, BASE, OWN, overrides={"model.backbone.depth": 34})) != key
    assert key_of(training(tmp_path, BASE, OWN, overrides={"model.backbone.depth": 50})) == key
    replaced = training(tmp_path, BASE, OWN, overrides={"model.backbone": {"_delete_": True, "type": "ResNet"}})
    assert key_of(replaced) == key_of(replaced) != key
    assert replaced.overrides["model.backbone"]["_delete_"]


def test_many_threads_resolve_at_once() -> None:
    network = TrainingConfig(config=Path("configs/networks/segmentation/efficientnet_lite0_fpn.py"), iterations=4)
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: str(key_of(network)), range(40)))
    assert len(set(keys)) == 1


def test_object_without_a_name_cannot_be_a_key(tmp_path: Path) -> None:
    assert key_of(training(tmp_path, BASE, "import re\nx = dict(p=re.compile('a'), t=dict, s=slice(1))\n"))
    with pytest.raises(TrainingError, match=r"net\.py: x\.p is <object object at 0x"):
        key_of(training(tmp_path, BASE, "x = dict(p=object())\n"))
    with pytest.raises(TrainingError, match="no file"):
        key_of(TrainingConfig(config=tmp_path / "none.py", iterations=1))
