"""How the authors' programs name the layers of their generators: learnt from the state dicts that they save.

CUT, and SRUNIT and DECENT which are built on it, keep one ``nn.Sequential`` named ``model``, with the fixed filters of
the blurs as buffers ``filt``. CycleGAN's is the same without blurs, three layers a step in place of four; so is CUT's
with ``--no_antialias --no_antialias_up``. VSAIT keeps ``encoder.net`` and ``decoder.net``, each with about half of the
residual blocks, and the Gaussians as buffers ``weight``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from tasks.translate.networks.resampling import Resampling, gaussian

_BLOCK = re.compile(r"(model\.\d+\.conv_block|(?:en|de)coder\.net\.\d+\.net)\.")
_STEMS = {"vsait": "encoder.net.0.conv", **dict.fromkeys(("cut", "cyclegan", "decent", "srunit"), "model.1")}
METHODS = tuple(sorted(_STEMS))


@dataclass(frozen=True)
class GeneratorLayout:
    """The generator of one program, of so many residual blocks.

    Attributes:
        blocks: how many they are.
        resampling: how it goes down and up.
        layers: their name of each convolution -> ours, in the order of computation.
        filters: their name of each fixed filter, which is stored as ``[C, 1, k, k]`` -> its values ``[k, k]``.
    """

    blocks: int
    resampling: Resampling
    layers: dict[str, str]
    filters: dict[str, Tensor]


def stem_of(method: str) -> str:
    """The name of the first convolution, 7x7, in the program of a method's authors."""
    return _STEMS[method]


def layout_of(method: str, names: Collection[str]) -> GeneratorLayout:
    """The layout in the program of a method's authors that these names of tensors look like."""
    blocks = len({found[1] for name in names if (found := _BLOCK.match(name))})
    if method == "vsait":
        return _vsait(blocks)
    # Where strided, the residual blocks begin two layers earlier; where there is dropout, it stands within them.
    stride = any(name.startswith("model.10.conv_block.") for name in names)
    second = 6 if any(".conv_block.6." in name for name in names) else 5
    return _sequential(blocks, 3 if stride else 4, second)


def _sequential(blocks: int, step: int, second: int) -> GeneratorLayout:
    """Of a program with one ``model``, whose steps down and up are three layers (strided) or four (blurred)."""
    first = 4 + 2 * step  # of the residual blocks
    behind = first + blocks
    resized = step - 3  # a resize stands before an up-sampling convolution
    theirs = {1: 1, 4: 4, 4 + step: 8}
    ups = {behind + resized: 13 + blocks, behind + step + resized: 17 + blocks, behind + 2 * step + 1: 21 + blocks}
    bodies = {
        f"model.{first + k}.conv_block.{there}": f"layers.{12 + k}.body.{ours}"
        for k in range(blocks)
        for there, ours in ((1, 1), (second, 5))
    }
    return GeneratorLayout(
        blocks,
        "stride" if step == 3 else "blur",
        {**_numbered("model.{}", theirs), **bodies, **_numbered("model.{}", ups)},
        {}
        if step == 3
        else _blurs(("model.7.filt", "model.11.filt"), (f"model.{behind}.filt", f"model.{behind + 4}.filt")),
    )


def _vsait(blocks: int) -> GeneratorLayout:
    before = blocks - blocks // 2  # residual blocks in the encoder
    after = blocks - before
    bodies = [f"encoder.net.{5 + k}" for k in range(before)] + [f"decoder.net.{k}" for k in range(after)]
    ups = {after + 1: 13 + blocks, after + 3: 17 + blocks, after + 4: 21 + blocks}
    layers = {
        **_numbered("encoder.net.{}.conv", {0: 1, 1: 4, 3: 8}),
        **{
            f"{body}.net.{there}.conv": f"layers.{12 + k}.body.{ours}"
            for k, body in enumerate(bodies)
            for there, ours in ((0, 1), (1, 5))
        },
        **_numbered("decoder.net.{}.conv", ups),
    }
    down = dict.fromkeys(("encoder.net.2.weight", "encoder.net.4.weight"), gaussian(3))
    up = dict.fromkeys((f"decoder.net.{after}.weight", f"decoder.net.{after + 2}.weight"), 4 * gaussian(4))
    return GeneratorLayout(blocks, "gaussian", layers, down | up)


def _numbered(name: str, numbers: dict[int, int]) -> dict[str, str]:
    return {name.format(theirs): f"layers.{ours}" for theirs, ours in numbers.items()}


def _blurs(down: tuple[str, str], up: tuple[str, str]) -> dict[str, Tensor]:
    """CUT's filters: binomial, of sum 1 down and, as pixels are spread over four, 4 up."""
    three, four = torch.tensor([1.0, 2.0, 1.0]) / 4, torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
    return dict.fromkeys(down, torch.outer(three, three)) | dict.fromkeys(up, torch.outer(four, four))
