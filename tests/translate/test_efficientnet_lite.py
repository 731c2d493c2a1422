"""EfficientNet-Lite0 as a backbone: what it computes, what of it is trained, and that both toolboxes know it."""

import pytest
import torch
from mmengine.config import ConfigDict
from torch import Tensor, nn

from tasks.translate.networks.efficientnet_lite import EfficientNetLite
from tasks.translate.networks.imagenet import imagenet_weights, own_names


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return torch.load(imagenet_weights(), weights_only=True)


def test_it_computes_what_the_weights_were_trained_in(weights: dict[str, Tensor]) -> None:
    from efficientnet_lite_pytorch import EfficientNet

    reference = EfficientNet.from_name("efficientnet-lite0").eval()
    reference.load_state_dict(weights)
    network = EfficientNetLite(out_indices=(0, 1, 2, 3, 4)).eval()
    network.load_state_dict(own_names(weights))
    x = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        maps = network(x)
        y = reference._swish(reference._bn0(reference._conv_stem(x)))
        outputs = [y := block(y) for block in reference._blocks]
    for found, last in zip(maps, (0, 2, 4, 10, 15), strict=True):
        assert torch.allclose(found, outputs[last], atol=1e-4)


def test_maps_of_sides_that_no_stride_divides() -> None:
    maps = EfficientNetLite().eval()(torch.zeros(1, 3, 90, 122))
    assert [tuple(m.shape[1:]) for m in maps] == [(24, 23, 31), (40, 12, 16), (112, 6, 8), (320, 3, 4)]


@pytest.mark.parametrize(("stages", "frozen"), [(-1, 0), (0, 0), (1, 1), (2, 3), (5, 16)])
def test_frozen_stages_keep_weights_and_statistics(stages: int, frozen: int) -> None:
    network = EfficientNetLite(frozen_stages=stages).train()
    trained = [any(p.requires_grad for p in part.parameters()) for part in (network.conv_stem, *network.blocks)]
    assert trained == [stages < 0, *[False] * frozen, *[True] * (16 - frozen)]
    assert [b.bn1.training for b in network.blocks] == trained[1:]


def test_statistics_are_kept_where_they_shall_be() -> None:
    network = EfficientNetLite(norm_eval=True).train()
    assert all(p.requires_grad for p in network.parameters())
    assert not any(m.training for m in network.modules() if isinstance(m, nn.BatchNorm2d))
    before = network.bn0.running_mean.clone()
    network(torch.ones(2, 3, 32, 32))
    assert torch.equal(network.bn0.running_mean, before)


@pytest.mark.parametrize("package", ["mmdet", "mmseg"])
def test_both_toolboxes_build_it_by_its_name(package: str) -> None:
    registry = __import__(f"{package}.registry", fromlist=["MODELS"]).MODELS
    built = registry.build(ConfigDict(type="EfficientNetLite", out_indices=(2, 4)))
    assert built.out_indices == (2, 4)
