"""The last lines of a comparison: what changed, what it did, and where scores moved without a cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tasks.catalogue import t
from tasks.report import arm_label, change, task_label
from tasks.trends.comparing.model import ArmChange, Compared, Setting
from tasks.trends.history.trend import TOLERANCE

SEVERAL = 6  # changes and classes that are named; the others are counted


def summary(found: Compared) -> Iterator[str]:
    """The sentences, in the language that is being spoken."""
    yield _changed(_causes(found), found)
    if not found.config_known:
        yield t("compare.no_config")
    if not found.comparable:
        yield t("compare.no_verdict")
        return
    moved = [arm for arm in found.arms if _moved(arm)]
    for arm in moved:
        yield f"{_told(arm)}. {_why(arm, found.config_known)}"
    if not moved and found.arms:
        undecided = sum(_undecided(arm) for arm in found.arms)
        yield t("compare.nothing_moved", n=undecided) if undecided else t("compare.all_same")


def _causes(found: Compared) -> list[Setting]:
    """All that some arm's scores can depend on, each once."""
    causes = {s.key: s for arm in found.arms for s in arm.causes}
    order = [s.key for s in (*found.config, *found.data, *found.translators, *found.code)]
    return sorted(causes.values(), key=lambda s: order.index(s.key) if s.key in order else len(order))


def _moved(arm: ArmChange) -> bool:
    return _drifts(arm) or any(m.outcome in {"improves", "harms"} for m in arm.metrics)


def _drifts(arm: ArmChange) -> bool:
    """Whether the same models have other scores on the same benchmark, by more than inference may differ."""
    return bool(arm.same_models) and any(abs(m.delta or 0.0) > TOLERANCE + 1e-6 for m in arm.metrics)


def _undecided(arm: ArmChange) -> bool:
    return arm.method != "identical" and any(m.outcome in {"not decidable", None} for m in arm.metrics)


def _changed(changed: Sequence[Setting], found: Compared) -> str:
    if not changed:
        beside = sum(len(part) for part in (found.config, found.data, found.translators, found.code))
        return t("compare.nothing_changed_but", n=beside) if beside else t("compare.nothing_changed")
    return t("compare.changed", what=_listed([_setting(s) for s in changed]))


def _listed(items: Sequence[str]) -> str:
    rest = len(items) - SEVERAL
    return ", ".join([*items[:SEVERAL], *([t("compare.more", n=rest)] if rest > 0 else [])])


def _setting(setting: Setting) -> str:
    if setting.before is None:
        return t("compare.added", name=setting.key)
    if setting.after is None:
        return t("compare.removed", name=setting.key)
    return f"{setting.key} {setting.before} → {setting.after}"


def _told(arm: ArmChange) -> str:
    told = [f"{m.name} {change(m.delta, m.low, m.high)}" for m in arm.metrics]
    if classes := _listed([f"{c.name} {change(c.delta, c.low, c.high)}" for c in arm.decided()]):
        told.append(t("compare.classes", listed=classes))
    return f"{task_label(arm.task)}, {arm_label(arm.arm)}: {'; '.join(told)}"


def _why(arm: ArmChange, config_known: bool) -> str:
    """What the difference can be put down to: one change, several together, or nothing that is known."""
    same = t("compare.same_models") + " " if arm.same_models else ""
    mine = arm.causes
    if not (config_known or arm.traced or arm.same_models):
        return t("compare.cause_unknown")
    if not mine:
        return same + t("compare.drift")
    if len(mine) == 1:
        return same + t("compare.only_cause", what=_setting(mine[0]))
    return same + t("compare.together", n=len(mine), what=_listed([s.key for s in mine]))
