"""From two reports to what differs between them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.catalogue import Language, speaking, t
from tasks.evaluate import EvaluateConfig
from tasks.report import Report, arm_label, task_label
from tasks.trends.comparing import surroundings
from tasks.trends.comparing.causes import Runs, Untraced, causes
from tasks.trends.comparing.find import find, read
from tasks.trends.comparing.model import ArmChange, Compared, Setting, Side
from tasks.trends.comparing.paired import Pairing
from tasks.trends.comparing.scores import arm_changes, one_sided
from tasks.trends.comparing.settings import differences
from tasks.trends.comparing.summary import summary

_DEFAULTS = {name: EvaluateConfig.model_fields[name].default for name in ("resamples", "cluster", "margin")}


def compare_runs(a: Path, b: Path, store: Path, language: Language | None = None) -> Compared:
    """Compare two runs, nights or reports; A is before, B is after.

    Scores are compared by image where the evaluations of both are in the store and of the same benchmark, otherwise
    by the intervals that the reports give.

    Args:
        a, b: a run's folder, a night's, a report's folder, or a ``report.json``, also an archived one.
        store: the store's folder.
        language: of all texts; that of B by default.

    Raises:
        NotAReport: a path has no report that this version reads.
    """
    paths = find(a), find(b)
    before, after = (read(path) for path in paths)
    with speaking(language or after.language):
        sides = [_side(given, r) for given, r in ((a, before), (b, after))]
        found = _compared(before, after, sides, _pairing(after, store), language or after.language)
        return found.model_copy(update={"summary": tuple(summary(found))})


def _compared(before: Report, after: Report, sides: list[Side], how: Pairing, language: Language) -> Compared:
    config_known = bool(before.config and after.config)
    config = differences(before.config, after.config) if config_known else []
    data, code = surroundings.data(before, after), surroundings.code(before, after)
    translators = surroundings.translators(before, after)
    runs = Runs(before, after, config, data)
    arms = tuple(_caused(arm, runs, [*config, *data, *translators, *code]) for arm in arm_changes(before, after, how))
    decisive = {s.key for arm in arms for s in arm.causes}

    def judged(settings: list[Setting]) -> tuple[Setting, ...]:
        return tuple(s.model_copy(update={"scores": s.key in decisive}) for s in settings)

    return Compared(
        language=language,
        a=sides[0],
        b=sides[1],
        config=judged(config),
        config_known=config_known,
        data=judged(data),
        code=judged(code),
        translators=judged(translators),
        comparable=not arms or any(arm.method != "incomparable" for arm in arms),
        margin=100 * how.margin,
        arms=arms,
        only=tuple(one_sided(before, after)),
        notes=tuple(_notes(before, after, arms)),
        summary=(),
    )


def _caused(arm: ArmChange, runs: Runs, everything: list[Setting]) -> ArmChange:
    try:
        return arm.model_copy(update={"causes": causes(arm, runs)})
    except Untraced:
        return arm.model_copy(update={"causes": tuple(everything), "traced": False})


def _side(path: Path, report: Report) -> Side:
    return Side(path=str(path), name=report.name, flow=report.flow, finished=report.finished)


def _pairing(report: Report, store: Path) -> Pairing:
    section = report.config.get("evaluate")
    found: dict[str, Any] = {**_DEFAULTS, **(section if isinstance(section, Mapping) else {})}
    return Pairing(
        store=store, resamples=int(found["resamples"]), cluster=found["cluster"], margin=float(found["margin"])
    )


def _notes(before: Report, after: Report, arms: tuple[ArmChange, ...]) -> list[str]:
    """How the differences were taken, each way with its arms once; and what is missing."""
    reasons: dict[str, list[str]] = {}
    for arm in arms:
        reasons.setdefault(arm.reason, []).append(f"{arm_label(arm.arm)} ({task_label(arm.task)})")
    one = len(reasons) == 1
    notes = [reason if one else f"{', '.join(whose)}: {reason}" for reason, whose in reasons.items()]
    if any(not arm.traced for arm in arms):
        notes.append(t("compare.untraced"))
    if any(len(row.seeds) == 1 for r in (before, after) for table in r.tables for row in table.rows):
        notes.append(t("compare.one_seed"))
    return notes
