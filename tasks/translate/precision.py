"""The numbers that a generator computes in where it is applied: float32, or mostly bfloat16.

Images in bfloat16 differ from those in float32 by rounding, and so between machines that have instructions for it and
those that have not: the precision enters the key of what is translated.
"""

from __future__ import annotations

from tasks.compute import has_bfloat16, resolve_device
from tasks.translate.sections.base import TranslatorSection
from tasks.translate.sections.learned import Learned


def precision_slice(config: TranslatorSection, device: str) -> dict[str, str]:
    """What the key of translated images says of the precision; nothing of float32.

    Where ``auto`` stands for bfloat16 on a CPU, that is said with its condition, as images that differ by more come in
    float32. A GPU is not asked, since only the process that translates may hold it: there ``auto`` is what is said, and
    the manifest tells what it was.

    Args:
        config: the translator.
        device: ``auto``, ``cpu`` or ``cuda``.
    """
    if not isinstance(config, Learned) or config.precision == "float32":
        return {}
    if config.precision == "bfloat16":
        return {"precision": "bfloat16"}
    if resolve_device(device) == "cuda":
        return {"precision": "auto"}
    return {"precision": "bfloat16 within 1/255"} if has_bfloat16("cpu") else {}
