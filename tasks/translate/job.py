"""What a process of this room is told, and what it leaves."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.translate.config import Translator

WEIGHTS = "weights.safetensors"  # the generator's moving average
CARD = "card.json"


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
    """

    model_config = ConfigDict(frozen=True)

    translator: Translator
    source: Path
    target: Path
    work: Path
    inputs: dict[str, str]
    board: Path | None = None
    device: str = "cpu"
    processes: int = 1


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

    translator: Translator
    source: Path
    target: Path | None
    weights: Path | None
    work: Path
    device: str
