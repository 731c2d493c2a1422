"""The parts of a comparison that every renderer has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tasks.catalogue import known, points, t
from tasks.report import MARKS, arm_label, change, task_label
from tasks.trends.comparing.model import ArmChange, Compared, OneSided, Setting, Side


def head(found: Compared) -> tuple[str, str]:
    """The two sides, one a line."""
    return _side("A", found.a), _side("B", found.b)


def _side(letter: str, side: Side) -> str:
    key = f"compare.flow_{side.flow}"
    flow = t(key) if known(key) else side.flow
    return f"{letter}: {side.path} ({side.name}, {flow}, {side.finished:%Y-%m-%d %H:%M})"


def sections(found: Compared) -> Iterator[tuple[str, Sequence[Setting]]]:
    """What differs, by title; nothing for what does not."""
    for title in ("config", "data", "translators", "code"):
        settings: Sequence[Setting] = getattr(found, title)
        if settings:
            yield t(f"compare.{title}"), settings


def classes_line(arm: ArmChange) -> str:
    """The decided classes of an arm; nothing where there is none."""
    listed = [f"{c.name} {MARKS[c.outcome]} {change(c.delta, c.low, c.high)}" for c in arm.decided() if c.outcome]
    return f"{arm_label(arm.arm)}: {t('compare.classes', listed=', '.join(listed))}" if listed else ""


def only_line(only: OneSided) -> str:
    """An arm that one side has."""
    side = t(f"compare.only_{only.side}")
    return f"{side}: {task_label(only.task)}, {arm_label(only.arm)}, {only.metric} {points(only.value)}"
