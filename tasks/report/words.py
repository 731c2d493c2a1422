"""How numbers, arms and other names are put into words, the same in every renderer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tasks.catalogue import ABSENT, figure, known, percent, points, rounded, t
from tasks.contracts import Arm, DatasetCounts, Outcome, Rate, Stage, Task, Unit

MARKS: dict[Outcome, str] = {"improves": "▲", "harms": "▼", "no difference": "=", "not decidable": "·"}


def signed(delta: float | None) -> str:
    """A difference in points with its sign; nothing where there is none."""
    if delta is None:
        return ""
    value = rounded(delta)
    return f"{value:+.1f}".replace("-", "−") if value else "0.0"


def interval(low: float | None, high: float | None) -> str:
    """A 95 % interval of points, as ``[2.9, 5.2]``; nothing where there is none."""
    return "" if low is None or high is None else f"[{points(low)}, {points(high)}]"


def change(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """A difference in points and its interval, as ``+4.1 [2.9, 5.2]``."""
    return f"{signed(value)} {interval(low, high)}".strip()


def size(delta: float) -> str:
    """How large a difference is, whichever way: ``4.1 points``, ``1.0 point``."""
    value = abs(rounded(delta))
    return t("words.size", n=value, value=points(value))


def shift(delta: float | None, low: float | None = None, high: float | None = None) -> str:
    """A difference with its unit and its interval, as ``+4.1 points [2.9, 5.2]``."""
    told = t("words.size", n=abs(rounded(delta or 0.0)), value=signed(delta))
    return f"{told} {interval(low, high)}".rstrip()


def margin_words(margin: float) -> str:
    """The largest difference that does not matter, as ``0.5 points``."""
    return t("words.margin", n=margin)


def legend(margin: float) -> str:
    """What the marks at differences mean; ``margin`` in points."""
    told = {outcome: outcome_label(outcome) for outcome in MARKS}
    told["no difference"] = t("words.no_difference_beyond", margin=margin_words(margin))
    return t("words.legend", marks=", ".join(f"{mark} {told[outcome]}" for outcome, mark in MARKS.items()))


def sign(delta: float | None) -> int:
    """-1, 0 or 1 of the difference as it is printed; 0 where there is none."""
    value = rounded(delta or 0.0)
    return (value > 0) - (value < 0)


def duration(seconds: float) -> str:
    """Seconds as people say them: ``0.4 s``, ``48 s``, ``4 min 30 s``, ``2 h 5 min``."""
    if seconds < 59.5:
        return t("words.seconds", seconds=f"{seconds:.1f}" if seconds < 9.95 else f"{seconds:.0f}")
    whole = round(seconds)
    if whole < 3600:
        return t("words.minutes", minutes=whole // 60, seconds=whole % 60)
    minutes = round(seconds / 60)
    return t("words.hours", hours=minutes // 60, minutes=minutes % 60)


def memory(size: int | None) -> str:
    """Bytes as ``1.2 GB`` (of 10^9), or ``48 MB`` where that is less than a tenth; ``-`` where there is none."""
    if size is None:
        return ABSENT
    return f"{size / 1e9:.1f} GB" if size >= 0.1e9 else f"{size / 1e6:.0f} MB"


def count(number: int, noun: str) -> str:
    """``1 image``, ``3 images``, ``1,200 boxes``; the nouns are those of the catalogue's ``words.count_*``."""
    return t(f"words.count_{noun}", n=number)


def listed(names: Iterable[str], most: int) -> str:
    """The first of the names, and how many more there are: ``a, b, and 4 more``."""
    names = list(names)
    first = ", ".join(names[:most])
    return t("words.and_more", names=first, n=len(names) - most) if len(names) > most else first


def capital(text: str) -> str:
    """A text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def arm_label(arm: Arm) -> str:
    """``translated(cut)`` -> ``Translated (cut)``, ``source then real[50]`` -> ``Simulator, then 50 real``."""
    if arm.teacher is not None and len(arm.parts) > 1:
        return t("words.arm_self_trained", name=part_label(arm.teacher))
    parts, drawing = arm.parts, arm.drawing
    phases = [_phase_label([parts[i] for i in phase.sets], phase.ratio) for phase in drawing.phases]
    if len(phases) == 1:
        return phases[0]
    share = drawing.phases[0].share
    key = "words.arm_then" if share == drawing.phases[1].share else "words.arm_then_share"
    return t(key, first=phases[0], then=_uncapital(phases[1]), share=percent(share))


def _phase_label(parts: Sequence[Arm], ratio: Sequence[int]) -> str:
    labels = [_set_label(part, part.drawing.members[0].images) for part in parts]
    if ratio:
        labels = [f"{weight} × {_uncapital(label)}" for weight, label in zip(ratio, labels, strict=True)]
    return " + ".join([labels[0], *map(_uncapital, labels[1:])])


def _set_label(part: Arm, images: int | None) -> str:
    """One set of images, or so many of them."""
    if part.translator is not None:
        label = t("words.arm_translated", name=part.translator)
    else:
        label = t("words.arm_pseudo" if part.teacher is not None else f"words.arm_{part.origin}")
    if part.drawing.members[0].augmented:
        label = t("words.arm_augmented", name=label)
    return label if images is None else t("words.part", n=images, part=_uncapital(label))


def _uncapital(text: str) -> str:
    return text[:1].lower() + text[1:]


def arm_phrase(arm: Arm) -> str:
    """The arm inside a sentence, after ``over`` or ``against``."""
    plain = arm.simple and arm.translator is None
    return t(f"words.over_{'_'.join(arm.parts)}") if plain else t("words.over_arm", arm=arm)


def part_label(part: Arm) -> str:
    """A part of an arm inside a sentence: ``translated(cut)`` -> ``translated (cut)``, ``source`` -> ``simulator``."""
    return _uncapital(arm_label(part))


def mixture(images: Mapping[Arm, int], drawn: Mapping[Arm, float] | None = None) -> str:
    """What an arm of several parts was trained on and in which ratio, as ``367 real + 250 translated (cut), 59 : 41``.

    Args:
        images: part -> how many images of it there were.
        drawn: part -> its share of the images that were drawn; that of its images where not given.
    """
    total = sum(images.values())
    if len(images) < 2 or not total:
        return ""
    shares = [100 * (drawn[part] if drawn else n / total) for part, n in images.items()]
    digits = 0 if min(shares) >= 1 else 1
    parts = " + ".join(_uncapital(_set_label(part, n)) for part, n in images.items())
    return f"{parts}, {' : '.join(f'{share:.{digits}f}' for share in shares)}"


def task_label(task: Task) -> str:
    """A task as a heading: ``Segmentation``."""
    return named("task", task)


def task_name(task: str) -> str:
    """A task inside a sentence: ``segmentation``."""
    return named("task", task).lower()


def role_label(role: str) -> str:
    """Of a data set or an arm, such as ``source`` or ``baseline``."""
    return named("role", role)


def sums(counts: DatasetCounts) -> str:
    """What became of all images and boxes of a data set."""
    told = [t("page.sum_of_images", **counts.images.model_dump())]
    told += [t("page.sum_of_boxes", **counts.boxes.model_dump())] if counts.boxes is not None else []
    return "; ".join(told)


def roles_label(roles: Iterable[str]) -> str:
    """Of data sets that were compared, as ``target / benchmark``."""
    return " / ".join(map(role_label, roles))


def outcome_label(outcome: str) -> str:
    """What a difference comes to, or that nothing is known of it."""
    return named("outcome", outcome)


def check_label(name: str) -> str:
    """A check of the data sets."""
    return named("check", name)


def severity_label(severity: str) -> str:
    """``error`` or ``warning``."""
    return named("severity", severity)


def stage_label(stage: Stage) -> str:
    """A stage of a run, such as ``train translator cut``."""
    shown: dict[str, Callable[[Any], str]] = {"role": role_label, "task": task_name, "arm": part_label}
    about = {name: value for name, value in stage if name != "kind" and value is not None}
    return t(f"words.stage_{stage.kind}", **{name: shown.get(name, str)(value) for name, value in about.items()})


def artifact_label(kind: str) -> str:
    """What an artifact is, such as ``dataset`` or ``evaluation``."""
    return named("artifact", kind)


def input_label(role: str) -> str:
    """What an artifact was to what was made from it, such as ``judged_source``; an older manifest's role stays."""
    return named("input", role)


def named(kind: str, name: str) -> str:
    """The label of a name that others gave; what the catalogue does not know is shown as it is."""
    key = f"words.{kind}_{name.replace(' ', '_')}"
    return t(key) if known(key) else name


def probability(p: float) -> str:
    """A p-value with three decimals."""
    return f"{p:.3f}" if p >= 0.001 else t("words.p_below", least=0.001)


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
