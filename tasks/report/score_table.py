"""The comparison of a task as a table of scores: a row for each arm, a column for each metric and class."""

from __future__ import annotations

from typing import Literal

from tasks.contracts import Arm, Efficiency, Frozen, SliceKind, Task
from tasks.contracts import Outcome as Decided


class Cell(Frozen):
    """A score of an arm in points (0-100).

    Attributes:
        value: mean over the seeds; None where the class does not occur in the benchmark.
        seeds: seed -> that seed's score.
        delta: ``value`` minus the baseline's, by the seeds that both have where there is a comparison; None for the
            baseline itself and where one of the two is missing.
        low, high: 95 % interval of ``value``; None without a comparison.
        delta_low, delta_high: 95 % interval of ``delta``. outcome: what the difference comes to.
        best: highest of its column as printed, among the arms with real images or among those without.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    seeds: dict[int, float] = {}
    delta: float | None = None
    delta_low: float | None = None
    delta_high: float | None = None
    outcome: Decided | None = None
    best: bool = False


class Column(Frozen):
    """A metric over all classes, or one class.

    Attributes:
        boxes: how many of the class the benchmark holds, where known.
        counts: whether the class counts in the means over classes (``evaluate.classes``).
    """

    name: str
    is_class: bool
    counts: bool = True
    boxes: int | None = None


class Row(Frozen):
    """An arm of the comparison; ``cells`` in the order of the table's columns.

    Attributes:
        train_images: how many it was trained on. images: part of the arm -> how many of these are of it; empty where
            that was not recorded. drawn: part -> its share of the images that the training drew, likewise.
    """

    arm: Arm
    label: str
    role: Literal["baseline", "oracle", "other"]
    seeds: tuple[int, ...]
    train_images: int | None
    images: dict[Arm, int] = {}
    drawn: dict[Arm, float] = {}
    cells: tuple[Cell, ...]


class Fact(Frozen):
    """A line of the protocol; ``differs`` warns that the arms were not treated alike."""

    name: str
    value: str
    differs: bool = False


class Curve(Frozen):
    """A training's loss: ``points`` are (iteration, loss)."""

    arm: Arm
    seed: int
    points: tuple[tuple[float, float], ...]


class SliceRow(Frozen):
    """The first metric on a part of the benchmark; ``cells`` in the order of the table's rows.

    Attributes:
        kind, key, name: which part, as in ``contracts.Slice``. label: the same for people.
        images: that have something to score. boxes: how many count, where it is of some boxes alone.
    """

    kind: SliceKind
    key: str
    name: str
    label: str
    images: int
    boxes: int | None = None
    cells: tuple[Cell, ...]


class TaskTable(Frozen):
    """The comparison for one task; the first column is the metric that the verdict is about.

    Attributes:
        margin: the largest difference that does not matter, in points; None where no intervals are known.
        slices: the metric by part of the benchmark.
        efficiency: as the comparison has it, its scores from 0 to 1.
    """

    task: Task
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    protocol: tuple[Fact, ...]
    notes: tuple[str, ...]
    margin: float | None = None
    slices: tuple[SliceRow, ...] = ()
    curves: tuple[Curve, ...]
    efficiency: Efficiency | None = None

    def row(self, arm: Arm) -> Row | None:
        """The row of an arm, or None."""
        return next((r for r in self.rows if r.arm == arm), None)
