"""Runs an image-to-image network on whole images of any size."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor, nn

_CUDA_PIXELS = 8 << 20  # a batch of 8 megapixels keeps a GPU busy and takes a few GB with 64 channels


def mixed_precision(device: torch.device) -> bool:
    """Whether to compute in bfloat16, which needs no loss scaling; only where the hardware does it."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def memory_format(device: torch.device) -> torch.memory_format:
    """Channels last where tensor cores want it; on CPUs InstanceNorm would copy every feature map (a fifth slower)."""
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


def to_tensor(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    """``uint8 [N, H, W, 3]``, 0-255 -> ``float32 [N, 3, H, W]`` in [-1, 1]."""
    pixels = torch.from_numpy(images).to(device, non_blocking=True)
    scaled = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=memory_format(device))
    return scaled / 127.5 - 1


def to_images(batch: Tensor) -> NDArray[np.uint8]:
    """``[N, 3, H, W]`` in [-1, 1] -> ``uint8 [N, H, W, 3]``, 0-255, rounded to the nearest."""
    scaled = ((batch.float() + 1) * 127.5).round_().clamp_(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()


class WholeImageTranslator:
    """An ``ImageTranslator`` around a network ``[N, 3, H, W] -> [N, 3, H, W]``, values in [-1, 1].

    Images are padded by reflection to the network's multiple and the result is cropped back. Threads take turns: while
    one is in the network, the others read and encode.
    """

    def __init__(self, network: nn.Module, multiple: int, minimum: int, device: torch.device) -> None:
        self.network = network.to(device).to(memory_format=memory_format(device)).eval()  # type: ignore[call-overload]
        self.device = device
        self.multiple = multiple
        self.minimum = minimum
        # On CPUs a batch only costs memory.
        self.batch_pixels = _CUDA_PIXELS if device.type == "cuda" else 1
        self._turn = threading.Lock()

    @torch.inference_mode()
    def __call__(self, images: Sequence[NDArray[np.uint8]], ids: Sequence[str]) -> list[NDArray[np.uint8]]:
        stacked = np.stack(images)
        with self._turn, torch.autocast(self.device.type, torch.bfloat16, enabled=mixed_precision(self.device)):
            return list(to_images(translate_padded(self.network, to_tensor(stacked, self.device), self.multiple)))


def translate_padded(network: nn.Module, x: Tensor, multiple: int) -> Tensor:
    """Run a network on ``[N, 3, H, W]`` of any size: reflection at the right and lower border, then cropped away."""
    height, width = x.shape[2:]
    padded = nnf.pad(x, (0, -width % multiple, 0, -height % multiple), mode="reflect")
    result: Tensor = network(padded)[:, :, :height, :width]
    return result
