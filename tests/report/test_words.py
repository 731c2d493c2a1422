"""How figures are put into words."""

from __future__ import annotations

import pytest

from tasks.catalogue.formats import figure
from tasks.catalogue.language import speaking
from tasks.contracts.arm import Arm
from tasks.contracts.audit import Rate
from tasks.contracts.stage import Stage
from tasks.report.words import (
    change,
    check_label,
    count,
    duration,
    interval,
    legend,
    listed,
    measure,
    memory,
    mixture,
    outcome_label,
    probability,
    rate_words,
    roles_label,
    shift,
    size,
    stage_label,
    task_label,
    task_name,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (48.2, "48 s"), (59.7, "1 min 0 s"), (270, "4 min 30 s"), (7500, "2 h 5 min")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_intervals_are_printed_as_points() -> None:
    assert interval(-1.04, 1.86) == "[−1.0, 1.9]"
    assert interval(-0.04, None) == ""
    assert change(0.44, -1.0, 1.9) == "+0.4 [−1.0, 1.9]"
    assert change(-0.04) == "0.0"
    assert rate_words(Rate(value=0.061, low=0.052, high=0.07)) == "6.1 % [5.2, 7.0]"
    assert rate_words(Rate(value=None)) == "-"


@pytest.mark.parametrize(
    ("images", "text"),
    [
        ({"real": 367, "translated(cut)": 250}, "367 real + 250 translated (cut), 59 : 41"),
        ({"real": 1367, "source": 12}, "1,367 real + 12 simulator, 99.1 : 0.9"),
        ({"real": 367}, ""),
        ({"real": 0, "source": 0}, ""),
        ({}, ""),
    ],
)
def test_mixture_states_the_ratio(images: dict[str, int], text: str) -> None:
    assert mixture({Arm(part): n for part, n in images.items()}) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0.00"), (812.4, "812"), (12345.6, "12,346"), (0.0117, "0.0117"), (-2.5, "−2.50")],
)
def test_figures_have_three_digits(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_measures_have_their_unit() -> None:
    assert measure(0.31, "share") == "31.0 %"
    assert measure(0.02, "px") == "0.0200 px"
    assert measure(1.62, "times") == "1.62 ×"


def test_legend_and_probability() -> None:
    assert "= no difference beyond 0.5 points" in legend(0.5)
    assert "beyond 1 point," in legend(1.0)
    assert [probability(p) for p in (0.03125, 1e-5)] == ["0.031", "below 0.001"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "-"), (1_240_000_000, "1.2 GB"), (100_000_000, "0.1 GB"), (48_400_000, "48 MB"), (0, "0 MB")],
)
def test_memory_is_in_powers_of_ten(number: int | None, text: str) -> None:
    assert memory(number) == text


def test_counts_and_lists() -> None:
    assert [count(n, "box") for n in (1, 2, 1200)] == ["1 box", "2 boxes", "1,200 boxes"]
    assert listed("abc", 3) == "a, b, c"
    assert listed("abcde", 3) == "a, b, c, and 2 more"
    with speaking("ko"):
        assert [count(n, "box") for n in (1, 1200)] == ["박스 1개", "박스 1,200개"]
        assert listed("abcde", 3) == "a, b, c 외 2건"
        assert duration(7500) == "2시간 5분"


def test_differences_have_a_unit() -> None:
    assert [size(d) for d in (-4.08, 1.04, 0.0)] == ["4.1 points", "1.0 point", "0.0 points"]
    assert shift(-1.0, -2.0, 0.04) == "−1.0 point [−2.0, 0.0]"
    assert shift(0.44) == "+0.4 points"


@pytest.mark.parametrize(
    ("stage", "english", "korean"),
    [
        (Stage(kind="dataset", role="target"), "dataset target", "데이터셋 읽기: 타깃"),
        (Stage(kind="train", translator="a b"), "train translator a b", "변환기 학습: a b"),
        (
            Stage(kind="retrain", task="segmentation", arm=Arm("real+translated(cut)"), seed=2),
            "retrain segmentation, real + translated (cut), seed 2",
            "재학습: 세그멘테이션, 실제 + 변환 (cut), 시드 2",
        ),
        (Stage(kind="compare"), "compare arms", "실험군 비교"),
    ],
)
def test_stages_are_named(stage: Stage, english: str, korean: str) -> None:
    assert stage_label(stage) == english
    with speaking("ko"):
        assert stage_label(stage) == korean


def test_names_that_are_known_are_said_and_others_stay() -> None:
    assert (task_label("detection"), task_name("detection")) == ("Detection", "detection")
    assert (check_label("near_leak"), roles_label(("target", "benchmark"))) == ("near_leak", "target / benchmark")
    with speaking("ko"):
        assert (task_label("detection"), task_name("segmentation")) == ("객체 검출", "세그멘테이션")
        assert roles_label(("target", "benchmark")) == "타깃 / 벤치마크"
        assert outcome_label("not decidable") == "판단 불가"
        assert [check_label(n) for n in ("near_leak", "<b>")] == ["벤치마크와 유사한 이미지", "<b>"]
