"""The verdict: what the run found for a task in one sentence, and how far that can be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tasks.report.config import ReportConfig
from tasks.report.model import Outcome, Row, TaskTable, Verdict
from tasks.report.record import Failure, Task
from tasks.report.words import METRICS, arm_label, arm_phrase, count, is_mixed, points, sign, signed, translator_of

_SMALL_GAP = 1.0  # points; a share of a smaller gap is noise divided by noise


def verdict(
    task: Task,
    table: TaskTable | None,
    failures: Sequence[Failure],
    config: ReportConfig,
    controls: frozenset[str] = frozenset(),
) -> Verdict:
    """Find the best translated arm and compare it with the baseline and the oracle.

    Args:
        table: the task's table; None where nothing was scored.
        failures: the task's failed arms, which explain what is missing.
        controls: names of translators that change nothing, so that they cannot be the best one.
    """
    metric = METRICS[task][0]
    rows = [r for r in table.rows if r.cells[0].value is not None] if table else []
    if not rows:
        failed = f": {count(len(failures), 'model')} failed" if failures else ""
        return Verdict(task=task, metric=metric, outcome="unknown", sentence=f"No {metric} was measured{failed}.")
    case = _Case(metric, rows, failures, config, controls)
    notes = tuple(case.notes())
    return Verdict(
        task=task,
        metric=metric,
        outcome=case.outcome(),
        sentence=case.sentence(),
        notes=notes,
        arm=case.best.arm if case.best else None,
        baseline=case.base.arm if case.base else None,
        oracle=case.oracle.arm if case.oracle else None,
        delta=_rounded(case.delta),
        gap_closed=_rounded(case.gap_closed),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _score(row: Row) -> float:
    value = row.cells[0].value
    assert value is not None  # rows without the metric are left out before
    return value


class _Case:
    """One task's arms in their parts: the best translated one, the baseline, the oracle.

    Where translated images were only trained on together with real ones, the comparison is with the baseline
    mixed in the same way (or with real images alone), and there is no gap to close.
    """

    def __init__(
        self,
        metric: str,
        rows: Sequence[Row],
        failures: Sequence[Failure],
        config: ReportConfig,
        controls: frozenset[str],
    ) -> None:
        self.metric, self.rows, self.failures = (metric, {r.arm: r for r in rows}, failures)
        translated = [r for r in rows if translator_of(r.arm) not in {None, *controls}]
        self.controls = [r for r in rows if translator_of(r.arm) in controls and not is_mixed(r.arm)]
        alone = [r for r in translated if not is_mixed(r.arm)]
        self.mixed = bool(translated) and not alone
        self.rivals = sorted(alone or translated, key=_score, reverse=True)
        self.best = self.rivals[0] if self.rivals else None
        self.base_name = f"real+{config.baseline}" if self.mixed else config.baseline
        if self.mixed and self.base_name not in self.rows and config.oracle in self.rows:
            self.base_name = config.oracle
        self.oracle_name = config.oracle
        self.base = self.rows.get(self.base_name)
        self.oracle = None if self.mixed else self.rows.get(config.oracle)

    @property
    def delta(self) -> float | None:
        return _score(self.best) - _score(self.base) if self.best and self.base else None

    @property
    def gap(self) -> float | None:
        return _score(self.oracle) - _score(self.base) if self.oracle and self.base else None

    @property
    def gap_closed(self) -> float | None:
        return self.delta / self.gap if self.delta is not None and self.gap and self.gap >= _SMALL_GAP else None

    def outcome(self) -> Outcome:
        if self.delta is None:
            return "unknown"
        match sign(self.delta):
            case 1:
                return "better"
            case -1:
                return "worse"
        return "equal"

    def sentence(self) -> str:
        if self.best is None:
            known = ", ".join(f"{arm_label(r.arm)} {points(_score(r))}" for r in self.rows.values())
            return f"No translated arm was scored, so nothing is known about translation ({self.metric}: {known})."
        if self.base is None:
            oracle = f", {arm_label(self.oracle.arm)} {points(_score(self.oracle))}" if self.oracle else ""
            return (
                f"{arm_label(self.best.arm)} reaches {points(_score(self.best))} {self.metric}{oracle}, but what "
                f"translation adds is unknown: {self._why_missing(self.base_name)}."
            )
        doubt = "; the seeds disagree on the direction, so this is not settled" if self._disagree() else ""
        return f"{self._change()}{self._gap()}{doubt}."

    def _change(self) -> str:
        assert self.best
        assert self.base
        assert self.delta is not None
        label, before, after = (arm_label(self.best.arm), points(_score(self.base)), points(_score(self.best)))
        size, numbers, over = (points(abs(self.delta)), f"({before} → {after})", arm_phrase(self.base.arm))
        unit = "point" if size == "1.0" else "points"
        match sign(self.delta):
            case 1:
                return f"{label} raises {self.metric} by {size} {unit} over {over} {numbers}"
            case -1:
                return f"{label} lowers {self.metric} by {size} {unit} against {over} {numbers}"
        return f"{label} leaves {self.metric} where {over} put it {numbers}"

    def _gap(self) -> str:
        """What the change means for the gap to the oracle, as the rest of the sentence."""
        if self.oracle is None or self.gap is None or self.delta is None or self.base is None:
            return ""
        real = f"{arm_label(self.oracle.arm).lower()} ({points(_score(self.oracle))})"
        if self.gap < _SMALL_GAP:
            return f"; there is no gap to speak of to {real}"
        change = sign(self.delta)
        if change < 0:
            return f" and widens the gap to {real} from {points(self.gap)} to {points(self.gap - self.delta)} points"
        if change == 0:
            return f"; the gap of {points(self.gap)} points to {real} stays"
        if self.delta >= self.gap:
            return f" and closes the gap to {real}"
        return f" and closes {100 * self.delta / self.gap:.0f} % of the gap to {real}"

    def _why_missing(self, arm: str) -> str:
        failed = any(f.arm == arm for f in self.failures)
        return f"the arm '{arm}' failed" if failed else f"the run has no arm '{arm}'"

    def notes(self) -> Iterable[str]:
        yield from self._evidence()
        if len(self.rivals) > 1 and self.base:
            each = ", ".join(f"{translator_of(r.arm)} {signed(_score(r) - _score(self.base))}" for r in self.rivals)
            number = len(self.rivals)
            yield f"Best of {number} translators, picked on the benchmark itself, so a little optimistic: {each}."
        if self.controls and self.base:
            each = ", ".join(f"{arm_label(r.arm)} {signed(_score(r) - _score(self.base))}" for r in self.controls)
            yield f"Control, whose images are only encoded anew: {each}. Differences of that size mean nothing."
        if self.best and self.oracle is None and not self.mixed:
            yield f"How much of the gap that closes is unknown: {self._why_missing(self.oracle_name)}."
        yield from self._mixing()

    def _evidence(self) -> Iterable[str]:
        if self.best is None or self.base is None:
            return
        mine, theirs = self.best.cells[0].seeds, self.base.cells[0].seeds
        if len(mine) == len(theirs) == 1:
            same = "" if mine.keys() == theirs.keys() else ", and not the same one"
            yield f"1 seed an arm{same}: no interval, and differences of a few points can be chance."
            return
        yield f"Over seeds: {_spread(mine)} against {_spread(theirs)}."
        if common := self._by_seed():
            yield f"Difference by seed: {', '.join(f'{signed(d)} (seed {seed})' for seed, d in common.items())}."
        if mine.keys() != theirs.keys():
            yield "The two arms were not trained with the same seeds."

    def _by_seed(self) -> dict[int, float]:
        """The difference to the baseline for each seed that both arms were trained with."""
        if self.best is None or self.base is None:
            return {}
        mine, theirs = self.best.cells[0].seeds, self.base.cells[0].seeds
        return {seed: mine[seed] - theirs[seed] for seed in sorted(mine.keys() & theirs.keys())}

    def _disagree(self) -> bool:
        return len({sign(d) for d in self._by_seed().values()}) > 1

    def _mixing(self) -> Iterable[str]:
        """What the simulator's images add to the real ones, where that was run beside the main comparison."""
        real = self.rows.get(self.oracle_name)
        added = [r for r in self.rows.values() if is_mixed(r.arm)]
        if self.mixed and self.base and self.base.arm != self.oracle_name and real:
            yield f"Real images alone reach {points(_score(real))}."
        if self.mixed or not added:
            return
        alone = f" ({points(_score(real))} alone)" if real else ""
        each = [f"{arm_label(r.arm)} {points(_score(r))}" for r in sorted(added, key=_score, reverse=True)]
        yield f"Added to real images{alone}: {', '.join(each)}."


def _spread(seeds: dict[int, float]) -> str:
    low, high = min(seeds.values()), max(seeds.values())
    span = points(low) if len(seeds) == 1 else f"{points(low)} to {points(high)}"
    return f"{span} ({count(len(seeds), 'seed')})"
