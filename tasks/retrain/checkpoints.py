"""Checkpoints that survive a crash: written atomically, and resumed from the newest one that opens."""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.fileio import LocalBackend, register_backend

from tasks.retrain.config import Weights
from tasks.retrain.finite import not_finite
from tasks.retrain.suitable import TrainingError
from tasks.store import UnreadableWeights, atomic_path, file_sha256, read_weights, tensors_of
from tasks.translate import IMAGENET_SHA256, own_names

log = logging.getLogger(__name__)
CHECKPOINTS = "iter_*.pth"
CHECKPOINT = "checkpoint.pth"  # the finished model
_NUMBERS: list[Any] = [
    np.float64(0).__reduce__()[0],
    np.dtype,
    *{type(np.dtype(t)) for t in (np.float32, np.float64, np.int64)},
]


class AtomicBackend(LocalBackend):  # type: ignore[misc]
    """mmengine's local file backend, except that a file is there whole or not at all."""

    def put(self, obj: bytes | memoryview, filepath: str | Path) -> None:
        with atomic_path(Path(filepath)) as temporary:
            temporary.write_bytes(obj)


register_backend("atomic", AtomicBackend, force=True)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU.

    Raises:
        TrainingError: the file is missing, truncated or not a checkpoint.
    """
    try:
        return read_weights(path, beside=_NUMBERS)
    except UnreadableWeights as error:
        raise TrainingError(f"not a readable checkpoint: {error}") from error


def save_weights(path: Path, model: torch.nn.Module) -> None:
    """Write a model's weights alone, atomically; the same weights are the same bytes.

    Not by its path: ``torch.save`` would write the temporary file's name into it.
    """
    buffer = io.BytesIO()
    torch.save({"state_dict": {k: v.cpu() for k, v in model.state_dict().items()}}, buffer)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def newest(work: Path) -> Path | None:
    """The newest checkpoint of a training that can be gone on from: it opens, and its weights are finite.

    Those that cannot are deleted, and said so.
    """
    for path in sorted(work.glob(CHECKPOINTS), key=iteration, reverse=True):
        try:
            if (name := not_finite(load_checkpoint(path).get("state_dict", {}))) is not None:
                raise TrainingError(f"{path} holds weights that are not finite ({name})")
            return path
        except TrainingError as error:
            log.warning("%s; trying an older one", error)
            path.unlink()
    return None


def iteration(checkpoint: Path) -> int:
    """The iteration after which a checkpoint was written, by its name (``iter_200.pth``); -1 for other names."""
    found = re.search(r"iter_(\d+)\.pth$", checkpoint.name)
    return int(found[1]) if found else -1


def load_initial(model: torch.nn.Module, weights: Weights, config: Path) -> dict[str, int]:
    """Load initial weights into a model: what fits by name and shape, which must be the larger part of the file.

    The file's own head may have other classes and is skipped; that is what transfer from ImageNet or COCO means.
    Of a checkpoint of mmengine the tensors are read, and nothing else.

    Returns:
        How many tensors were ``loaded`` and ``skipped``.

    Raises:
        TrainingError: the file is missing, has another SHA-256, cannot be read as tensors, or is another network's.
    """
    if not weights.path.is_file():
        raise TrainingError(f"init.path: no file {weights.path}")
    if (found := file_sha256(weights.path)) != weights.sha256:
        raise TrainingError(f"init: {weights.path} has SHA-256 {found}, but the configuration says {weights.sha256}")
    try:
        given = tensors_of(read_weights(weights.path))
    except UnreadableWeights as error:
        raise TrainingError(f"init: {error}") from error
    if weights.sha256 == IMAGENET_SHA256:
        given = own_names(given)
    own = model.state_dict()
    bare = not any(k.startswith("backbone.") for k in given)  # a classifier's file names its backbone's tensors bare
    named = {f"backbone.{k}" if bare else k: v for k, v in given.items()}
    fitting = {k: v for k, v in named.items() if k in own and own[k].shape == v.shape}
    if len(fitting) < len(named) / 2:
        raise TrainingError(
            f"init: {weights.path} does not fit {config}: {len(fitting)} of its {len(named)} tensors have a "
            f"counterpart of the same name and shape (its first is {next(iter(given), 'missing')!r})"
        )
    model.load_state_dict(fitting, strict=False)
    return {"loaded": len(fitting), "skipped": len(named) - len(fitting)}
