"""The PatchGAN discriminator (Isola et al., CVPR 2017): a map of judgements, each of one patch."""

from __future__ import annotations

from torch import Tensor, nn


class PatchGan(nn.Module):
    """``[N, 3, H, W]`` in [-1, 1] -> ``[N, 1, H', W']`` of logits; 3 layers see 70x70 pixels each."""

    def __init__(self, channels: int = 64, layers: int = 3, norm: bool = True) -> None:
        super().__init__()
        body: list[nn.Module] = [nn.Conv2d(3, channels, 4, stride=2, padding=1), nn.LeakyReLU(0.2, True)]
        width = channels
        for layer in range(1, layers + 1):
            wider = channels * min(2**layer, 8)
            stride = 2 if layer < layers else 1
            body += [nn.Conv2d(width, wider, 4, stride, 1)]
            body += [nn.InstanceNorm2d(wider)] if norm else []
            body += [nn.LeakyReLU(0.2, True)]
            width = wider
        self.layers = nn.Sequential(*body, nn.Conv2d(width, 1, 4, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        judged: Tensor = self.layers(x)
        return judged


def least_squares(judged: Tensor, wanted: float) -> Tensor:
    """LSGAN's loss (Mao et al., ICCV 2017): the mean squared distance from 1, for real, or 0, for fake; in 32 bits."""
    return (judged.float() - wanted).square().mean()
