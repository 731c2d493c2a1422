"""The pool of earlier translations that a discriminator is shown again (Shrivastava et al., CVPR 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """Keeps up to ``capacity`` images ``[3, size, size]`` in buffers, so that checkpoints hold them.

    While it has room it stores each image and gives it back. Once full, it gives back, with probability 1/2, a random
    one of its images, and stores the new one in that place; else it gives back the new one.
    """

    def __init__(self, capacity: int, size: int) -> None:
        super().__init__()
        self.images: Tensor
        self.stored: Tensor
        self.register_buffer("images", torch.zeros(capacity, 3, size, size))
        self.register_buffer("stored", torch.zeros((), dtype=torch.long))

    def forward(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """Exchange ``float32 [N, 3, size, size]``, one image after the other, without gradients."""
        return torch.stack([self._exchange(image, rng) for image in images.detach()])

    def _exchange(self, image: Tensor, rng: torch.Generator) -> Tensor:
        capacity = len(self.images)
        if (stored := int(self.stored)) < capacity:
            self.images[stored] = image
            self.stored += 1
            return image
        if capacity == 0 or torch.rand((), generator=rng) < 0.5:
            return image
        place = int(torch.randint(capacity, (), generator=rng))
        old = self.images[place].clone()
        self.images[place] = image
        return old
