"""Learning curves: a small chart an arm, all of a task on the same scales."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from markupsafe import Markup

from tasks.catalogue import figure, t
from tasks.charts import (
    LINE,
    SMALL,
    WIDTH,
    Block,
    Figure,
    Scale,
    line,
    lines,
    number,
    path,
    rect,
    scale,
    tag,
    text,
    title,
    width,
    wrap,
)
from tasks.contracts import Arm
from tasks.report.score_table import Curve, TaskTable
from tasks.report.words import arm_label, task_name

_COLUMNS, _SPACE = 2, 24.0
_HEIGHT = 130.0  # of a chart
_TOP_SHARE = 0.98  # of the points lie below the top: the first iterations' spike may be cut off
_BANDS = 10  # strips of a chart that tell the losses there


def curves(table: TaskTable) -> Figure | None:
    """The loss over the iterations, one chart an arm, one line a seed; pointing at a strip tells the losses there."""
    known = [c for c in table.curves if c.points]
    if not known:
        return None
    arms = list(dict.fromkeys(c.arm for c in known))
    columns = min(_COLUMNS, len(arms))
    losses = sorted(y for c in known for _, y in c.points)
    top = losses[min(len(losses) - 1, int(_TOP_SHARE * len(losses)))]
    up = scale([losses[0], top], _HEIGHT, 0.0, most=4)
    gutter = max(width(up.label(v), SMALL) for v in up.ticks) + 8
    room = (WIDTH - _SPACE * (columns - 1)) / columns
    across = scale([c.points[-1][0] for c in known], gutter, room - 10, most=4 if columns > 1 else 6)
    rows = []
    for beside in (arms[i : i + columns] for i in range(0, len(arms), columns)):
        heads = [wrap(_named(arm, table), room, 3) for arm in beside]
        top = LINE * (max(map(len, heads)) + 1)
        mine = [[c for c in known if c.arm == arm] for arm in beside]
        charts = [_chart(c, head, across, up, top, room) for c, head in zip(mine, heads, strict=True)]
        rows.append(_beside(charts, room))
    note = t("figures.curves_cut", top=up.label(up.ticks[-1])) if losses[-1] > up.high else t("figures.curves_note")
    return Figure("curves", t("figures.curves", task=task_name(table.task)), note, tuple(rows))


def _named(arm: Arm, table: TaskTable) -> str:
    row = table.row(arm)
    return row.label if row else arm_label(arm)


def _beside(charts: Sequence[Block], room: float) -> Block:
    moved = (
        tag(
            "g",
            c.content,
            transform=f"translate({number(i * (room + _SPACE))} 0)",
            **{f"data_{k}": v for k, v in c.about},
        )
        for i, c in enumerate(charts)
    )
    return Block(max(c.height for c in charts), Markup("").join(moved))


def _chart(mine: Sequence[Curve], head: Sequence[str], across: Scale, up: Scale, top: float, room: float) -> Block:
    """An arm's chart below its name; charts side by side all start at ``top``."""
    last = figure(fmean(c.points[-1][1] for c in mine))
    name_top, ends = top - LINE * (len(head) + 1), text(room, top - 6, t("figures.ends_at", loss=last), "small", "end")
    plot = [*_axes(across, up), *(_line(c, across, up) for c in mine), *_bands(mine, " ".join(head), across)]
    drawn = [lines(0, name_top, head), ends, tag("g", *plot, transform=f"translate(0 {number(top)})")]
    return Block(top + _HEIGHT + 2.6 * LINE, Markup("").join(drawn), (("arm", mine[0].arm),))


def _axes(across: Scale, up: Scale) -> Iterable[Markup]:
    for tick in up.ticks:
        yield line(across.start, up(tick), across.end, up(tick), "zero" if abs(tick) < up.step / 2 else "rule")
        yield text(across.start - 8, up(tick) + 6, up.label(tick), "small", "end")
    for tick in across.ticks:
        yield line(across(tick), _HEIGHT, across(tick), _HEIGHT + 5, "zero")
        yield text(across(tick), _HEIGHT + LINE, across.label(tick), "small", "middle")
    yield text(across.end, _HEIGHT + 1.9 * LINE, t("figures.iterations"), "small", "end")


def _line(curve: Curve, across: Scale, up: Scale) -> Markup:
    places = [(across(x), up(y)) for x, y in curve.points]
    if len(places) == 1:
        return tag("circle", cx=places[0][0], cy=places[0][1], r=3, class_="dot")
    return tag("polyline", points=path(places), class_="loss")


def _bands(mine: Sequence[Curve], name: str, across: Scale) -> Iterable[Markup]:
    """Strips of equal width over the chart: each tells the losses of all seeds nearest to its middle."""
    end, step = max(c.points[-1][0] for c in mine), (across.end - across.start) / _BANDS
    for i in range(_BANDS):
        middle = across.low + (across.high - across.low) * (i + 0.5) / _BANDS
        if middle > end and i:
            return
        near = [(c.seed, min(c.points, key=lambda p: abs(p[0] - middle))) for c in mine]
        told = ", ".join(t("figures.loss_at", seed=seed, loss=figure(y)) for seed, (_, y) in near)
        where = t("figures.at_iteration", name=name, iteration=f"{near[0][1][0]:,.0f}")
        yield tag("g", title(f"{where}: {told}"), rect(across.start + i * step, 0, step, _HEIGHT, "hit"))
