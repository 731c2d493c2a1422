"""Somebody's trained generator as a translator of a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tasks.store import file_sha256
from tasks.translate.config import Translator
from tasks.translate.errors import WeightsError
from tasks.translate.job import WEIGHTS
from tasks.translate.networks.resnet import ResnetGenerator
from tasks.translate.networks.weights import load_weights, read_made_for
from tasks.translate.sections.learned import Learned


def import_generator(path: Path, name: str) -> dict[str, Any]:
    """The section of a translator that uses a generator's file, after the file was loaded as what it says it is.

    Args:
        path: a safetensors file that this pipeline wrote on some machine, or the folder of a ``translator`` artifact.
        name: what the translator shall be called.

    Returns:
        JSON-like values for an entry of ``translate.translators``.

    Raises:
        WeightsError: the file cannot be read, does not say what it was made for, or does not fit what it says.
    """
    path = path / WEIGHTS if path.is_dir() else path
    made_for = read_made_for(path)
    if made_for is None:
        raise WeightsError(
            f"{path}: does not say what method and generator it was made for: it is none of this pipeline's; "
            "say with --as whose program made it"
        )
    section = {
        **made_for,
        "name": name,
        "weights": {"path": str(path.absolute()), "sha256": file_sha256(path)},
    }
    try:
        config: Any = TypeAdapter[Any](Translator).validate_python(section)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise WeightsError(f"{path}: {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}") from error
    if not isinstance(config, Learned):
        raise WeightsError(f"{path}: {config.method} has no weights")
    load_weights(path, ResnetGenerator(**config.generator.model_dump()), config.architecture())
    return section
