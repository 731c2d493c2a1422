"""A trained generator as a safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from tasks.store import atomic_path
from tasks.translate.errors import WeightsError

_MADE_FOR = "made_for"  # one entry of metadata: safetensors writes several in an order of its own


def save_weights(path: Path, tensors: dict[str, Tensor], made_for: Mapping[str, Any] | None = None) -> None:
    """Write tensors, atomically and always as the same bytes.

    Args:
        path: the file.
        tensors: by name.
        made_for: ``Learned.architecture()``, JSON-like, kept in the file's metadata.
    """
    metadata = {_MADE_FOR: json.dumps(made_for)} if made_for is not None else None
    with atomic_path(path) as temporary:
        plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
        save_file(plain, temporary, metadata)


def load_weights(path: Path, network: nn.Module, made_for: Mapping[str, Any] | None = None) -> None:
    """Load a file into a network whose parameters it must match in name and shape.

    Args:
        path: the file.
        network: what it is loaded into.
        made_for: what the file must have been made for, where it says so itself.

    Raises:
        WeightsError: no such file, not safetensors, or made for another method or architecture; the message says what
            was expected and what is in the file.
    """
    tensors, found = _read(path)
    if made_for is not None and found is not None and found != (made_for := _complete(made_for)):
        raise WeightsError(f"{path}: made for {_words(found)}, but the configuration says {_words(made_for)}")
    wanted = network.state_dict()
    wrong = [
        f"{name}: {_shape(tensors.get(name))} instead of {_shape(wanted.get(name))}"
        for name in sorted(tensors.keys() | wanted.keys())
        if _shape(tensors.get(name)) != _shape(wanted.get(name))
    ]
    if wrong:
        sizes = _architecture(tensors), _architecture(wanted)
        differ = f"it holds {sizes[0]}, expected {sizes[1]}; " if sizes[0] != sizes[1] else ""
        raise WeightsError(f"{path}: made for another architecture ({differ}{'; '.join(wrong[:3])}): check 'generator'")
    network.load_state_dict(tensors)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name.

    Raises:
        WeightsError: no such file, or not safetensors.
    """
    return _read(path)[0]


def read_made_for(path: Path) -> dict[str, Any] | None:
    """What a file says that it was made for, as ``Learned.architecture()``; None where it says nothing.

    Raises:
        WeightsError: no such file, or not safetensors.
    """
    return _read(path)[1]


def _complete(made_for: Mapping[str, Any]) -> dict[str, Any]:
    generator = dict(made_for["generator"])
    generator.setdefault("resampling", "blur")  # what every generator was before there was a choice
    return {**made_for, "generator": generator}


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any] | None]:
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get(_MADE_FOR, "null"))
            told = isinstance(about, dict) and isinstance(about.get("generator"), dict)
            return {name: file.get_tensor(name) for name in file.keys()}, _complete(about) if told else None  # noqa: SIM118
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such file") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path}: not a safetensors file ({error})") from error


def _words(made_for: Mapping[str, Any]) -> str:
    generator = ", ".join(f"{key} {json.dumps(value)}" for key, value in made_for.get("generator", {}).items())
    return f"{made_for.get('method')} ({generator})"


def _architecture(tensors: Mapping[str, Tensor]) -> str:
    """A ResNet generator's size, as its tensors show it."""
    stem = tensors.get("layers.1.weight")
    if stem is None:
        return "no ResNet generator"
    blocks = {name.split(".")[1] for name in tensors if ".body." in name}
    return f"{len(stem)} channels and {len(blocks)} block(s)"


def _shape(tensor: torch.Tensor | None) -> list[int] | None:
    return None if tensor is None else list(tensor.shape)
