"""The verdict's wording in every situation that a run can leave behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tasks.contracts.record import Failure
from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.model import Verdict

BEST = "translated(cut)"


@pytest.fixture
def judge(fake: Callable[..., Any]) -> Callable[..., Verdict]:
    def judge(arms: dict[Any, float | None], **more: Any) -> Verdict:
        keyed = {("segmentation", *(a if isinstance(a, tuple) else (a, 0))): s for a, s in arms.items()}
        return build_report(fake(keyed, **more).record(), ReportConfig()).verdicts[0]

    return judge


def test_better(judge: Any) -> None:
    verdict = judge({"real": 0.371, "source": 0.193, BEST: 0.228})
    assert verdict.sentence == (
        "Translated (cut) raises mIoU by 3.5 points over the raw simulator images (19.3 → 22.8) "
        "and closes 20 % of the gap to real (37.1)."
    )
    assert verdict.notes == ("1 seed an arm: no interval, and differences of a few points can be chance.",)
    assert (verdict.outcome, verdict.delta, verdict.gap_closed) == ("unknown", 3.5, pytest.approx(0.1966, abs=1e-4))


def test_worse_widens_the_gap(judge: Any) -> None:
    verdict = judge({"real": 0.371, "source": 0.193, BEST: 0.181})
    assert verdict.sentence == (
        "Translated (cut) lowers mIoU by 1.2 points against the raw simulator images (19.3 → 18.1) "
        "and widens the gap to real (37.1) from 17.8 to 19.0 points."
    )
    assert verdict.outcome == "unknown"


def test_equal_as_printed(judge: Any) -> None:
    verdict = judge({"real": 0.371, "source": 0.19301, BEST: 0.19329})
    assert verdict.sentence == (
        "Translated (cut) leaves mIoU where the raw simulator images put it (19.3 → 19.3); "
        "the gap of 17.8 points to real (37.1) stays."
    )
    assert verdict.outcome == "unknown"


def test_one_point_is_singular(judge: Any) -> None:
    assert "by 1.0 point over" in judge({"source": 0.2, BEST: 0.21}).sentence


def test_above_the_oracle_closes_the_gap_without_a_share(judge: Any) -> None:
    sentence = judge({"real": 0.3, "source": 0.2, BEST: 0.35}).sentence
    assert sentence.endswith("and closes the gap to real (30.0).")
    assert "%" not in sentence


@pytest.mark.parametrize("real", [0.15, 0.2, 0.205])
def test_no_gap_gives_no_share(judge: Any, real: float) -> None:
    verdict = judge({"real": real, "source": 0.2, BEST: 0.21})
    assert "there is no gap to speak of to real" in verdict.sentence
    assert verdict.gap_closed is None


def test_missing_oracle(judge: Any) -> None:
    verdict = judge({"source": 0.2, BEST: 0.25})
    assert verdict.sentence == "Translated (cut) raises mIoU by 5.0 points over the raw simulator images (20.0 → 25.0)."
    assert "How much of the gap that closes is unknown: the run has no arm 'real'." in verdict.notes


def test_missing_baseline_says_whether_it_failed(judge: Any) -> None:
    failure = Failure(task="segmentation", arm="source", seed=0, error="out of memory")
    verdict = judge({"real": 0.37, BEST: 0.25}, failures=[failure])
    assert verdict.sentence == (
        "Translated (cut) reaches 25.0 mIoU, Real 37.0, but what translation adds is unknown: the arm 'source' failed."
    )
    assert (verdict.outcome, verdict.delta) == ("unknown", None)
    assert judge({BEST: 0.25}).sentence.endswith("the run has no arm 'source'.")


def test_no_translated_arm(judge: Any) -> None:
    verdict = judge({"real": 0.37, "source": 0.2})
    assert verdict.sentence.startswith("No translated arm was scored")
    assert "Real 37.0, Simulator 20.0" in verdict.sentence


def test_all_failed(fake: Any) -> None:
    failure = Failure(task="detection", arm="real", seed=0, error="no boxes")
    report = build_report(fake({}, failures=[failure]).record(), ReportConfig())
    assert report.verdicts[0].sentence == "No mAP was measured: 1 model failed."
    assert report.tables == ()


def test_score_without_value(judge: Any) -> None:
    assert judge({"real": None, "source": None}).sentence == "No mIoU was measured."


def test_best_of_several_is_called_optimistic(judge: Any) -> None:
    verdict = judge({"source": 0.2, BEST: 0.21, "translated(fda)": 0.24}, translators=("cut", "fda"))
    assert verdict.arm == "translated(fda)"
    assert any("Best of 2 translators" in n and n.endswith("fda +4.0, cut +1.0.") for n in verdict.notes)


def test_control_is_never_the_best(judge: Any) -> None:
    arms = {"source": 0.2, "translated(identity)": 0.26, BEST: 0.24}
    verdict = judge(arms, translators=("identity", "cut"))
    assert verdict.arm == BEST
    assert any(n.startswith("Control") and "+6.0" in n for n in verdict.notes)


def test_several_seeds(judge: Any) -> None:
    arms = {("source", 0): 0.2, ("source", 1): 0.22, (BEST, 0): 0.24, (BEST, 1): 0.25}
    verdict = judge(arms)
    assert "by 3.5 points" in verdict.sentence
    assert "(21.0 → 24.5)" in verdict.sentence
    assert "Over seeds: 24.0 to 25.0 (2 seeds) against 20.0 to 22.0 (2 seeds)." in verdict.notes
    assert "Difference by seed: +4.0 (seed 0), +3.0 (seed 1)." in verdict.notes
    assert "disagree" not in verdict.sentence


def test_seeds_that_disagree_settle_nothing(judge: Any) -> None:
    arms = {("source", 0): 0.2, ("source", 1): 0.22, (BEST, 0): 0.26, (BEST, 1): 0.21}
    assert judge(arms).sentence.endswith("; the seeds disagree on the direction, so this is not settled.")


def test_different_seeds_are_named(judge: Any) -> None:
    verdict = judge({("source", 0): 0.2, (BEST, 0): 0.24, (BEST, 1): 0.25})
    assert "The two arms were not trained with the same seeds." in verdict.notes
    assert "1 seed an arm, and not the same one" in judge({("source", 0): 0.2, (BEST, 1): 0.24}).notes[0]


def test_mixed_arms_beside_the_main_comparison(judge: Any) -> None:
    verdict = judge({"real": 0.37, "source": 0.2, BEST: 0.25, "real+source": 0.38, f"real+{BEST}": 0.4})
    assert verdict.arm == BEST
    assert "Added to real images (37.0 alone): Real + translated (cut) 40.0, Real + simulator 38.0." in verdict.notes


def test_only_mixed_arms_compare_with_the_mixed_baseline(judge: Any) -> None:
    verdict = judge({"real": 0.37, "real+source": 0.38, f"real+{BEST}": 0.4})
    assert verdict.sentence == (
        "Real + translated (cut) raises mIoU by 2.0 points over real plus raw simulator images (38.0 → 40.0)."
    )
    assert "Real images alone reach 37.0." in verdict.notes
    assert "over real images alone (37.0 → 40.0)" in judge({"real": 0.37, f"real+{BEST}": 0.4}).sentence
