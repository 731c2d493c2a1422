"""Frozen feature networks: what is in an image, at several strides, for losses that compare images by it.

Nothing is ever downloaded: weights come from a file with its SHA-256, a package, this pipeline, or a seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tasks.contracts import ModelConfig
from tasks.store import UnreadableWeights, file_sha256, read_weights, tensors_of
from tasks.translate.errors import WeightsError
from tasks.translate.networks.imagenet import IMAGENET_SHA256, imagenet_weights, own_names
from tasks.translate.sections.features import Features

STRIDE = 16  # the largest stride that is used: height and width must be multiples of it
_VGG19_ENDS = (3, 8, 13, 22, 30)  # behind the ReLU of conv1_2, 2_2, 3_2 and 4_2; conv5_2 itself


class FrozenFeatures(nn.Module):
    """Images ``[N, 3, H, W]`` in [-1, 1] -> feature maps ``[N, channels, H / stride, W / stride]``, finest first.

    Its weights are buffers that no state dict holds, and it is always in evaluation mode: it can be part of what is
    trained and moved between devices without being trained, saved or counted.

    Attributes:
        strides, channels: of each map.
        sha256: of the file that the weights came from, if they came from one.
    """

    def __init__(self, network: nn.Module, sha256: str | None = None) -> None:
        super().__init__()
        self.network = network
        self.sha256 = sha256
        _freeze(self)
        with torch.no_grad():
            maps = self.network(torch.zeros(1, 3, 4 * STRIDE, 4 * STRIDE))
        self._used = [k for k, m in enumerate(maps) if 4 * STRIDE // m.shape[2] <= STRIDE]
        self.strides = tuple(4 * STRIDE // maps[k].shape[2] for k in self._used)
        self.channels = tuple(maps[k].shape[1] for k in self._used)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = self.network(x)
        return [maps[k] for k in self._used]

    def train(self, mode: bool = True) -> FrozenFeatures:
        return super().train(False)


class _Chain(nn.Module):
    """Networks run one after another behind ``x * scale + shift``, by channel; every output is a feature map."""

    def __init__(
        self, stages: Sequence[nn.Module], scale: Sequence[float] = (1.0,) * 3, shift: Sequence[float] = (0.0,) * 3
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.register_buffer("scale", torch.tensor(scale).view(3, 1, 1))
        self.register_buffer("shift", torch.tensor(shift).view(3, 1, 1))

    def forward(self, x: Tensor) -> list[Tensor]:
        x = x * self.get_buffer("scale") + self.get_buffer("shift")
        maps: list[Tensor] = []
        for stage in self.stages:
            x = stage(x)
            maps += [x] if isinstance(x, Tensor) else x
        return maps


def build_features(config: Features, seed: int = 0) -> FrozenFeatures:
    """Make the feature network of a configuration; ``seed`` is that of the random one.

    Raises:
        WeightsError: a package or a file is missing, a file has another SHA-256 or cannot be read, or it holds
            another network; the message names the file and the SHA-256 that is wanted.
    """
    match config.network:
        case "vgg19":
            return _vgg19(*_file(config))
        case "efficientnet_lite0":
            return _efficientnet_lite0()
        case "segmenter":
            return _segmenter(*_file(config))
        case "random":
            return _random(seed)


def _file(config: Features) -> tuple[Path, str]:
    assert config.path is not None
    assert config.sha256 is not None  # the configuration has been checked
    return config.path, config.sha256


def _vgg19(path: Path, sha256: str) -> FrozenFeatures:
    """VGG19 (Simonyan and Zisserman, ICLR 2015), strides 1, 2, 4, 8, 16; its input is in [-1, 1], as in VSAIT."""
    from torchvision.models import vgg19  # type: ignore[import-untyped]

    with torch.device("meta"):  # its 124 M unused parameters take no memory
        layers = vgg19(weights=None, init_weights=False).features
    state = _read("vgg19", path, sha256)
    _load("vgg19", layers, _below(state, "features."), path)
    starts = (0, *(end + 1 for end in _VGG19_ENDS))
    stages = [layers[a : b + 1] for a, b in zip(starts, _VGG19_ENDS, strict=False)]
    return FrozenFeatures(_Chain(stages), sha256)


def _efficientnet_lite0() -> FrozenFeatures:
    """EfficientNet-Lite0 (Tan and Le, ICML 2019), strides 2, 4, 8, 16: the last block's output at each.

    There is nothing at stride 1: the input itself would have 0.4 % of a patch's squared norm, which is no weight.
    """
    from tasks.translate.networks.efficientnet_lite import EfficientNetLite

    what, path = "efficientnet_lite0", imagenet_weights()
    network = EfficientNetLite(out_indices=(0, 1, 2, 3))
    _load(what, network, own_names(_read(what, path, IMAGENET_SHA256)), path)
    # (v - 127) / 128 of values 0-255
    return FrozenFeatures(_Chain([network], [127.5 / 128] * 3, [0.5 / 128] * 3), IMAGENET_SHA256)


def _segmenter(folder: Path, sha256: str) -> FrozenFeatures:
    """The encoder of a segmenter that this pipeline trained (an artifact of kind ``model``), with its own input scale.

    Strides: what the encoder gives up to 16; of a ResNet also its stem, at stride 2.
    """
    state = _read("segmenter", folder / "checkpoint.pth", sha256)
    try:
        found = ModelConfig.read(folder).model
    except (OSError, ValueError) as error:
        raise WeightsError(f"features segmenter: {folder} is no model of this pipeline: {error}") from error
    from mmengine.config import Config
    from mmengine.registry import DefaultScope
    from mmseg.models.backbones import ResNet
    from mmseg.registry import MODELS

    import tasks.translate.networks.efficientnet_lite  # noqa: F401 - registers it

    model = Config(found)
    if model.get("type") != "EncoderDecoder":
        kind = model.get("type")
        raise WeightsError(
            f"features segmenter: {folder} is a {kind}: name a segmentation model, or use other features"
        )
    with DefaultScope.overwrite_default_scope("mmseg"):  # whatever this process built before
        backbone = MODELS.build(model.backbone)
    encoder = _below(state, "backbone.")
    _load("segmenter", backbone, encoder, folder / "checkpoint.pth")
    stages = _resnet_stages(backbone) if isinstance(backbone, ResNet) else [backbone]
    values = model.data_preprocessor
    mean, std = torch.tensor(values.mean), torch.tensor(values.std)
    chain = _Chain(stages, (127.5 / std).tolist(), ((127.5 - mean) / std).tolist())
    return FrozenFeatures(chain if values.get("bgr_to_rgb") else nn.Sequential(_Reversed(), chain), sha256)


def _resnet_stages(backbone: Any) -> list[nn.Module]:
    stem = backbone.stem if backbone.deep_stem else nn.Sequential(backbone.conv1, backbone.norm1, backbone.relu)
    first, *rest = (getattr(backbone, name) for name in backbone.res_layers)
    return [stem, nn.Sequential(backbone.maxpool, first), *rest]


class _Reversed(nn.Module):
    """RGB -> BGR."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flip(1)


def _random(seed: int) -> FrozenFeatures:
    """Five 3x3 convolutions with ReLU, strides 1, 2, 4, 8, 16, He-normal weights from a seed."""
    rng = torch.Generator().manual_seed(seed)
    stages: list[nn.Module] = []
    for inputs, outputs in ((3, 8), (8, 16), (16, 32), (32, 32), (32, 32)):
        conv = nn.Conv2d(inputs, outputs, 3, 2 if stages else 1, 1, bias=False)
        nn.init.kaiming_normal_(conv.weight, generator=rng)
        stages.append(nn.Sequential(conv, nn.ReLU()))
    return FrozenFeatures(_Chain(stages))


def _read(what: str, path: Path, sha256: str) -> dict[str, Tensor]:
    """Load a file of tensors after checking its SHA-256."""
    if not path.is_file():
        raise WeightsError(f"features {what}: no file {path} (its SHA-256 should be {sha256})")
    if (found := file_sha256(path)) != sha256:
        raise WeightsError(f"features {what}: {path} has SHA-256 {found} instead of {sha256}: damaged, or another file")
    try:
        return tensors_of(read_weights(path))
    except UnreadableWeights as error:
        raise WeightsError(f"features {what}: {error} (its SHA-256 is {sha256}, as configured)") from error


def _load(what: str, network: nn.Module, state: dict[str, Any], path: Path) -> None:
    try:
        network.load_state_dict(state, assign=True)  # assigned: a network without memory gets the file's
        network.float()
    except (RuntimeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise WeightsError(f"features {what}: {path} holds another network's weights: {reason}") from error


def _below(state: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _freeze(network: nn.Module) -> None:
    """Turn every parameter and buffer into a buffer that is not part of the state dict."""
    for module in network.modules():
        for name, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            delattr(module, name)
            module.register_buffer(name, tensor.detach(), persistent=False)
    network.eval()
