"""What computes in bfloat16, and what must not."""

import pytest
import torch
from mmcv.ops import RoIAlign
from torch import nn

from tasks.compute.device import has_bfloat16, resolve_precision
from tasks.evaluate.precision import in_precision


class Head(nn.Module):
    """As mmdet's heads: its forward gives maps, of which boxes are made."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 3)
        self.inside: list[torch.dtype] = []

    def forward(self, x: torch.Tensor) -> tuple[list[torch.Tensor]]:
        found = self.layer(x)
        self.inside.append(found.dtype)
        return ([found],)

    def predict_by_feat(self, maps: list[torch.Tensor]) -> torch.dtype:
        return maps[0].dtype


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head, self.pool = Head(), RoIAlign(2)

    def test_step(self, x: torch.Tensor) -> tuple[torch.dtype, torch.dtype]:
        boxes = torch.tensor([[0.0, 1, 1, 6, 6]])
        maps = nn.functional.conv2d(x, torch.ones(3, 3, 1, 1))
        return self.head.predict_by_feat(*self.head(x)), self.pool(maps, boxes).dtype


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_heads_compute_in_it_and_what_follows_them_in_float32(precision: str) -> None:
    network = Network()
    said = in_precision(network, precision, "cpu")(torch.rand(1, 3, 8, 8))
    assert said == (torch.float32, torch.float32)
    assert network.head.inside == [getattr(torch, precision)]


def test_auto_is_what_the_device_has_instructions_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for found, expected in (({"avx512_bf16": True}, "bfloat16"), ({"amx_bf16": True}, "bfloat16"), ({}, "float32")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=found: found)
        assert has_bfloat16("cpu") == (expected == "bfloat16")
        assert resolve_precision("auto", "cpu") == expected
        assert resolve_precision("float32", "cpu") == "float32"
        assert resolve_precision("bfloat16", "cpu") == "bfloat16"
