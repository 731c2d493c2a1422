"""A trained generator as an ONNX file, for other runtimes."""

from __future__ import annotations

import importlib
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.store import MANIFEST, Manifest, atomic_path, damage_error, file_sha256
from tasks.translate.job import CARD, WEIGHTS
from tasks.translate.networks.resnet import MULTIPLE, ResnetGenerator
from tasks.translate.networks.weights import load_weights
from tasks.translate.sections.learned import MINIMUM

TOLERANCE = 1e-3  # the largest difference from PyTorch, of values in [-1, 1]
_ABOUT = (
    f"RGB in [-1, 1], NCHW, height and width multiples of {MULTIPLE}, at least {MINIMUM}; the result is to be clipped"
)


class ExportError(Exception):
    """A translator that cannot be exported; the message says why."""


def export_onnx(folder: Path, path: Path) -> float:
    """Write the generator of a ``translator`` artifact as ONNX, once onnxruntime has agreed with PyTorch.

    Its input ``image`` and output ``translated`` are ``float32 [N, 3, H, W]``, RGB in [-1, 1]; H and W any multiples
    of 4 from 16 on. The file's metadata say so, and name the method and the weights' SHA-256.

    Args:
        folder: the artifact's folder, or any with ``card.json`` and ``weights.safetensors``.
        path: the file to write.

    Returns:
        The largest difference between the two runtimes on random images.

    Raises:
        ExportError: a file or package is missing or damaged, or the runtimes differ by more than 1e-3.
        StoreError: the artifact's ``artifact.json`` is damaged.
        WeightsError: the weights are not those of the card's generator.
    """
    onnx, onnxruntime = _package("onnx"), _package("onnxruntime")
    card = _card(folder)
    network = ResnetGenerator(**card["config"]["generator"])
    made_for = {"method": card["method"], "generator": card["config"]["generator"]}
    load_weights(folder / WEIGHTS, network, made_for)
    network.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        _write(network, temporary)
        about = {"method": card["method"], "paper": card["paper"], "weights_sha256": file_sha256(folder / WEIGHTS)}
        model = onnx.load(temporary)
        onnx.helper.set_model_props(model, {**about, "images": _ABOUT})
        onnx.save(model, temporary)
        session = onnxruntime.InferenceSession(temporary, providers=["CPUExecutionProvider"])
        difference = _difference(network, session)
        if not difference <= TOLERANCE:
            raise ExportError(f"{path}: onnxruntime and PyTorch differ by {difference:.2g}, more than {TOLERANCE}")
    return difference


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ExportError(f"exporting needs the package {name}: install this project's extra 'onnx'") from None


def _card(folder: Path) -> dict[str, Any]:
    for name in (CARD, WEIGHTS):
        if not (folder / name).is_file():
            raise ExportError(f"{folder} is no trained translator: it has no {name}")
    if (folder / MANIFEST).exists():  # a copy of the two files will do
        problems = [p for p in Manifest.read(folder).problems(folder, full=True) if p.startswith((CARD, WEIGHTS))]
        if problems:
            raise ExportError(str(damage_error(folder, problems)))
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text())
        ResnetGenerator(**card["config"]["generator"])
        return {"method": card["method"], "paper": card["paper"], "config": card["config"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ExportError(f"{folder / CARD} is not a translator's card ({error!r})") from error


def _write(network: ResnetGenerator, path: Path) -> None:
    axes = {0: "n", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        # The newer exporter gives the same graph in fifty times the time, and speaks at length.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, 32, 48),),
            path,
            input_names=["image"],
            output_names=["translated"],
            dynamic_axes={"image": axes, "translated": axes},
            dynamo=False,
        )


def _difference(network: ResnetGenerator, session: Any) -> float:
    """On images of other sizes and another number than the network was traced with."""
    rng = torch.Generator().manual_seed(0)
    found = []
    for shape in ((1, 3, 64, 36), (2, 3, 20, 56)):
        image = torch.rand(shape, generator=rng) * 2 - 1
        with torch.inference_mode():
            expected: NDArray[np.float32] = network(image).numpy()
        found.append(float(np.abs(session.run(None, {"image": image.numpy()})[0] - expected).max()))
    return max(found)
