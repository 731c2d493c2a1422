"""The comparison table of one task: arms by metric and class, in points, with the protocol it holds under."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from tasks.catalogue import t
from tasks.contracts import (
    RANDOM_WEIGHTS,
    TASKS,
    Arm,
    Finding,
    InitialWeights,
    LossCurve,
    ModelCard,
    Result,
    Scores,
    Task,
)
from tasks.report.config import ReportConfig
from tasks.report.reading import Reader
from tasks.report.score_table import Cell, Column, Curve, Fact, Row, TaskTable
from tasks.report.words import arm_label, count

_CURVE_POINTS = 200  # as many as a small chart can show


@dataclass(frozen=True)
class Loaded:
    """A result with its files read."""

    result: Result
    scores: Scores
    card: ModelCard


def read_results(results: Iterable[Result], reader: Reader) -> list[Loaded]:
    """Read scores and cards; a result whose scores cannot be read is left out (and is one of the reader's problems)."""
    found = []
    for result in results:
        scores = reader.filed(result.evaluation, Scores)
        card = reader.filed(result.model, ModelCard) or ModelCard()
        if scores is not None:
            found.append(Loaded(result, scores, card))
    return found


def task_table(task: Task, scored: Sequence[Loaded], config: ReportConfig, benchmark: str, reader: Reader) -> TaskTable:
    """Make the table of a task.

    Args:
        scored: the task's results, at least one, in the order of the rows.
        config: names the baseline and the oracle.
        benchmark: the benchmark's name.
        reader: reads the learning curves.
    """
    columns = _columns(task, scored)
    arms = list(dict.fromkeys(s.result.arm for s in scored))
    cells = {arm: [_cell(task, column, arm, scored) for column in columns] for arm in arms}
    cells = _with_deltas(cells, config.baseline)
    cells = _with_best(cells, config.oracle)
    rows = tuple(_row(arm, [s for s in scored if s.result.arm == arm], cells[arm], config) for arm in arms)
    return TaskTable(
        task=task,
        columns=tuple(columns),
        rows=rows,
        protocol=tuple(_protocol(scored, benchmark)),
        notes=tuple(_notes(task, columns, rows)),
        curves=tuple(c for s in scored if (c := _curve(s.result, reader)) is not None),
    )


def _columns(task: Task, scored: Sequence[Loaded]) -> list[Column]:
    boxes: dict[str, int | None] = {}
    left_out = {name for s in scored for name in s.scores.left_out}
    for s in scored:
        for c in s.scores.classes:
            boxes.setdefault(c.name, c.boxes)
    metrics = [Column(name=m, is_class=False) for m in TASKS[task].metrics]
    return metrics + [Column(name=n, is_class=True, boxes=b, counts=n not in left_out) for n, b in boxes.items()]


def _cell(task: Task, column: Column, arm: Arm, scored: Sequence[Loaded]) -> Cell:
    seeds = {}
    for s in scored:
        if s.result.arm == arm and (fraction := _fraction(task, column, s.scores)) is not None:
            seeds[s.result.seed] = round(100 * fraction, 4)
    return Cell(value=round(fmean(seeds.values()), 4) if seeds else None, seeds=seeds)


def _fraction(task: Task, column: Column, scores: Scores) -> float | None:
    if not column.is_class:
        value = scores.metrics.get(column.name)
    else:
        found = next((c for c in scores.classes if c.name == column.name), None)
        value = getattr(found, TASKS[task].class_metric) if found is not None else None
    return value if value is not None and math.isfinite(value) else None


def _with_deltas(cells: dict[Arm, list[Cell]], baseline: Arm) -> dict[Arm, list[Cell]]:
    base = cells.get(baseline)
    if base is None:
        return cells

    def delta(cell: Cell, other: Cell) -> Cell:
        known = cell.value is not None and other.value is not None
        return cell.model_copy(update={"delta": round(cell.value - other.value, 4)}) if known else cell  # type: ignore[operator]

    return {
        arm: row if arm == baseline else [delta(c, b) for c, b in zip(row, base, strict=True)]
        for arm, row in cells.items()
    }


def _with_best(cells: dict[Arm, list[Cell]], oracle: Arm) -> dict[Arm, list[Cell]]:
    """Mark the best of each column, apart for arms with and without real images: the latter cannot win otherwise."""
    with_real = {arm: row for arm, row in cells.items() if arm == oracle or arm.has_real}
    without = {arm: row for arm, row in cells.items() if arm not in with_real}
    marked = _marked(with_real) | _marked(without)
    return {arm: marked[arm] for arm in cells}


def _marked(cells: dict[Arm, list[Cell]]) -> dict[Arm, list[Cell]]:
    """Mark the best where there is a choice; arms that print the same figure share it, and 0.0 is no best."""
    if len(cells) < 2:
        return cells
    columns = zip(*cells.values(), strict=True)
    tops = [max((round(c.value, 1) for c in column if c.value is not None), default=0.0) for column in columns]

    def mark(cell: Cell, top: float) -> Cell:
        return cell.model_copy(update={"best": cell.value is not None and round(cell.value, 1) == top > 0})

    return {arm: [mark(c, t) for c, t in zip(row, tops, strict=True)] for arm, row in cells.items()}


def _row(arm: Arm, scored: Sequence[Loaded], cells: Sequence[Cell], config: ReportConfig) -> Row:
    return Row(
        arm=arm,
        label=arm_label(arm),
        role="baseline" if arm == config.baseline else "oracle" if arm == config.oracle else "other",
        seeds=tuple(s.result.seed for s in scored),
        train_images=scored[0].card.train_images,
        images=scored[0].result.images,
        drawn=scored[0].result.drawn,
        cells=tuple(cells),
    )


def _protocol(scored: Sequence[Loaded], benchmark: str) -> Iterable[Fact]:
    unknown = t("tables.unknown")

    def fact(name: str, value: Callable[[Loaded], str]) -> Fact:
        values = list(dict.fromkeys(value(s) for s in scored))
        if len(values) == 1:
            return Fact(name=name, value=values[0])
        arms = {v: list(dict.fromkeys(arm_label(s.result.arm) for s in scored if value(s) == v)) for v in values}
        each = "; ".join(t("tables.fact_of", value=v, arms=", ".join(a)) for v, a in arms.items())
        return Fact(name=name, value=each, differs=True)

    yield fact(t("tables.network"), lambda s: s.card.network or unknown)
    yield fact(t("tables.input"), lambda s: "{}×{} px".format(*s.card.input_size) if s.card.input_size else unknown)
    yield fact(t("tables.iterations"), lambda s: f"{s.card.iterations:,}" if s.card.iterations is not None else unknown)
    yield fact(t("tables.batch"), lambda s: str(s.card.batch) if s.card.batch is not None else unknown)
    seeds = {
        s.result.arm: ", ".join(str(o.result.seed) for o in scored if o.result.arm == s.result.arm) for s in scored
    }
    yield fact(t("tables.seeds"), lambda s: seeds[s.result.arm])
    yield fact(t("tables.initial_weights"), lambda s: _weights(s.card.initial_weights))
    if any(s.card.class_weights for s in scored):
        yield fact(t("tables.class_weights"), _class_weights)
    if any(s.card.resumed_at for s in scored):
        none = t("tables.undisturbed")
        yield fact(t("tables.resumed_at"), lambda s: ", ".join(map(str, s.card.resumed_at)) or none)
    yield fact(t("tables.benchmark"), lambda s: f"{benchmark}, {count(s.scores.images, 'image')}")


def _weights(initial: InitialWeights | None) -> str:
    """A file and its digest, or that they were drawn at random, as they always were where a card does not say."""
    if initial is None or initial.weights == RANDOM_WEIGHTS:
        return t("tables.random")
    weights = initial.weights or t("tables.unknown")
    return t("tables.digest", weights=weights, digest=initial.sha256[:12]) if initial.sha256 else weights


def _class_weights(loaded: Loaded) -> str:
    names = [c.name for c in loaded.scores.classes]
    weights = loaded.card.class_weights
    if weights is None or len(weights) != len(names):
        return t("tables.equal")
    return ", ".join(f"{name} {weight:.2f}" for name, weight in zip(names, weights, strict=True))


def _notes(task: Task, columns: Sequence[Column], rows: Sequence[Row]) -> Iterable[str]:
    metric = TASKS[task].metrics[0]
    left_out = {c.name for c in columns if not c.counts}
    yield t("tables.scores", metric=TASKS[task].class_metric)
    if any(c.best for r in rows for c in r.cells):
        yield t("tables.bold")
    per_class = [(c.name, [r.cells[i].value for r in rows]) for i, c in enumerate(columns) if c.is_class]
    if left_out:
        yield t("tables.left_out", metric=metric, names=", ".join(sorted(left_out)))
    if absent := [name for name, values in per_class if all(v is None for v in values)]:
        yield t("tables.absent", metric=metric, names=", ".join(absent))
    if zero := [n for n, vs in per_class if any(v is not None for v in vs) and all(round(v or 0, 1) == 0 for v in vs)]:
        yield t("tables.zero", metric=metric, names=", ".join(zero))


def _curve(result: Result, reader: Reader) -> Curve | None:
    """The loss over the iterations, thinned to what a small chart can show."""
    found = reader.filed(result.model, LossCurve, wrong=Finding.of("tables.no_curve"))
    points = [(float(p.iteration), p.loss) for p in found.root if math.isfinite(p.loss)] if found else []
    step = max(1, math.ceil(len(points) / _CURVE_POINTS))
    if not points:
        return None
    return Curve(arm=result.arm, seed=result.seed, points=tuple((x, round(y, 5)) for x, y in points[::step]))
