"""The PatchGAN discriminator (Isola et al., CVPR 2017): a map of judgements, each of one patch.

CycleGAN's halves height and width by the stride of its 4x4 convolutions; CUT's convolves at stride 1 and halves behind
a binomial blur (Zhang, ICML 2019), which does not alias: each output sees 84x84 pixels instead of 70x70, at twice the
multiplications.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from tasks.translate.networks.resampling import Blur


class PatchGan(nn.Module):
    """``[N, 3, H, W]`` in [-1, 1] -> ``[N, 1, H', W']`` of logits.

    Args:
        channels: of the first layer; they double up to eight times as many.
        layers: how often height and width are halved.
        norm: InstanceNorm behind all convolutions but the first and the last.
        resampling: how they are halved; with 3 layers, each logit sees 84x84 pixels (blur) or 70x70 (stride).
    """

    def __init__(
        self,
        channels: int = 64,
        layers: int = 3,
        norm: bool = True,
        resampling: Literal["blur", "stride"] = "blur",
    ) -> None:
        super().__init__()
        body: list[nn.Module] = []
        width = 3
        for layer in range(layers + 1):
            wider, halves = channels * min(2**layer, 8), layer < layers
            body += [nn.Conv2d(width, wider, 4, 2 if halves and resampling == "stride" else 1, 1)]
            body += [nn.InstanceNorm2d(wider)] if norm and layer else []
            body += [nn.LeakyReLU(0.2, True)]
            body += [Blur(wider)] if halves and resampling == "blur" else []
            width = wider
        self.layers = nn.Sequential(*body, nn.Conv2d(width, 1, 4, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        judged: Tensor = self.layers(x)
        return judged


def least_squares(judged: Tensor, wanted: float) -> Tensor:
    """LSGAN's loss (Mao et al., ICCV 2017): the mean squared distance from 1, for real, or 0, for fake; in 32 bits."""
    return (judged.float() - wanted).square().mean()
