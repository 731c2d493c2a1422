"""Strong photometric augmentation, the alternative to translation that costs nothing: one list for both tasks.

Colour jitter, grayscale and Gaussian blur with the strengths and probabilities of MoCo v2 (Chen et al., 2020), which
Unbiased Teacher (Liu et al., ICLR 2021) took over as the strong augmentation of detection; and Gaussian noise, as of a
camera's sensor. Geometry stays, and so do labels.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS as DET_TRANSFORMS
from mmseg.registry import TRANSFORMS as SEG_TRANSFORMS
from torchvision.transforms import v2

_STRONG = v2.Compose(
    [
        v2.RandomApply([v2.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)], p=0.8),
        v2.RandomGrayscale(p=0.2),
        v2.RandomApply([v2.GaussianBlur(kernel_size=13, sigma=(0.1, 2.0))], p=0.5),  # pixels
        v2.RandomApply([v2.GaussianNoise(sigma=0.05)], p=0.5),  # of the range from black to white
    ]
)


@DET_TRANSFORMS.register_module()
@SEG_TRANSFORMS.register_module()
class StrongPhotometric(BaseTransform):  # type: ignore[misc]
    """Augments ``img``, ``[H, W, 3]`` in BGR with values from 0 to 255, at least 7 pixels a side; its type stays.

    Random numbers are those of torch, which ``SeededDraws`` seeds by the image's number.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        image = results["img"]
        rgb = torch.from_numpy(np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1))).float() / 255
        strong = (_STRONG(rgb.clamp(0, 1)) * 255).numpy()[::-1].transpose(1, 2, 0)
        rounded = strong.round() if np.issubdtype(image.dtype, np.integer) else strong
        return {**results, "img": np.ascontiguousarray(rounded.astype(image.dtype))}


def augmented(pipeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A training pipeline with the augmentation right before its images are packed, at the size that is trained on."""
    steps = copy.deepcopy(list(pipeline))
    names = [str(step["type"]).rpartition(".")[2] for step in steps]
    at = next((i for i, name in enumerate(names) if name.startswith("Pack")), len(steps))
    return [*steps[:at], {"type": StrongPhotometric.__name__}, *steps[at:]]
