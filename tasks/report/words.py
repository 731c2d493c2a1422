"""How numbers and arms are put into words, the same in every renderer."""

from __future__ import annotations

import re

from tasks.report.record import Task

ABSENT = "-"
METRICS: dict[Task, tuple[str, ...]] = {"segmentation": ("mIoU",), "detection": ("mAP", "AP50")}
CLASS_METRIC: dict[Task, str] = {"segmentation": "IoU", "detection": "AP"}

_MIX = "real+"
_TRANSLATED = re.compile(r"translated\((.+)\)")
_LABELS = {"real": "Real", "source": "Simulator", f"{_MIX}source": "Real + simulator"}
_PHRASES = {
    "real": "real images alone",
    "source": "the raw simulator images",
    f"{_MIX}source": "real plus raw simulator images",
}


def points(value: float | None) -> str:
    """A score in points with one decimal, or ``-`` where there is none."""
    return ABSENT if value is None else f"{_rounded(value):.1f}".replace("-", "−")


def signed(delta: float | None) -> str:
    """A difference in points with its sign; nothing where there is none."""
    if delta is None:
        return ""
    value = _rounded(delta)
    return f"{value:+.1f}".replace("-", "−") if value else "0.0"


def sign(delta: float | None) -> int:
    """-1, 0 or 1 of the difference as it is printed; 0 where there is none."""
    value = _rounded(delta or 0.0)
    return (value > 0) - (value < 0)


def duration(seconds: float) -> str:
    """Seconds as people say them: ``0.4 s``, ``48 s``, ``4 min 30 s``, ``2 h 5 min``."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 image``, ``3 images``, ``1,200 boxes``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def translator_of(arm: str) -> str | None:
    """The translator's name where the arm holds translated images (alone or with real ones)."""
    match = _TRANSLATED.fullmatch(arm.removeprefix(_MIX))
    return match[1] if match else None


def is_mixed(arm: str) -> bool:
    """Whether the arm adds something to real images."""
    return arm.startswith(_MIX)


def arm_label(arm: str) -> str:
    """``translated(cut)`` -> ``Translated (cut)``, ``source`` -> ``Simulator``; other names stay."""
    name = translator_of(arm)
    if name is None:
        return _LABELS.get(arm, arm)
    return f"Real + translated ({name})" if is_mixed(arm) else f"Translated ({name})"


def arm_phrase(arm: str) -> str:
    """The arm inside a sentence, after ``over`` or ``against``."""
    return _PHRASES.get(arm, f"the arm '{arm}'")


def _rounded(value: float) -> float:
    return round(value, 1) + 0.0  # no minus zero
