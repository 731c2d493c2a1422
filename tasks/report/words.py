"""How numbers and arms are put into words, the same in every renderer."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from tasks.evaluate.audit.model import Rate, Unit
from tasks.evaluate.outcome import Outcome
from tasks.report.record import Task

ABSENT = "-"
METRICS: dict[Task, tuple[str, ...]] = {"segmentation": ("mIoU",), "detection": ("mAP", "AP50")}
CLASS_METRIC: dict[Task, str] = {"segmentation": "IoU", "detection": "AP"}
MARKS: dict[Outcome, str] = {"improves": "▲", "harms": "▼", "no difference": "=", "not decidable": "·"}

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


def interval(low: float | None, high: float | None) -> str:
    """A 95 % interval of points, as ``[2.9, 5.2]``; nothing where there is none."""
    return "" if low is None or high is None else f"[{points(low)}, {points(high)}]"


def change(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """A difference in points and its interval, as ``+4.1 [2.9, 5.2]``."""
    return f"{signed(value)} {interval(low, high)}".strip()


def legend(margin: float) -> str:
    """What the marks at differences mean; ``margin`` in points."""
    margins = f"{margin:g} {'point' if margin == 1 else 'points'}"
    told = {"no difference": f"no difference beyond {margins}"}
    marks = ", ".join(f"{mark} {told.get(outcome, outcome)}" for outcome, mark in MARKS.items())
    return f"In brackets: 95 % intervals. Differences: {marks}."


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


def part_label(part: str) -> str:
    """A part of an arm inside a sentence: ``translated(cut)`` -> ``translated (cut)``, ``source`` -> ``simulator``."""
    label = arm_label(part)
    return label[:1].lower() + label[1:]


def mixture(images: Mapping[str, int]) -> str:
    """What a mixed arm was trained on and in which ratio, as ``367 real + 250 translated (cut), 59 : 41``."""
    total = sum(images.values())
    if len(images) < 2 or not total:
        return ""
    shares = [100 * n / total for n in images.values()]
    digits = 0 if min(shares) >= 1 else 1
    parts = " + ".join(f"{n:,} {part_label(part)}" for part, n in images.items())
    return f"{parts}, {' : '.join(f'{share:.{digits}f}' for share in shares)}"


def probability(p: float) -> str:
    """A p-value with three decimals."""
    return f"{p:.3f}" if p >= 0.001 else "below 0.001"


def percent(share: float | None) -> str:
    """A share from 0 to 1 in percent with one decimal, or ``-`` where there is none."""
    return ABSENT if share is None else f"{points(100 * share)} %"


def rate_interval(rate: Rate) -> str:
    """A rate's 95 % interval in percent, as ``[5.2, 7.0]``; nothing where there is none."""
    return "" if rate.low is None or rate.high is None else interval(100 * rate.low, 100 * rate.high)


def rate_words(rate: Rate) -> str:
    """A rate and its interval, as ``6.1 % [5.2, 7.0]``."""
    return f"{percent(rate.value)} {rate_interval(rate)}".strip()


def measure(value: float, unit: Unit) -> str:
    """What a check measured, in its unit."""
    match unit:
        case "share":
            return percent(value)
        case "px":
            return f"{figure(value)} px"
        case "times":
            return f"{value:.2f} ×"
    return figure(value)


def figure(value: float | None) -> str:
    """A distance or divergence with three significant digits, never in powers of ten."""
    if value is None:
        return ABSENT
    decimals = max(0, 2 - (math.floor(math.log10(abs(value))) if value else 0))
    text = f"{value:,.{min(decimals, 4)}f}"
    return text.replace("-", "−")


def _rounded(value: float) -> float:
    return round(value, 1) + 0.0  # no minus zero
