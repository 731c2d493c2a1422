"""From audits, tables and manifests to the translators at a glance: nothing is measured here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from tasks.catalogue import figure, percent, points, t
from tasks.contracts import DETAIL_PARTS, Arm, Audit, Detail, Distance, Failure, Task, TaskComparison
from tasks.report.glance import LESS_IS_BETTER, MEASURES, Glance, GlanceCell, GlanceMeasure, GlanceRow
from tasks.report.intervals import scaled
from tasks.report.model import TranslatorRow
from tasks.report.score_table import Row, TaskTable
from tasks.report.words import arm_label, duration, interval, signed

_GAINS: tuple[Task, ...] = ("segmentation", "detection")


@dataclass(frozen=True)
class Known:
    """What a run knows of its translators.

    Attributes:
        translators: in the order of the rows. audits: translator -> its audit.
        controls: translators that change nothing. imported: translators that were trained elsewhere.
        tables, compared, failures: of the arms. baseline, oracle: the arms that gains are taken to.
    """

    translators: Sequence[TranslatorRow]
    audits: Mapping[str, Audit]
    controls: Collection[str]
    imported: Collection[str]
    tables: Mapping[Task, TaskTable]
    compared: Mapping[Task, TaskComparison]
    failures: Sequence[Failure]
    baseline: Arm
    oracle: Arm


def glance(known: Known) -> Glance | None:
    """The translators of a run at a glance; None where it has none."""
    if not known.translators:
        return None
    audits = [known.audits[row.name] for row in known.translators if row.name in known.audits]
    name = next((d.name for audit in audits for d in audit.distances), None)
    distances = [d for audit in audits if (d := _named(audit, name)) is not None]
    judge = next((a.flips for a in audits if a.flips is not None and a.flips.real_accuracy is not None), None)
    rows = [_source(audits, distances, known), *(_row(row, name, known) for row in known.translators)]
    return Glance(
        distance=name,
        floor=next((d.floor for d in distances if d.floor is not None), None),
        judge_accuracy=judge.real_accuracy if judge else None,
        judge_miou=judge.real_miou if judge else None,
        rows=tuple(_with_best(rows)),
    )


def _named(audit: Audit, name: str | None) -> Distance | None:
    return next((d for d in audit.distances if d.name == name), None)


def _source(audits: Sequence[Audit], distances: Sequence[Distance], known: Known) -> GlanceRow:
    """The simulator's own images, which flip nothing and keep all of their detail."""
    unmeasured, none = t("glance.not_audited"), t("glance.untranslated")
    seen = next((a.flips.source_accuracy for a in audits if a.flips is not None), None)
    found = next((r.before for a in audits for r in a.recall if r.size == "all"), None)
    measured: dict[GlanceMeasure, float | None] = {
        "distance": distances[0].before if distances else None,
        "flips": 0.0 if any(a.flips for a in audits) else None,
        "detail": 1.0 if any(_thin(a) for a in audits) else None,
        "accuracy": seen,
        "recall": found.value if found else None,
    }
    cells = [GlanceCell(measure=m, value=v, missing=unmeasured if v is None else "") for m, v in measured.items()]
    cells += [GlanceCell(measure=m, missing=none) for m in ("speed", "training")]
    is_base = t("glance.is_baseline" if known.baseline == "source" else "glance.is_source")
    cells += [GlanceCell(measure=task, missing=is_base) for task in _GAINS]
    return GlanceRow(name="source", kind="source", cells=tuple(cells))


def _row(row: TranslatorRow, distance: str | None, known: Known) -> GlanceRow:
    audit = known.audits.get(row.name)
    measured = _audited(audit, distance) if audit is not None else _unaudited()
    cells = [*measured, _speed(row), _training(row, known), *(_gain(task, row.name, known) for task in _GAINS)]
    return GlanceRow(name=row.name, kind="control" if row.name in known.controls else "translator", cells=tuple(cells))


def _unaudited() -> Iterable[GlanceCell]:
    audited: tuple[GlanceMeasure, ...] = ("distance", "flips", "detail", "accuracy", "recall")
    return (GlanceCell(measure=m, missing=t("glance.not_audited")) for m in audited)


def _audited(audit: Audit, distance: str | None) -> Iterable[GlanceCell]:
    found = _named(audit, distance)
    near = found.after if found else None
    yield GlanceCell(measure="distance", value=near, missing="" if found else t("glance.no_features"))
    flips = audit.flips
    rate = flips.share.model_dump() if flips else {}
    why = t("glance.no_judge" if flips is None else "glance.nothing_read")
    yield GlanceCell(measure="flips", **rate, missing="" if rate.get("value") is not None else why)
    yield _detail(audit)
    seen = flips.translated_accuracy if flips else None
    yield GlanceCell(measure="accuracy", value=seen, missing="" if seen is not None else why)
    every = next((r for r in audit.recall if r.size == "all"), None)
    recall = every.after.model_dump() if every else {}
    why = t("glance.no_detector" if every is None else "glance.no_boxes")
    yield GlanceCell(measure="recall", **recall, missing="" if recall.get("value") is not None else why)


def _thin(audit: Audit) -> dict[str, float]:
    """Thin class -> the detail that it keeps: the mean of what is known of gradients, edges and the high band."""
    kept = {d.region: _kept(d) for d in audit.detail if d.region != "image"}
    return {name: value for name, value in kept.items() if value is not None}


def _kept(detail: Detail) -> float | None:
    known = [rate.value for part in DETAIL_PARTS if (rate := getattr(detail, part)).value is not None]
    return fmean(known) if known else None


def _detail(audit: Audit) -> GlanceCell:
    thin = _thin(audit)
    if not thin:
        return GlanceCell(measure="detail", missing=t("glance.no_thin"))
    least = min(thin, key=lambda name: thin[name])
    about = t("glance.least", name=least, share=percent(thin[least]))
    return GlanceCell(measure="detail", value=fmean(thin.values()), about=about)


def _speed(row: TranslatorRow) -> GlanceCell:
    missing = (
        "" if row.images_per_second is not None else t("glance.made_before" if row.images else "glance.not_applied")
    )
    return GlanceCell(measure="speed", value=row.images_per_second, missing=missing)


def _training(row: TranslatorRow, known: Known) -> GlanceCell:
    """Seconds of the training; none of a method that has nothing to learn."""
    if row.name in known.imported:
        return GlanceCell(measure="training", missing=t("glance.imported"))
    return GlanceCell(measure="training", value=row.train_seconds or 0.0)


def _gain(task: Task, name: str, known: Known) -> GlanceCell:
    """The gain of the translator's images alone over the baseline; else of what they add to real ones."""
    table, failed = known.tables.get(task), {f.arm for f in known.failures if f.task == task}
    alone = Arm.translated(name)
    if table is None:
        return GlanceCell(measure=task, missing=t("glance.task_failed" if failed else "glance.no_task"))
    mixed, mixed_base = alone.with_real, known.baseline.with_real
    for arm, bases in ((alone, (known.baseline,)), (mixed, (mixed_base, known.oracle))):
        for base in bases:
            row, against = table.row(arm), table.row(base)
            if row and against and (cell := _between(task, row, against, known)) is not None:
                return cell
    trained = table.row(alone) or table.row(mixed)
    why = "glance.arm_failed" if failed & {alone, mixed} else "glance.no_baseline" if trained else "glance.no_arm"
    return GlanceCell(measure=task, missing=t(why))


def _between(task: Task, row: Row, against: Row, known: Known) -> GlanceCell | None:
    """The difference of two arms as the comparison has it, else of their scores; None where one has no score."""
    found = known.compared[task].difference(row.arm, against.arm) if task in known.compared else None
    change = found.metrics.get(known.tables[task].columns[0].name) if found else None
    usual = not row.arm.mixed and against.arm == known.baseline
    about = "" if usual else t("glance.gain_of", arm=row.label, against=against.label)
    if change is not None and change.value is not None:
        ends = {name: scaled(getattr(change, name)) for name in ("value", "low", "high")}
        return GlanceCell(measure=task, **ends, outcome=change.outcome, about=about)
    after, before = row.cells[0].value, against.cells[0].value
    if after is None or before is None:
        return None
    return GlanceCell(measure=task, value=round(after - before, 4), about=about)


def _with_best(rows: Sequence[GlanceRow]) -> Iterable[GlanceRow]:
    """Mark the best of each measure, as printed, where the translators differ in it."""
    tops = {m: _top(m, [r.cell(m) for r in rows if r.kind == "translator"]) for m in MEASURES}
    for row in rows:
        marked = (
            cell.model_copy(update={"best": row.kind == "translator" and printed(cell) == tops[cell.measure]})
            for cell in row.cells
        )
        yield row.model_copy(update={"cells": tuple(marked)})


def _top(measure: GlanceMeasure, cells: Sequence[GlanceCell]) -> str | None:
    known = [c for c in cells if c.value is not None]
    if len({printed(c) for c in known}) < 2:
        return None
    sign = -1 if measure in LESS_IS_BETTER else 1
    return printed(max(known, key=lambda c: sign * (c.value or 0.0)))


def printed(cell: GlanceCell) -> str:
    """A cell's value as it is shown, or why there is none."""
    if cell.value is None:
        return cell.missing
    match cell.measure:
        case "distance":
            return figure(cell.value)
        case "speed":
            return points(cell.value)
        case "training":
            return duration(cell.value) if cell.value else t("glance.no_training")
        case "segmentation" | "detection":
            return signed(cell.value)
    return percent(cell.value)


def printed_interval(cell: GlanceCell) -> str:
    """A cell's 95 % interval, shares in percent; nothing where there is none."""
    if cell.low is None or cell.high is None:
        return ""
    unit = 1 if cell.measure in _GAINS else 100
    return interval(unit * cell.low, unit * cell.high)


def label(row: GlanceRow) -> str:
    """A row's name in words."""
    return arm_label(Arm("source")) if row.kind == "source" else arm_label(Arm.translated(row.name))
