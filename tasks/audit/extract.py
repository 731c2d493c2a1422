"""One feature vector an image, by networks that are frozen: nothing here is trained, and nothing is downloaded."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tasks.audit.config import FeatureFile
from tasks.catalogue import FindingError
from tasks.compute import threads, with_progress
from tasks.contracts import Finding
from tasks.datasets import Sample, SampleTable, read_image
from tasks.evaluate import FEATURES, read_features
from tasks.store import UnreadableWeights, file_sha256, read_weights

if TYPE_CHECKING:
    from torch import Tensor

ImageFeatures = tuple[tuple[str, ...], NDArray[np.float32]]  # ids, and a row of features for each
OfTable = Callable[[SampleTable], ImageFeatures]  # a network that is read once, for several tables
Describe = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # RGB [N, H, W, 3] -> [N, D]
_BATCH = 16


class FeatureError(FindingError):
    """Features that cannot be had; ``finding`` says of what, why, and what to do."""


def segmenter_features(folder: Path) -> ImageFeatures:
    """The features that a segmenter left when it was evaluated: the mean of its backbone's last map over each image.

    Args:
        folder: an artifact of kind ``evaluation``.

    Returns:
        The images' ids in the table's order, and ``[N, D]``.

    Raises:
        FeatureError: there are none, or the file cannot be read.
    """
    path = folder / FEATURES
    if not path.is_file():
        raise FeatureError(Finding.of("audits.features_none", file=_named(path)))
    try:
        return read_features(folder)
    except (OSError, ValueError) as error:
        found = Finding.of("audits.features_unreadable", file=_named(path), reason=_line(error))
        raise FeatureError(found) from error


def efficientnet_features(device: str = "cpu") -> OfTable:
    """The mean of EfficientNet-Lite0's map at stride 16 over each image (Tan and Le, ICML 2019), 112 values.

    Every image is first resized to 224 x 224, whatever its aspect, so that the sizes of sets do not count.

    Args:
        device: where the network runs, as torch names it.

    Returns:
        A function of a table, which raises ``ImageError`` where an image cannot be read.

    Raises:
        FeatureError: the extra ``features`` is not installed, or its weights are not those they should be.
    """
    from tasks.translate import resized

    describe = efficientnet(device)

    def load(sample: Sample) -> NDArray[np.uint8]:
        return resized(read_image(sample.image))

    return lambda table: _described(table, load, describe, "EfficientNet-Lite0 features")


def efficientnet(device: str = "cpu") -> Describe:
    """EfficientNet-Lite0 as a function of RGB ``uint8 [N, H, W, 3]``, sides multiples of 16, to ``[N, 112]``.

    Raises:
        FeatureError: as of ``efficientnet_features``.
    """
    from tasks.translate import WeightsError, pooled_efficientnet

    try:
        return pooled_efficientnet(device)
    except WeightsError as error:
        raise FeatureError(Finding.of("audits.features_no_efficientnet", reason=str(error))) from error


def inception_features(weights: FeatureFile, device: str = "cpu") -> OfTable:
    """FID's own features, the 2048 of pool3 of the Inception network of 2015 (Heusel et al., NeurIPS 2017).

    The network and its resizing to 299 x 299 as TensorFlow 1 did are torch-fidelity's (extra ``fid``).

    Args:
        weights: torch-fidelity's file of weights; it is never downloaded.
        device: where the network runs, as torch names it.

    Returns:
        A function of a table, which raises ``ImageError`` where an image cannot be read.

    Raises:
        FeatureError: the extra is not installed, or the file is missing, has another SHA-256, or holds something else;
            the message names all that is needed.
    """
    network = _inception(weights).to(device)
    describe = _by_torch(lambda x: network(x)[0], device)
    return lambda table: _described(table, lambda sample: read_image(sample.image), describe, "Inception features")


def _inception(weights: FeatureFile) -> Any:
    needed = {"file": str(weights.path), "sha256": weights.sha256}
    try:
        package: Any = importlib.import_module("torch_fidelity")
    except ImportError as error:
        raise FeatureError(Finding.of("audits.features_no_package", package=error.name, **needed)) from error
    if not weights.path.is_file():
        raise FeatureError(Finding.of("audits.features_no_file", **needed))
    if (found := file_sha256(weights.path)) != weights.sha256:
        raise FeatureError(Finding.of("audits.features_other_file", found=found, **needed))
    try:
        # The package would also run code that a file holds: only one that is nothing but tensors is given to it.
        read_weights(weights.path, beside=())
        return package.FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(weights.path)
        )
    except (OSError, EOFError, RuntimeError, TypeError, UnreadableWeights) as error:
        raise FeatureError(Finding.of("audits.features_no_weights", reason=_line(error), **needed)) from error


def _named(path: Path) -> str:
    """A file of an artifact without the place of the store, which may be moved."""
    return "/".join(path.parts[-3:])


def _line(error: Exception) -> str:
    """What a library said, as one line of bounded length."""
    return " ".join(str(error).split())[:300]


def _by_torch(network: Callable[[Tensor], Tensor], device: str) -> Describe:
    import torch

    def describe(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).to(device)
            return np.asarray(network(x).float().cpu().numpy(), np.float32)

    return describe


def _described(
    table: SampleTable, load: Callable[[Sample], NDArray[np.uint8]], describe: Describe, what: str
) -> ImageFeatures:
    rows: list[NDArray[np.float32]] = []
    with ThreadPoolExecutor(threads()) as pool:

        def described() -> Iterator[NDArray[np.float32]]:
            for batch in _batches(table):
                yield from describe(np.stack(list(pool.map(load, batch))))

        rows += with_progress(described(), len(table), f"{what} of {table.info.dataset}")
    if not rows:
        raise FeatureError(Finding.of("audits.features_no_images", dataset=table.info.dataset))
    return tuple(table.rows["id"].to_pylist()), np.stack(rows)


def _batches(table: SampleTable) -> Iterator[list[Sample]]:
    """Neighbours of one size, a few at a time."""
    for _, group in groupby(table, key=lambda sample: (sample.width, sample.height)):
        samples = list(group)
        yield from (samples[k : k + _BATCH] for k in range(0, len(samples), _BATCH))
