"""Runs an image-to-image network on whole images of any size."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.compute import AT_ONCE, Precision, has_bfloat16, threads
from tasks.translate.networks.resnet import ResnetGenerator
from tasks.translate.networks.tiles import translate_tiled
from tasks.translate.upsampling import AppliedWidth

log = logging.getLogger(__name__)

_CUDA_PIXELS = 8 << 20  # a batch of 8 megapixels keeps a GPU busy and takes a few GB with 64 channels
_TILE = 512  # pixels a side, where memory runs out


def autocast(device: torch.device) -> torch.autocast:
    """The context that networks train in: bfloat16, which needs no loss scaling, but only on GPUs that have it."""
    enabled = device.type == "cuda" and has_bfloat16("cuda")
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


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

    Images are padded by reflection to the network's multiple and the result is cropped back. Calls take turns in the
    network: on a GPU one at a time, on a CPU two, each on half of the threads (``share_threads``). So one goes on while
    the other waits for a core that is reading or encoding, where a single network on all threads would stop at every
    layer. Where memory runs out, the images of a batch are translated one by one, and a single image by tiles.

    Args:
        network: the network.
        multiple: of what height and width must be, in pixels.
        minimum: the smallest height and width.
        device: where to compute.
        tile: translate images of more than ``tile * tile`` pixels by tiles in any case; only a ``ResnetGenerator`` can.
        precision: ``float32``, or ``bfloat16`` for convolutions, with norms' statistics in 32 bits.
        at_width: at what width to translate, and how to come back from it; at the images' own if None.
    """

    variants = 1

    def __init__(
        self,
        network: nn.Module,
        multiple: int,
        minimum: int,
        device: torch.device,
        tile: int | None = None,
        precision: Precision = "float32",
        at_width: AppliedWidth | None = None,
    ) -> None:
        self.network = network.to(device).to(memory_format=memory_format(device)).eval()  # type: ignore[call-overload]
        self.device = device
        self.multiple = multiple
        self.minimum = minimum
        self.tile = tile
        self.precision = precision
        self.at_width = at_width
        self.notes: dict[str, Any] = {}
        # On CPUs a batch only costs memory.
        self.batch_pixels = _CUDA_PIXELS if device.type == "cuda" else 1
        self._turn = threading.Semaphore(1 if device.type == "cuda" else min(AT_ONCE, threads()))
        self._too_many = math.inf  # so many pixels have not fit into memory

    @property
    def precision(self) -> Precision:
        """What it computes in; the first bfloat16 gives a network's norms scales of 1."""
        return self._precision

    @precision.setter
    def precision(self, precision: Precision) -> None:
        self._precision = precision
        if precision == "bfloat16" and self.device.type == "cpu":
            _keep_statistics_exact(self.network)

    @torch.inference_mode()
    def __call__(self, images: Sequence[NDArray[np.uint8]], ids: Sequence[str]) -> list[NDArray[np.uint8]]:
        if self.at_width is None:
            return self._whole(images)
        shrunk = [self.at_width.shrunk(image) for image in images]
        made = self._whole(shrunk)
        return [self.at_width.restored(*parts) for parts in zip(made, shrunk, images, strict=True)]

    def _whole(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
        x = to_tensor(np.stack(images), self.device)
        with self._turn, torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            result = self._translate(x)
        return list(to_images(result))

    def _translate(self, x: Tensor) -> Tensor:
        count, _, height, width = x.shape
        large = self.tile is not None and height * width > self.tile**2
        if not large and (pixels := count * height * width) < self._too_many:
            try:
                return translate_padded(self.network, x, self.multiple)
            except (RuntimeError, MemoryError) as error:
                if not _out_of_memory(error):
                    raise
            # Out of the handler, or the error's traceback would keep the network's tensors alive.
            self._too_many = pixels
            log.warning("%d image(s) of %dx%d do not fit into memory: smaller parts", count, width, height)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
        if count > 1:
            return torch.cat([self._translate(x[k : k + 1]) for k in range(count)])
        return self._by_tiles(x, self.tile if large and self.tile else _TILE)

    def _by_tiles(self, x: Tensor, tile: int) -> Tensor:
        if not isinstance(network := self.network, ResnetGenerator):
            raise MemoryError("does not fit into memory, and this network cannot work by tiles")
        try:
            return translate_padded(lambda padded: translate_tiled(network, padded, tile), x, self.multiple)
        except (RuntimeError, MemoryError) as error:
            if not _out_of_memory(error):
                raise
            reason = f"does not fit into memory, not even by tiles of {tile} pixels: compute where there is more"
            raise MemoryError(reason) from error


def _keep_statistics_exact(network: nn.Module) -> None:
    """Let InstanceNorms of bfloat16 maps keep mean and variance in float32.

    On a CPU, torch rounds them to the type of the scales, and without scales to that of the map: a mean of 3.5 by up to
    0.008, for all of an image. Scales of 1 change no value in float32.
    """
    for norm in network.modules():
        if isinstance(norm, nn.InstanceNorm2d) and norm.weight is None:
            ones = torch.ones(norm.num_features, dtype=torch.float32)
            norm.weight = nn.Parameter(ones, requires_grad=False)
            norm.bias = nn.Parameter(torch.zeros_like(ones), requires_grad=False)


def translate_padded(network: Callable[[Tensor], Tensor], x: Tensor, multiple: int) -> Tensor:
    """Run a network on ``[N, 3, H, W]`` of any size: reflection at the right and lower border, then cropped away."""
    height, width = x.shape[2:]
    padded = nnf.pad(x, (0, -width % multiple, 0, -height % multiple), mode="reflect")
    return network(padded)[:, :, :height, :width]


def _out_of_memory(error: BaseException) -> bool:
    # On a CPU it is a plain RuntimeError of torch's allocator.
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)
