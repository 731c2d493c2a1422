"""A trained model run on a benchmark: read, run and finished several batches at a time."""

from __future__ import annotations

import copy
import queue
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import Any, Protocol, TypeVar

import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import MODELS, init_default_scope
from mmengine.structures import PixelData
from torch import Tensor, nn
from torch.nn import functional as nnf

from tasks.compute import AT_ONCE, Precision, ahead, resolve_precision, threads, with_progress
from tasks.contracts import TASKS, ModelConfig
from tasks.datasets import SampleTable
from tasks.evaluate.job import InferenceJob
from tasks.evaluate.precision import in_precision
from tasks.retrain import CHECKPOINT, DATASETS, TrainingError, load_checkpoint, size_after

Size = tuple[int, int]  # width and height in pixels
R = TypeVar("R")


class Passed(Protocol):
    """Images by their positions in a table, as a test pipeline leaves them."""

    def __getitem__(self, position: int, /) -> Any: ...


# Position of an image in the table, what the model says of it, and its feature [D] where it passed whole.
Finish = Callable[[int, Any, Tensor | None], R]


class Inference:
    """A model of an ``InferenceJob``, with the images of its table that have the task's labels, or others.

    Batches are read, run and finished in threads, several on their way at once. They take turns in the network: on a
    GPU one at a time, on a CPU two, each on half of the threads (``share_threads``) and with half of the batch. So the
    network runs on while other images are decoded, and what was predicted is written.

    A batch holds images of one size after the test pipeline: images of several sizes would be padded to the largest,
    and what a network says of an image would depend on its neighbours. So the size of a batch changes results by
    rounding alone.

    Args:
        job: the model and its images.
        images: given the test pipeline, other images by their positions, as that leaves them.
        confidence: also tell how sure a segmenter is of each pixel (``confidence``).

    Attributes:
        images: mmengine's data set of the images, or what was given.

    Raises:
        TrainingError: the model's configuration is no such, or the checkpoint does not fit it.
    """

    def __init__(
        self, job: InferenceJob, images: Callable[[Any], Passed] | None = None, confidence: bool = False
    ) -> None:
        cfg = _config(job)
        init_default_scope(TASKS[job.task].package)
        self.images = images(cfg.test_pipeline) if images else _labelled_images(job, cfg.test_pipeline)
        self._pipeline = cfg.test_pipeline
        turns = 1 if job.device == "cuda" else min(AT_ONCE, threads())
        self._batch = max(1, job.batch // turns)
        self._models: queue.SimpleQueue[_Model] = queue.SimpleQueue()
        model, precision = _built(cfg, job), resolve_precision(job.precision, job.device)
        for _ in range(turns):
            self._models.put(_Model(_sharing_weights(model), precision, job.device, confidence))

    def all_of(self, table: SampleTable, finish: Finish[R], doing: str) -> list[R]:
        """What ``finish`` returned of each image, in the table's order, with progress.

        Args:
            table: of the images. finish: see ``run``. doing: what is done to them, for people.
        """
        sizes = list(zip(*(table.rows[side].to_pylist() for side in ("width", "height")), strict=True))
        by_position = dict(with_progress(self.run(sizes, finish), len(table), doing, bar=False))
        return [by_position[i] for i in range(len(table))]

    def run(self, sizes: Sequence[Size], finish: Finish[R]) -> Iterator[tuple[int, R]]:
        """Yield every image's position and ``finish(position, said, feature)``, which is called in threads.

        Args:
            sizes: of the images, in the table's order.
            finish: given what mmdet or mmseg says of the image, on the CPU for segmentation.
        """
        passed = [size_after(self._pipeline, size) for size in sizes]
        for batch in ahead(lambda batch: self._finished(batch, finish), batches(passed, self._batch)):
            yield from batch

    def _finished(self, batch: list[int], finish: Finish[R]) -> list[tuple[int, R]]:
        read = [self.images[i] for i in batch]
        said: list[tuple[Any, Tensor | None]] = []
        with self.turn() as model:
            # A pipeline may hold steps that ``size_after`` does not know.
            for _, same in groupby(read, lambda image: image["inputs"].shape):
                said += model(list(same))
        return [(i, finish(i, output, feature)) for i, (output, feature) in zip(batch, said, strict=True)]

    @contextmanager
    def turn(self) -> Iterator[_Model]:
        """A copy of the model, for this thread alone until the block ends."""
        model = self._models.get()
        try:
            yield model
        finally:
            self._models.put(model)


def batches(sizes: Sequence[Size], count: int) -> list[list[int]]:
    """Positions of images, those of one size in the same batches of at most ``count``; sizes as they first come."""
    groups: dict[Size, list[int]] = {}
    for position, size in enumerate(sizes):
        groups.setdefault(size, []).append(position)
    return [group[k : k + count] for group in groups.values() for k in range(0, len(group), count)]


class _Model:
    """One copy of a network, for one thread at a time."""

    def __init__(self, network: Any, precision: Precision, device: str, confidence: bool) -> None:
        self.network = network
        self._step = in_precision(network, precision, device)
        self._maps: list[Tensor] = []
        if hasattr(network, "postprocess_result"):  # mmseg's: features are the segmenters' alone
            network.postprocess_result = types.MethodType(partial(_labelled, confidence=confidence), network)
            network.backbone.register_forward_hook(lambda _, __, maps: self._maps.append(maps[-1]))

    @torch.inference_mode()
    def __call__(self, images: list[dict[str, Any]]) -> list[tuple[Any, Tensor | None]]:
        """What the network says of each image, and the mean of the backbone's last map over it."""
        self._maps.clear()
        said = self._step(pseudo_collate(images))
        whole = len(self._maps) == 1 and len(self._maps[0]) == len(images)  # a sliding window passes in parts
        pooled = self._maps[0].mean(dim=(2, 3), dtype=torch.float32).cpu() if whole else [None] * len(images)
        self._maps.clear()
        return list(zip(said, pooled, strict=True))


def _labelled_images(job: InferenceJob, pipeline: Any) -> Passed:
    of = dict(type=DATASETS[job.task].__name__, table=str(job.table), pipeline=pipeline, test_mode=True)
    found: Passed = MMENGINE_DATASETS.build(of)
    return found


class Unlabelled:
    """The images of a table as a test pipeline leaves them, without a look at their labels."""

    def __init__(self, table: SampleTable, pipeline: Any) -> None:
        self._table, self._pipeline = table, Compose(pipeline)

    def __getitem__(self, position: int) -> dict[str, Any]:
        sample = self._table[position]
        size = {"height": sample.height, "width": sample.width}
        told = {"img_id": position, "img_path": str(sample.image), "seg_fields": [], "reduce_zero_label": False}
        passed: dict[str, Any] = self._pipeline({**told, **size})
        return passed


def _config(job: InferenceJob) -> Config:
    try:
        found = ModelConfig.read(job.model)
    except (OSError, ValueError) as error:
        raise TrainingError(str(error)) from error
    return Config({"model": found.model, "test_pipeline": found.test_pipeline})


def _built(cfg: Config, job: InferenceJob) -> nn.Module:
    model: nn.Module = MODELS.build(cfg.model)
    state = load_checkpoint(job.model / CHECKPOINT)["state_dict"]
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise TrainingError(f"{job.model / CHECKPOINT} does not fit {ModelConfig.FILE}: {error}") from error
    # Channels last: up to twice as fast on CPUs, and what tensor cores want.
    model.to(job.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model.eval()


def _sharing_weights(model: nn.Module) -> nn.Module:
    """A copy that another thread may run at the same time: modules may keep something of a forward pass."""
    weights = {id(t): t for t in (*model.parameters(), *model.buffers())}
    return copy.deepcopy(model, weights)


def _labelled(network: Any, logits: Tensor, samples: list[Any], confidence: bool = False) -> list[Any]:
    """mmseg's ``postprocess_result``, for labels alone: without padding, at the image's size, the class of most.

    Here because mmseg also keeps every class's map at full size, resizes where nothing is to be resized, and takes
    ``argmax`` across the maps, which is 6 times as slow as ``max``, whose indices are the same: the first of equals.

    Args:
        logits: ``[N, C, H, W]``, at the network's input size.
        samples: mmseg's data samples; each is given ``pred_sem_seg``, ``uint8 [1, H, W]`` on the CPU.
        confidence: each is also given ``confidence``, ``float [1, H, W]`` there: the probability of the class of most.
    """
    for of_image, sample in zip(logits, samples, strict=True):
        of_image = _at_size(network, of_image, sample)
        one = len(of_image) == 1  # a map of one class against the rest
        best = of_image[0].sigmoid() > network.decode_head.threshold if one else of_image.max(dim=0).indices
        sample.set_data({"pred_sem_seg": PixelData(data=best.to(torch.uint8).cpu()[None])})
        if confidence:
            if one:
                of_image = torch.cat([torch.zeros_like(of_image), of_image])  # whose softmax is the map's sigmoid
            sure = of_image.softmax(dim=0).max(dim=0).values
            sample.set_data({"confidence": PixelData(data=sure.float().cpu()[None])})
    return samples


def _at_size(network: Any, logits: Tensor, sample: Any) -> Tensor:
    """Logits ``[C, H, W]`` without padding, at the image's size."""
    left, right, top, bottom = sample.metainfo.get("img_padding_size", sample.metainfo.get("padding_size", [0] * 4))
    height, width = logits.shape[1:]
    of_image = logits[None, :, top : height - bottom, left : width - right]
    if of_image.shape[2:] != (size := tuple(sample.metainfo["ori_shape"])):
        of_image = nnf.interpolate(of_image, size, mode="bilinear", align_corners=network.align_corners)
    return of_image[0]
