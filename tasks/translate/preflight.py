"""What can be said of translators before one is trained: of files of weights and crops, and of images as read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tasks.contracts import Finding
from tasks.datasets import SampleTable
from tasks.settings import Problem, below, file_problems
from tasks.translate.config import Translator
from tasks.translate.outside.preflight import outside_problems
from tasks.translate.sections.base import TranslatorSection
from tasks.translate.sections.features import Features
from tasks.translate.sections.learned import MINIMUM, Learned, Training
from tasks.translate.sections.vsait import Vsait

Size = tuple[int, int]
_CHECKPOINT = "checkpoint.pth"  # of a model that this pipeline trained


def translator_problems(config: Translator) -> Iterator[Problem]:
    """The problems of one translator's section by itself."""
    yield from outside_problems(config)
    if not isinstance(config, Learned):
        return
    if config.weights is not None:  # then nothing is trained
        yield from file_problems(("weights",), config.weights.path, config.weights.sha256)
        return
    if config.apply_width is not None and config.apply_width < config.training.crop:
        values = {"width": config.apply_width, "crop": config.training.crop}
        yield Problem(("apply_width",), Finding.of("settings.applied_narrower", **values))
    yield from below(("training",), _crop_problems(config.training))
    if isinstance(config, Vsait):
        yield from below(("features",), _features_problems(config.features))


def size_problems(
    config: Translator, sizes: Mapping[str, Mapping[Size, int]], tolerated: float = 0
) -> Iterator[Problem]:
    """Images that are too small for a translator's crops, for its network, or for the width that it is applied at.

    Args:
        tolerated: the share of a side's images that training may leave out as smaller than its crops.
        config: the translator.
        sizes: ``source`` and ``target`` -> (width, height) in pixels -> how many images have it.
    """
    if not isinstance(config, Learned):
        return
    if small := {size: n for size, n in sizes["source"].items() if min(size) < MINIMUM}:
        yield Problem((), _told_small("settings.too_small", "source", small, MINIMUM))
    yield from _width_problems(config, sizes["source"])
    if config.weights is not None:
        return
    for side in ("source", "target"):
        at_training = ((config.training.loaded(size), n) for size, n in sizes[side].items())
        small = {size: n for size, n in at_training if min(size) < config.training.crop}
        if sum(small.values()) > tolerated * sum(sizes[side].values()):
            finding = _told_small("settings.smaller_than_crop", side, small, config.training.crop)
            yield Problem(("training", "crop"), finding)


def _width_problems(config: Learned, sizes: Mapping[Size, int]) -> Iterator[Problem]:
    """Enlarging adds nothing; an image that is only just as wide is translated as it is."""
    if config.apply_width is None:
        return
    if narrow := {size: n for size, n in sizes.items() if size[0] < config.apply_width}:
        width, height = min(narrow)
        values = {"images": sum(narrow.values()), "applied": config.apply_width, "width": width, "height": height}
        yield Problem(("apply_width",), Finding.of("settings.applied_wider", side="source", **values))


def validation_problems(config: Translator, tables: Mapping[str, SampleTable]) -> Iterator[Problem]:
    """Too few images to validate a training on; ``tables`` are those of ``source`` and ``target``."""
    if not isinstance(config, Learned) or config.weights is not None or config.training.validation is None:
        return
    wanted, judge = config.training.validation.images, config.training.validation.judge
    for side in ("source", "target"):
        labelled = judge and side == "source"
        there = len(tables[side].labelled("masks") if labelled else tables[side])
        if there < wanted:
            code = "settings.few_labelled_to_validate" if labelled else "settings.few_to_validate"
            finding = Finding.of(code, side=side, images=there, wanted=wanted)
            yield Problem(("training", "validation", "images"), finding)


def wants_judge(config: TranslatorSection) -> bool:
    """Whether a frozen segmenter judges a training's validations."""
    if not isinstance(config, Learned) or config.weights is not None:
        return False
    return config.training.validation is not None and config.training.validation.judge


def _told_small(code: str, side: str, small: Mapping[Size, int], least: int) -> Finding:
    width, height = min(small, key=min)
    return Finding.of(code, side=side, images=sum(small.values()), least=least, width=width, height=height)


def _crop_problems(training: Training) -> Iterator[Problem]:
    if training.width is not None and training.crop > training.width:
        values = {"crop": training.crop, "width": training.width}
        yield Problem(("crop",), Finding.of("settings.crop_wider", **values))


def _features_problems(features: Features) -> Iterator[Problem]:
    if features.path is not None and features.sha256 is not None:
        file = features.path / _CHECKPOINT if features.network == "segmenter" else features.path
        yield from file_problems((), file, features.sha256)
