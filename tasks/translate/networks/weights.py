"""A trained generator as a safetensors file."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tasks.store import atomic_path


class WeightsError(Exception):
    """A file of weights that is not what it should be; the message names the file."""


def save_weights(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors, atomically and always as the same bytes."""
    with atomic_path(path) as temporary:
        plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
        save_file(plain, temporary)


def load_weights(path: Path, network: nn.Module) -> None:
    """Load a file into a network whose parameters it must match in name and shape.

    Raises:
        WeightsError: no such file, not safetensors, or made for another architecture.
    """
    try:
        tensors = load_file(path)
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such file") from None
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: not a safetensors file ({error})") from error
    wanted = network.state_dict()
    wrong = [
        f"{name}: {_shape(tensors.get(name))} instead of {_shape(wanted.get(name))}"
        for name in sorted(tensors.keys() | wanted.keys())
        if _shape(tensors.get(name)) != _shape(wanted.get(name))
    ]
    if wrong:
        raise WeightsError(f"{path}: made for another architecture ({'; '.join(wrong[:3])}): check 'generator'")
    network.load_state_dict(tensors)


def _shape(tensor: torch.Tensor | None) -> list[int] | None:
    return None if tensor is None else list(tensor.shape)
