"""Files of weights, opened as tensors and plain values: nothing that such a file names is ever run."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch


class UnreadableWeights(Exception):
    """A file cannot be read as tensors; the message says why, in one line, and what to do."""


class InertValue:
    """Stands for what a file holds beside its tensors: made without running, or keeping, anything of that."""

    def __new__(cls, *_: Any, **__: Any) -> InertValue:
        """Whatever the file would call the class with."""
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        """The same."""

    def __setstate__(self, _: Any) -> None:
        """Nothing of the file's state is kept."""


# What mmengine's own iter_N.pth names beside tensors, for its log. The unpickler makes ``InertValue`` in place of each.
_LOGS = (
    *("mmengine.logging.history_buffer.HistoryBuffer", "builtins.getattr", "numpy.ndarray", "numpy.dtype"),
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
)
LOGS_LEFT_OUT: tuple[Any, ...] = tuple((InertValue, name) for name in _LOGS)
_NAMED = re.compile(r"GLOBAL ([\w.]+)")


def read_weights(path: Path, device: Any = "cpu", beside: Sequence[Any] = LOGS_LEFT_OUT) -> dict[str, Any]:
    """Read a file that ``torch.save`` wrote: a dictionary of tensors, or one that holds them as ``state_dict``.

    Args:
        path: the file.
        device: where the tensors go, as ``torch.load`` takes it.
        beside: classes that the file may name beside tensors, as ``torch.serialization.safe_globals`` takes them; by
            default what a checkpoint of mmengine holds of its log, which is left out.

    Raises:
        UnreadableWeights: there is no such file, it is cut off or no dictionary, or it names code that would be run.
    """
    try:
        with torch.serialization.safe_globals(list(beside)):
            read = torch.load(path, map_location=device, weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise UnreadableWeights(f"{path} cannot be read as tensors alone: {_why(path, error)}") from error
    if not isinstance(read, dict):
        raise UnreadableWeights(f"{path} holds a {type(read).__name__}, not tensors by name")
    return read


def tensors_of(read: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The tensors by name of what ``read_weights`` gave: of its ``state_dict``, or its own where it has none."""
    found = read.get("state_dict", read)
    return {k: v for k, v in found.items() if isinstance(v, torch.Tensor)} if isinstance(found, dict) else {}


def _why(path: Path, error: Exception) -> str:
    """What of a library's text, which may be pages long, says the reason."""
    if isinstance(error, pickle.UnpicklingError) and (named := _NAMED.search(str(error))):
        strip = (
            f"import torch; torch.save({{'state_dict': torch.load('{path.name}', weights_only=False)['state_dict']}}"
        )
        return (
            f"it names {named[1]}, which reading it would run. If you trust who made it, make a file of its tensors "
            f"(this runs it) and name that with its SHA-256: python -c \"{strip}, 'tensors.pth')\""
        )
    return " ".join((str(error) or type(error).__name__).split())[:300]
