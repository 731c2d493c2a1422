"""A trained segmenter as a function of images in memory: the judge of a translator that is being trained.

It reads an image as an evaluation of the same model would, through the same test pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import Compose
from numpy.typing import NDArray

from tasks.evaluate.inference import Inference
from tasks.evaluate.job import InferenceJob
from tasks.retrain import TrainingError

_LOADS = "LoadTableImage"  # the step of a test pipeline that reads the file, which these images have no more


def load(model: Path, device: str) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Load a model.

    Args:
        model: folder of a ``model`` artifact of segmentation.
        device: ``cpu`` or ``cuda``.

    Returns:
        A function, for one thread at a time, of an image RGB ``uint8 [H, W, 3]`` to class indices ``uint8 [H, W]``.

    Raises:
        TrainingError: the model's configuration is no such, or the checkpoint does not fit it.
    """
    # In float32: whose weights are kept shall depend on no instructions that a machine has.
    job = InferenceJob(
        task="segmentation", model=model, table=model, work=model, batch=1, device=device, precision="float32"
    )
    inference = Inference(job, _InMemory)
    shown = inference.images
    assert isinstance(shown, _InMemory)

    def judge(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        shown.image = image
        with inference.turn() as network:
            ((said, _),) = network([shown[0]])
        return np.asarray(said.pred_sem_seg.data[0].numpy(), np.uint8)

    return judge


class _InMemory:
    """An image in memory as a test pipeline leaves it, at every position."""

    def __init__(self, pipeline: Sequence[dict[str, Any]]) -> None:
        first, *others = pipeline
        if first["type"] != _LOADS:
            raise TrainingError(f"test_pipeline begins with {first['type']}; that of a judge must with {_LOADS}")
        self._pipeline = Compose(others)
        self.image: NDArray[np.uint8] = np.empty((0, 0, 3), np.uint8)

    def __getitem__(self, position: int) -> Any:
        shape = self.image.shape[:2]
        told = {"img_id": position, "img_path": "", "seg_fields": [], "reduce_zero_label": False}
        sizes = {"height": shape[0], "width": shape[1], "img_shape": shape, "ori_shape": shape}
        pixels = np.ascontiguousarray(self.image[..., ::-1])  # BGR, as OpenMMLab has it
        return self._pipeline({**told, **sizes, "img": pixels})
