"""Projection heads and loss of patch-wise contrastive learning (Park et al., ECCV 2020; InfoNCE: van den Oord 2018)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn


class Projection(nn.Module):
    """One two-layer perceptron a feature layer, followed by L2 normalisation.

    Args:
        widths: the layers' numbers of channels.
        width: length of the projected vectors.
    """

    def __init__(self, widths: Sequence[int], width: int = 256) -> None:
        super().__init__()
        heads = (nn.Sequential(nn.Linear(w, width), nn.ReLU(True), nn.Linear(width, width)) for w in widths)
        self.heads = nn.ModuleList(heads)

    def forward(self, features: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """Project features ``[N, C, H, W]`` at flat positions ``[S]`` to unit vectors ``[N, S, width]``."""
        layers = range(len(self.heads))
        return [self.project(k, f, p) for k, f, p in zip(layers, features, places, strict=True)]

    def project(self, layer: int, features: Tensor, places: Tensor) -> Tensor:
        """``forward`` for the one layer that comes in this place."""
        taken = features.flatten(2)[:, :, places].transpose(1, 2)
        return nnf.normalize(self.heads[layer](taken), dim=2, eps=1e-7)


def draw_places(features: Sequence[Tensor], count: int, rng: torch.Generator) -> list[Tensor]:
    """Draw up to ``count`` different flat positions from each feature map, on the maps' device."""
    sizes = [f.shape[2] * f.shape[3] for f in features]
    drawn = (torch.randperm(size, generator=rng)[:count] for size in sizes)
    return [d.to(f.device) for d, f in zip(drawn, features, strict=True)]


def patch_nce(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """InfoNCE of ``[N, S, D]`` unit vectors: query s belongs to key s; the image's other S - 1 keys are negatives.

    Keys are detached. The result is the mean over all queries, in 32-bit precision.
    """
    similarity = torch.bmm(queries.float(), keys.detach().float().transpose(1, 2)) / temperature
    own = torch.arange(queries.shape[1], device=queries.device).expand(queries.shape[0], -1)
    return nnf.cross_entropy(similarity.flatten(0, 1), own.flatten())
