"""What translation trades: how close to real against how many labels it keeps, one point a translator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tasks.catalogue import figure, percent, t
from tasks.charts import (
    LINE,
    SMALL,
    WIDTH,
    Block,
    Figure,
    Scale,
    axis,
    line,
    marker,
    rect,
    scale,
    series,
    tag,
    text,
    title,
    width,
)
from tasks.report.figures.labels import legend
from tasks.report.glance import Glance, GlanceRow
from tasks.report.glance_rows import label, printed_interval

_HEIGHT = 250.0  # of the plot
_NEAR = 10.0  # from a marker to its name


@dataclass(frozen=True)
class _Point:
    """A translator's place: ``look`` is class and shape; ``kept`` are value, low and high in percent."""

    row: GlanceRow
    look: tuple[str, int]
    near: float
    kept: tuple[float, float, float]


def trade(glance: Glance) -> Figure | None:
    """Distance to real, falling to the right, against the share of rightly read pixels that stay so; the best is right
    and high. None where not one translator has both.
    """
    points = list(_points(glance))
    if not any(p.row.kind == "translator" for p in points) or glance.distance is None:
        return None
    lows = [p.kept[1] for p in points]
    up = scale([*lows, 100.0], _HEIGHT, 0.0, most=5, zero=False)
    gutter = max(width(up.label(v), SMALL) for v in up.ticks) + 10
    floor = [] if glance.floor is None else [glance.floor]
    across = scale([*(p.near for p in points), *floor], WIDTH - 8, gutter, zero=False)
    names, crowded = _names(points, across, up, gutter)
    plot = [*_frame(across, up, glance), *(_mark(p, across, up) for p in points), *names]
    entries = [(*p.look, label(p.row)) for p in points]
    blocks = [
        *([legend(entries)] if crowded else []),
        Block(LINE * 1.3, text(0, LINE * 0.75, t("figures.trade_up"), "small")),
        Block(_HEIGHT + 6, Markup("").join(plot)),
        axis(across, t("figures.trade_across", distance=glance.distance)),
    ]
    note = t("figures.trade_note")
    told = f"{note} {t('figures.trade_floor')}" if floor else note
    return Figure("trade", t("figures.trade"), told, tuple(blocks))


def _points(glance: Glance) -> Iterator[_Point]:
    number = 0
    for row in glance.rows:
        near, flips = row.cell("distance").value, row.cell("flips")
        look = ("neutral", 0)
        if row.kind == "translator":
            look, number = series(number), number + 1
        elif row.kind == "control":
            continue  # it lies where the simulator's own images do
        if near is None or flips.value is None:
            continue
        ends = [flips.value if v is None else v for v in (flips.value, flips.high, flips.low)]
        value, low, high = (100 * (1 - v) for v in ends)
        yield _Point(row, look, near, (value, low, high))


def _frame(across: Scale, up: Scale, glance: Glance) -> Iterable[Markup]:
    left, right = across.end, across.start
    for tick in up.ticks:
        yield line(left, up(tick), right, up(tick), "rule")
        yield text(left - 8, up(tick) + 6, up.label(tick), "small", "end")
    for tick in across.ticks:
        yield line(across(tick), _HEIGHT, across(tick), _HEIGHT + 5, "zero")
    yield line(left, _HEIGHT, right, _HEIGHT, "zero")
    if glance.floor is not None:
        yield line(across(glance.floor), 0, across(glance.floor), _HEIGHT, "limit")


def _mark(point: _Point, across: Scale, up: Scale) -> Markup:
    x, (y, low, high) = across(point.near), map(up, point.kept)
    kept = f"{percent(point.kept[0] / 100)} {_interval(point)}".strip()
    words = t("figures.trade_point", name=label(point.row), distance=figure(point.near), kept=kept)
    ends = line(x, low, x, high, "ends") if low != high else Markup("")
    return tag(
        "g",
        title(words),
        rect(x - 9, y - 9, 18, 18, "hit"),
        ends,
        marker("dot", point.look[1], x, y, 6.5),
        class_=point.look[0],
    )


def _interval(point: _Point) -> str:
    """Of what is kept: what is flipped, turned around."""
    if not printed_interval(point.row.cell("flips")):
        return ""
    return f"[{percent(point.kept[1] / 100)[:-2]}, {percent(point.kept[2] / 100)[:-2]}]"


def _names(points: Sequence[_Point], across: Scale, up: Scale, left: float) -> tuple[list[Markup], bool]:
    """Names beside their markers where there is room, and whether one had none, so that a legend has to tell."""
    places = [(across(p.near), up(p.kept[0])) for p in points]
    taken = [(x - 8, y - 8, x + 8, y + 8) for x, y in places]
    taken += [(across(p.near) - 3, up(p.kept[2]), across(p.near) + 3, up(p.kept[1])) for p in points]
    drawn: list[Markup] = []
    for point, (x, y) in zip(points, places, strict=True):
        words = label(point.row)
        long = width(words, SMALL)
        spots = (
            (x + _NEAR, y + 6, None, x + _NEAR),
            (x - _NEAR, y + 6, "end", x - _NEAR - long),
            (x, y - 14, "middle", x - long / 2),
            (x, y + 26, "middle", x - long / 2),
        )
        for at, base, anchor, start in spots:
            box = (start, base - 15, start + long, base + 5)
            inside = box[0] >= left and box[2] <= WIDTH and box[1] >= -8 and box[3] <= _HEIGHT - 2
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                drawn.append(text(at, base, words, "small", anchor))
                break
    return drawn, len(drawn) < len(points)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
