"""Inference in batches of one size: the same whatever the batch, in the table's order, and mmseg's own labels."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS, init_default_scope
from mmseg.models import BaseSegmentor
from mmseg.structures import SegDataSample
from PIL import Image

from tasks.compute.device import Precision
from tasks.contracts.scores import Scores
from tasks.contracts.task import TASKS, Task
from tasks.datasets.errors import ImageError
from tasks.datasets.images import read_image
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.table import Box, Sample, SampleTable, SegmentationClass, TableInfo
from tasks.evaluate import frozen_judge
from tasks.evaluate.inference import _labelled, batches
from tasks.evaluate.job import EvaluateJob
from tasks.evaluate.worker import evaluate
from tasks.retrain.checkpoints import load_initial
from tasks.retrain.config import TrainingConfig, Weights
from tasks.retrain.configuration import load_config, used
from tasks.retrain.suitable import TrainingError
from tasks.store.files import write_png
from tasks.translate.networks.imagenet import IMAGENET_SHA256, imagenet_weights

SIZES = [(80, 48), (64, 48), (80, 48), (48, 64), (64, 48), (80, 48), (80, 48)]  # width and height
NETWORKS = {"segmentation": "segmentation/efficientnet_lite0_fpn", "detection": "detection/efficientnet_lite0_atss"}
INFO = TableInfo(
    dataset="noise",
    classes=tuple(SegmentationClass(name=n, color=(i, i, i)) for i, n in enumerate(("a", "b", "c"))),
    detection=("box",),
    encoding=MaskEncoding(kind="index", indices={0: 0, 1: 1, 2: 2}),
    boxes_from="annotated",
)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of three sizes, none beside another of its size but two."""
    folder = tmp_path_factory.mktemp("noise")
    random = np.random.default_rng(0)
    samples = []
    for i, (width, height) in enumerate(SIZES):
        files = (folder / f"{i}.png", folder / f"{i}_mask.png")
        coarse = random.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
        write_png(files[0], coarse.repeat(8, 0).repeat(8, 1))
        write_png(files[1], random.integers(0, 3, (height, width), np.uint8))
        samples.append(Sample(str(i), *files, width, height, "test", str(i), str(i), (Box(0, 8, 8, 40, 40),)))
    SampleTable.from_samples(samples, INFO, folder).write(folder)
    return folder


@pytest.fixture(scope="module", params=["segmentation", "detection"])
def untrained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Task, Path]:
    """A network without a trained head that keeps the images' ratio, so that their sizes differ where they pass it."""
    task, folder = request.param, tmp_path_factory.mktemp("model")
    network = Path(f"configs/networks/{NETWORKS[task]}.py")
    config = load_config(task, TrainingConfig(config=network, iterations=4, input_size=(96, 64)), INFO)
    config.test_pipeline[1].keep_ratio = True
    init_default_scope(TASKS[task].package)
    torch.manual_seed(0)
    network = MODELS.build(config.model)
    load_initial(network, Weights(path=imagenet_weights(), sha256=IMAGENET_SHA256), config.filename)
    torch.save({"state_dict": network.state_dict()}, folder / "checkpoint.pth")
    used(config).dump(str(folder / "config.py"))
    return task, folder


def evaluated(
    untrained: tuple[Task, Path], table: Path, work: Path, batch: int, precision: Precision = "float32"
) -> Path:
    task, model = untrained
    job = EvaluateJob(task=task, model=model, table=table, work=work, batch=batch, device="cpu", precision=precision)
    evaluate(job)
    return work


def said(folder: Path) -> list[Any]:
    """Of each image, the labels or the boxes, in the table's order."""
    if (folder / "predictions").is_dir():
        return [np.asarray(Image.open(folder / "predictions" / f"{i}.png")) for i in range(len(SIZES))]
    found = json.loads((folder / "predictions.json").read_text())
    assert [f["image_id"] for f in found] == sorted(f["image_id"] for f in found)
    return [np.array([[*f["bbox"], f["score"]] for f in found if f["image_id"] == i + 1]) for i in range(len(SIZES))]


def test_a_batch_changes_predictions_by_rounding_alone(
    untrained: tuple[Task, Path], table: Path, tmp_path: Path
) -> None:
    single, several = (said(evaluated(untrained, table, tmp_path / str(n), n)) for n in (1, 4))
    assert len({a.tobytes() for a in single}) == len(SIZES)
    for one, other, (width, height) in zip(single, several, SIZES, strict=True):
        if untrained[0] == "segmentation":
            assert one.shape == (height, width)
            assert (one != other).mean() < 0.002
        else:
            np.testing.assert_allclose(one[:20], other[:20], atol=0.02)


def test_the_same_evaluation_is_the_same_bytes(
    untrained: tuple[Task, Path], table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # two batches at once
    once, again = (evaluated(untrained, table, tmp_path / str(n), 4) for n in range(2))
    files = sorted(p.relative_to(once) for p in once.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    assert all((once / f).read_bytes() == (again / f).read_bytes() for f in files)


def test_bfloat16_says_nearly_the_same_and_is_told(untrained: tuple[Task, Path], table: Path, tmp_path: Path) -> None:
    names: tuple[Precision, Precision] = ("float32", "bfloat16")
    plain, short = (evaluated(untrained, table, tmp_path / name, 4, name) for name in names)
    assert [Scores.read(folder).precision for folder in (plain, short)] == ["float32", "bfloat16"]
    differ = 0
    for one, other in zip(said(plain), said(short), strict=True):
        if untrained[0] == "segmentation":
            assert (one != other).mean() < 0.05
        else:  # in another order where scores are nearly the same
            nearest = [np.abs(other[:, :4] - box[:4]).max(axis=1).min() for box in one[:20]]
            assert np.median(nearest) < 0.3
        differ += one.tobytes() != other.tobytes()
    assert differ  # it did compute in it


@pytest.mark.parametrize("untrained", ["segmentation"], indirect=True)
def test_a_judge_reads_images_in_memory_as_an_evaluation_reads_files(
    untrained: tuple[Task, Path], table: Path, tmp_path: Path
) -> None:
    judge = frozen_judge.load(untrained[1], "cpu")
    images = [read_image(sample.image) for sample in SampleTable.read(table)]
    for image, of_file in zip(images, said(evaluated(untrained, table, tmp_path, 1)), strict=True):
        assert np.array_equal(judge(image), of_file)


def test_a_judge_needs_a_pipeline_that_can_do_without_a_file() -> None:
    with pytest.raises(TrainingError, match="test_pipeline begins with Resize; that of a judge must with LoadTable"):
        frozen_judge._InMemory([{"type": "Resize"}])


def test_an_image_that_cannot_be_read_ends_it(untrained: tuple[Task, Path], table: Path, tmp_path: Path) -> None:
    samples = list(SampleTable.read(table))
    (tmp_path / "broken.png").write_bytes(b"no image")
    samples[3] = replace(samples[3], image=tmp_path / "broken.png")
    SampleTable.from_samples(samples, INFO, tmp_path).write(tmp_path)
    with pytest.raises(ImageError, match=r"broken\.png"):
        evaluated(untrained, tmp_path, tmp_path / "work", 2)


def test_batches_hold_one_size_and_every_image_once() -> None:
    found = batches([(2, 1), (1, 1), (2, 1), (2, 1), (1, 1), (2, 1)], 3)
    assert found == [[0, 2, 3], [5], [1, 4]]
    assert batches([], 3) == []


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("shape", [(40, 56), (80, 112)])
@pytest.mark.parametrize("steps", [3, 1000])
def test_labels_are_those_of_mmseg(channels: int, shape: tuple[int, int], steps: int) -> None:
    """Few steps give many ties."""

    class Network:
        align_corners = False

        class decode_head:  # noqa: N801 - as mmseg has it
            threshold = 0.3

    logits = torch.randint(-steps, steps, (2, channels, 48, 64), generator=torch.Generator().manual_seed(0)) / 7
    logits = logits.to(memory_format=torch.channels_last)
    samples = [SegDataSample(metainfo={"ori_shape": shape, "img_padding_size": [0, 8, 0, 8]}) for _ in range(4)]
    expected = BaseSegmentor.postprocess_result(Network(), logits, samples[:2])
    for ours, theirs in zip(_labelled(Network(), logits, samples[2:]), expected, strict=True):
        assert ours.pred_sem_seg.data.dtype == torch.uint8
        assert torch.equal(ours.pred_sem_seg.data, theirs.pred_sem_seg.data.to(torch.uint8))
