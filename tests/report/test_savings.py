"""The data-efficiency curve in the report: drawn, told in a sentence, and in tables."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tasks.catalogue.language import speaking
from tasks.contracts.arm import Arm
from tasks.contracts.efficiency import Efficiency, EfficiencyCurve, EfficiencyPoint, Saving
from tasks.contracts.estimate import Estimate
from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.csvs import tables
from tasks.report.figures.efficiency import efficiency as drawn
from tasks.report.html import render_html
from tasks.report.markdown import render_markdown
from tasks.report.model import Report
from tasks.report.savings import savings
from tests.report.findings import compared

CUT = "real+translated(cut)"
ARMS = {("segmentation", arm, 0): 0.4 for arm in ("real", CUT)}


def curve(arm: str, scores: dict[int, float]) -> EfficiencyCurve:
    points = (
        EfficiencyPoint(arm=Arm(arm), images=n, score=Estimate(value=v, low=v - 0.02, high=v + 0.02))
        for n, v in scores.items()
    )
    return EfficiencyCurve(arm=Arm(arm), points=tuple(points))


CURVES = (curve("real", {10: 0.2, 100: 0.3, 1000: 0.4}), curve(CUT, {0: 0.1, 10: 0.3, 100: 0.5, 1000: 0.6}))
SAVING: dict[str, Any] = {"arm": CUT, "images": 1000, "score": 0.4, "fewest": 0, "reached": 1.0}


def report_of(fake: Any, language: Any = "en", **saving: Any) -> Report:
    exact = {"needed": 32.3, "saved": Estimate(value=967.7, low=950.0, high=985.0)}
    found = Efficiency(curves=CURVES, savings=(Saving(**{**SAVING, **exact, **saving}),))
    (task,) = compared(ARMS, {}).tasks
    comparison = compared(ARMS, {}).model_copy(update={"tasks": (task.model_copy(update={"efficiency": found}),)})
    return build_report(fake(ARMS, comparison=comparison).record(), ReportConfig(language=language))


@pytest.mark.parametrize(
    ("saving", "told"),
    [
        ({}, ["about 32 images", "mIoU 40.0 that takes 1,000 images of it alone", "saves about 968", "950 to 985"]),
        ({"needed": 0.0, "saved": Estimate(value=1000.0, low=990.0, high=1000.0)}, ["fewest tried", "1,000 or more"]),
        ({"needed": None, "saved": Estimate(value=None), "reached": 0.1}, ["no saving can be told"]),
        ({"saved": Estimate(value=967.7, high=985.0), "reached": 0.62}, ["in 62.0 % of the resamples", "save none"]),
    ],
)
def test_what_is_saved_is_said(fake: Any, saving: dict[str, Any], told: list[str]) -> None:
    (sentence,) = savings(report_of(fake, **saving).tables[0])
    assert all(part in sentence for part in told), sentence
    assert sentence.startswith("Real + translated (cut): ")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_form_has_it(fake: Any, language: Any) -> None:
    report = report_of(fake, language)
    with speaking(language):
        (sentence,) = savings(report.tables[0])
    page, text = render_html(report, 96), render_markdown(report)
    assert sentence in page
    assert sentence in text.replace("\\", "")
    assert "fig-efficiency" in page
    rows = tables(report)
    assert [(r["curve"], r["images"], r["score_value"]) for r in rows["efficiency_segmentation"]][:2] == [
        ("real", 10, 0.2),
        ("real", 100, 0.3),
    ]
    assert [(r["arm"], r["saved_low"]) for r in rows["savings_segmentation"]] == [(CUT, 950.0)]


def test_the_figure_is_logarithmic_and_begins_with_no_image(fake: Any) -> None:
    figure = drawn(report_of(fake).tables[0])
    assert figure is not None
    svg = str(figure.svg)
    lines = [
        [tuple(map(float, point.split(","))) for point in points.split()]
        for points in re.findall(r'points="([^"]*)"', svg)
    ]
    assert [len(line) for line in lines] == [3, 4]
    across = [x for x, _ in lines[1]]
    assert across[2] - across[1] == pytest.approx(across[3] - across[2], rel=0.05), "tenfold is as far as tenfold"
    assert [y for _, y in lines[0]] == sorted((y for _, y in lines[0]), reverse=True)
    assert "Real + translated (cut), 10 images: 30.0 [28.0, 32.0]" in svg
    assert "At 0: without any real image." in figure.note
    assert drawn(report_of(fake).tables[0].model_copy(update={"efficiency": None})) is None
