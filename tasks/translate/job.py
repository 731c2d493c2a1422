"""What a training process is told, and what it leaves."""

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
    """

    model_config = ConfigDict(frozen=True)

    translator: Translator
    source: Path
    target: Path
    work: Path
    inputs: dict[str, str]
    board: Path | None = None
