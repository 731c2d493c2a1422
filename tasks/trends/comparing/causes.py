"""What a score can depend on, of all that differs between two runs: no more than that is put down to a change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tasks.report import is_mixed, translator_of
from tasks.trends.comparing.model import ArmChange, Compared, Setting

_TRANSLATING = ("translator", "translated", "audit")  # stages, for arms with translated images alone


def causes(found: Compared) -> list[Setting]:
    """Everything that differs and that some score can depend on, each once.

    What a setting does to the data or to a translator is no further cause beside it; of a data set of which several
    things differ, the first is named.
    """
    named = [s for s in found.config if s.scores and not s.key.startswith("retrain.arms[")]
    named += _once(s for s in found.data if not _explained(f"datasets.{s.subject}", found.config))
    there = [s for s in found.translators if s.before is not None and s.after is not None]  # others are other arms
    named += _once(s for s in there if not _explained(f"translate.{s.subject}", found.config))
    return named + [s for s in found.code if s.scores]


def _explained(section: str, config: Iterable[Setting]) -> bool:
    return any(_within(s.key, section) for s in config)


def _within(key: str, section: str) -> bool:
    return key == section or key.startswith((f"{section}.", f"{section}["))


def _once(settings: Iterable[Setting]) -> list[Setting]:
    first: dict[str, Setting] = {}
    for setting in settings:
        first.setdefault(setting.subject, setting)
    return list(first.values())


def of_arm(arm: ArmChange, changed: Sequence[Setting], found: Compared) -> list[Setting]:
    """The causes that an arm's scores can depend on; of the same models, those after training alone."""
    mine = [s for s in changed if _touches(arm, s, found)]
    return [s for s in mine if _after_training(s, found)] if arm.same_models else mine


def _touches(arm: ArmChange, setting: Setting, found: Compared) -> bool:
    name = translator_of(arm.arm)
    with_real = arm.arm == "real" or is_mixed(arm.arm)
    with_source = arm.arm.removeprefix("real+") == "source"
    if name is None and not with_real and not with_source:
        return True  # an arm of its own kind: nothing is known of what it was trained on
    role = {"source": with_source or name is not None, "target": with_real or name is not None}
    if setting in found.data:
        return role.get(setting.subject, True)
    if setting in found.translators:
        return setting.subject == name
    if setting in found.code:
        return name is not None or setting.subject not in _TRANSLATING
    match setting.key.split("."):
        case ["translate", *_]:
            return name is not None and _within(setting.key, f"translate.{name}")
        case ["datasets", "source" | "target" as side, *_]:
            return role[side]
        case ["retrain", "detection" | "segmentation" as task, *_]:
            return arm.task == task
        case ["evaluate", "audit", *_]:
            return name is not None
    return True


def _after_training(setting: Setting, found: Compared) -> bool:
    if setting in found.code:
        return setting.subject in {"", "evaluation"}  # packages and machine, and the stage that scores
    return setting in found.config and setting.key.startswith(("evaluate.", "retrain.device"))
