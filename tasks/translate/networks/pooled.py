"""One feature vector an image, by a frozen network that no method is trained by."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from tasks.translate.networks.features import build_features
from tasks.translate.sections.features import Features

Describe = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # RGB [N, H, W, 3] -> [N, D]
INPUT = 224  # EfficientNet-Lite0's own side


def pooled_efficientnet(device: str = "cpu") -> Describe:
    """The mean of EfficientNet-Lite0's map at stride 16 over each image (Tan and Le, ICML 2019).

    Args:
        device: where the network runs, as torch names it.

    Returns:
        A function of RGB ``uint8 [N, H, W, 3]``, sides multiples of 16, to ``[N, 112]``.

    Raises:
        WeightsError: its package is not installed, or the weights are not those they should be.
    """
    network = build_features(Features(network="efficientnet_lite0")).to(device)

    def describe(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).to(device)
            pooled = network(x.float() / 127.5 - 1)[-1].mean(dim=(2, 3))
            return np.asarray(pooled.float().cpu().numpy(), np.float32)

    return describe


def resized(image: NDArray[np.uint8], side: int = INPUT) -> NDArray[np.uint8]:
    """An image stretched to ``side`` x ``side``: cells' means where it shrinks, bilinear where it grows."""
    shrinks = min(image.shape[:2]) >= side
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))
