"""One task's arms in their parts: the best translated one, what it is compared with, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from tasks.catalogue import t
from tasks.contracts import Arm, Difference, Failure, TaskComparison
from tasks.report.config import ReportConfig
from tasks.report.intervals import scaled
from tasks.report.model import Outcome
from tasks.report.score_table import Row

_SMALL_GAP = 1.0  # points; a share of a smaller gap is noise divided by noise


def score(row: Row) -> float:
    """An arm's headline metric in points."""
    value = row.cells[0].value
    assert value is not None  # rows without the metric are left out before
    return value


class Case:
    """The best translated arm, the baseline, the oracle; scores and differences in points.

    Where translated images were only trained on together with real ones, the comparison is with the baseline
    mixed in the same way (or with real images alone), and there is no gap to close.

    Attributes:
        rivals: the translated arms, the best first. controls: arms of translators that change nothing.
        base_name: the arm that the best should be compared with. base: its row; None where the run lacks it.
        difference: of best and baseline, with its interval; None where there is none.
        margin: the largest difference that does not matter.
    """

    def __init__(
        self,
        metric: str,
        rows: Sequence[Row],
        failures: Sequence[Failure],
        config: ReportConfig,
        controls: frozenset[str],
        compared: TaskComparison | None,
    ) -> None:
        self.metric, self.rows, self.failures, self.compared = (metric, {r.arm: r for r in rows}, failures, compared)
        # What else an arm does with a translator's images, such as self-training, is no verdict on the translation.
        translated = [r for r in rows if r.arm.simple and r.arm.translator not in {None, *controls}]
        self.controls = [r for r in rows if r.arm.simple and r.arm.translator in controls and not r.arm.mixed]
        alone = [r for r in translated if not r.arm.mixed]
        self.mixed = bool(translated) and not alone
        self.rivals = sorted(alone or translated, key=score, reverse=True)
        self.best = self.rivals[0] if self.rivals else None
        self.mixed_name = config.baseline.with_real
        self.base_name = self.mixed_name if self.mixed else config.baseline
        if self.mixed and self.base_name not in self.rows and config.oracle in self.rows:
            self.base_name = config.oracle
        self.oracle_name = config.oracle
        self.base = self.rows.get(self.base_name)
        self.oracle = None if self.mixed else self.rows.get(config.oracle)
        self.difference = self.between(self.best.arm, self.base.arm) if self.best and self.base else None
        self.margin = round(100 * compared.margin, 4) if compared else 0.0

    def between(self, arm: Arm, against: Arm) -> Difference | None:
        """The difference of two arms in the metric; None where the comparison has none."""
        found = self.compared.difference(arm, against) if self.compared else None
        difference = found.metrics.get(self.metric) if found else None
        return difference if difference is not None and difference.value is not None else None

    @property
    def before(self) -> float | None:
        """The baseline's score, by the seeds that the difference is of."""
        return self._by_common_seeds(self.base) if self.base else None

    @property
    def after(self) -> float | None:
        """The best arm's score, by the seeds that the difference is of."""
        return self._by_common_seeds(self.best) if self.best else None

    def _by_common_seeds(self, row: Row) -> float:
        seeds = self.difference.by_seed if self.difference else {}
        common = [value for seed, value in row.cells[0].seeds.items() if seed in seeds]
        return fmean(common) if common else score(row)

    @property
    def delta(self) -> float | None:
        if self.difference is not None:
            return scaled(self.difference.value)
        return score(self.best) - score(self.base) if self.best and self.base else None

    @property
    def gap(self) -> float | None:
        return score(self.oracle) - self.before if self.oracle and self.before is not None else None

    @property
    def gap_closed(self) -> float | None:
        """Share of the gap, where it is not too small, and the interval does not leave the difference open."""
        shown = self.difference is None or self.outcome in {"improves", "harms"}
        worth = self.gap is not None and self.gap >= _SMALL_GAP
        return self.delta / self.gap if shown and worth and self.delta is not None and self.gap else None

    @property
    def outcome(self) -> Outcome:
        return self.difference.outcome if self.difference else "unknown"

    @property
    def no_gap(self) -> bool:
        """Whether baseline and oracle are so close that nothing can be said of a gap."""
        return self.gap is not None and self.gap < _SMALL_GAP

    def why_missing(self, arm: Arm) -> str:
        """Why the run has no score of an arm."""
        failed = any(f.arm == arm for f in self.failures)
        return t("verdict.arm_failed" if failed else "verdict.arm_absent", arm=arm)
