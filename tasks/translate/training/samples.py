"""Grids of sample translations, to be looked at while a translator trains."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tasks.store import write_png
from tasks.translate.networks.resnet import MULTIPLE
from tasks.translate.networks.whole_image import autocast, to_images, to_tensor, translate_padded
from tasks.translate.training.crops import TrainingImages

_ROWS = 4
_GAP = 4  # pixels of white between images
_WIDEST = 640


def write_samples(path: Path, network: nn.Module, source: TrainingImages, target: TrainingImages) -> None:
    """Write a PNG of rows ``source | translated | a target image``: always the same images, at training size.

    Images wider than 640 pixels are shrunk; nothing is enlarged.
    """
    rows = [_row(network, source, target, k) for k in range(min(_ROWS, len(source.paths)))]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(r, ((0, _GAP), (0, width - r.shape[1]), (0, 0)), constant_values=255) for r in rows]
    write_png(path, np.concatenate(padded))


@torch.inference_mode()
def _row(network: nn.Module, source: TrainingImages, target: TrainingImages, row: int) -> NDArray[np.uint8]:
    before = source.image(_spread(row, len(source.paths)))
    real = target.image(_spread(row, len(target.paths)))
    device = next(network.parameters()).device
    with autocast(device):
        after = to_images(translate_padded(network, to_tensor(np.stack([before]), device), MULTIPLE))[0]
    panels = [_shrink(p) for p in (before, after, real)]
    height = max(p.shape[0] for p in panels)
    return np.concatenate(
        [np.pad(p, ((0, height - p.shape[0]), (0, _GAP), (0, 0)), constant_values=255) for p in panels], axis=1
    )


def _spread(row: int, count: int) -> int:
    """Rows come from all over a set: neighbours in a drive look alike."""
    return (2 * row + 1) * count // (2 * _ROWS)


def _shrink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.shape[1] <= _WIDEST:
        return image
    height = round(image.shape[0] * _WIDEST / image.shape[1])
    return cv2.resize(image, (_WIDEST, height), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
