"""Which device a piece of work runs on, and what it is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Precision = Literal["float32", "bfloat16"]  # the numbers that a network computes in

_GPUS = ("nvidia[0-9]*", "dxg", "kfd")  # NVIDIA's driver, Windows' subsystem for Linux, AMD's driver


def device_name(device: torch.device) -> str:
    """The device in words, such as a GPU's name or ``CPU, 2 threads``."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"


def device_kind(name: str) -> str:
    """Of a device in words, what results can depend on: ``cpu``, with any number of threads, or the GPU's name."""
    return "cpu" if name.lower().startswith("cpu") else name


def has_bfloat16(device: str) -> bool:
    """Whether ``cpu`` or ``cuda`` has instructions that multiply bfloat16, and so does it faster than float32."""
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    found = torch.cpu.get_capabilities()
    return any(bool(found.get(name)) for name in ("avx512_bf16", "amx_bf16"))


def resolve_precision(precision: Literal["auto", "float32", "bfloat16"], device: str) -> Precision:
    """``auto`` becomes bfloat16 where ``cpu`` or ``cuda`` has instructions for it, which is where it is faster."""
    if precision != "auto":
        return precision
    return "bfloat16" if has_bfloat16(device) else "float32"


def resolve_device(device: str = "auto") -> str:
    """``auto`` becomes ``cuda`` where there is a GPU, without importing torch where there plainly is none."""
    if device != "auto":
        return device
    if not any(path for pattern in _GPUS for path in Path("/dev").glob(pattern)):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
