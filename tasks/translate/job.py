"""What a process of this room is told, and what it leaves."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, SerializeAsAny

from tasks.contracts import TranslatorCard
from tasks.translate.sections.base import TranslatorSection
from tasks.translate.sections.learned import Learned

WEIGHTS = "weights.safetensors"  # the generator's moving average
CARD = TranslatorCard.FILE
SCRATCH = "scratch"  # a folder of what is only needed while a translation goes on
TOLD = "told.json"  # what a process tells of its work: times, which must be in no artifact; see ``take_told``


def take_told(work: Path) -> dict[str, Any]:
    """What a process told of its work, for the manifest. Its file is deleted: by it, equal results would differ."""
    told: dict[str, Any] = json.loads((work / TOLD).read_bytes())
    (work / TOLD).unlink()
    return told


def _by_its_method(told: Any) -> Any:
    """A translator by its method's own section: with the union, each would depend on every one's settings."""
    if isinstance(told, TranslatorSection):
        return told
    return importlib.import_module(f"tasks.translate.sections.{told['method']}").section.model_validate(told)


class JudgeJob(BaseModel):
    """A judge of translations: ``module.load(model, device)`` gives a ``Judge``; see ``TrainedJudge``."""

    model_config = ConfigDict(frozen=True)

    model: Path
    module: str


class TranslatorJob(BaseModel):
    """One training.

    Attributes:
        translator: a learned method.
        source, target: folders of the two sample tables.
        work: where the result goes; a crashed training resumes from there.
        inputs: content digests of the two sets, for the card.
        board: where TensorBoard's files go, if anywhere.
        device: ``cpu`` or ``cuda``.
        processes: that train together, one a GPU.
        judge: of the translations, where the training is validated by one.
    """

    model_config = ConfigDict(frozen=True)

    translator: Annotated[SerializeAsAny[Learned], BeforeValidator(_by_its_method)]
    source: Path
    target: Path
    work: Path
    inputs: dict[str, str]
    board: Path | None = None
    device: str = "cpu"
    processes: int = 1
    judge: JudgeJob | None = None


class TranslationJob(BaseModel):
    """One translation of a data set.

    Attributes:
        translator: the method.
        source: folder of the sample table to translate.
        target: folder of the one whose look is wanted, where the method measures it.
        weights: of a learned method.
        work: where images and table go; a crashed translation is gone on with there.
        device: ``cpu`` or ``cuda``.
    """

    model_config = ConfigDict(frozen=True)

    translator: Annotated[SerializeAsAny[TranslatorSection], BeforeValidator(_by_its_method)]
    source: Path
    target: Path | None
    weights: Path | None
    work: Path
    device: str
