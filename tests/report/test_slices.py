"""The metric by part of the benchmark, in every renderer and as CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tasks.contracts.arm import Arm
from tasks.contracts.comparison import Clusters, Slice, SliceScore
from tasks.contracts.estimate import Estimate
from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.csvs import tables
from tasks.report.figures.page import of_task
from tasks.report.figures.slices import slices
from tasks.report.html import render_html
from tasks.report.markdown import render_markdown
from tasks.report.stage import write_report
from tasks.report.terminal import print_report
from tests.report.findings import compared, difference

CUT = "translated(cut)"
ARMS = {("detection", arm, 0): score for arm, score in {"source": 0.2, CUT: 0.3, "real": 0.5}.items()}


def part(kind: Any, key: str, name: str, images: int, boxes: int | None = None) -> Slice:
    scores = (
        SliceScore(arm=Arm("source"), score=Estimate(value=0.15, low=0.1, high=0.2)),
        SliceScore(
            arm=Arm(CUT), score=Estimate(value=0.4, low=0.3, high=0.5), difference=difference(25, 12, 38, "improves")
        ),
    )
    return Slice(kind=kind, key=key, name=name, images=images, boxes=boxes, against=Arm("source"), scores=scores)


PARTS = (part("attribute", "weather", "rain", 30), part("size", "box_size", "small", 41, 1234))


@pytest.fixture
def run(fake: Callable[..., Any]) -> Any:
    return fake(ARMS, comparison=compared(ARMS, {(CUT, "source"): difference(10, 8, 12, "improves")}, slices=PARTS))


def test_rows_are_in_points_with_a_cell_for_every_arm(run: Any) -> None:
    (table,) = build_report(run.record(), ReportConfig()).tables
    assert [(s.label, s.images, s.boxes) for s in table.slices] == [
        ("weather: rain", 30, None),
        ("small boxes (under 32² pixels)", 41, 1234),
    ]
    source, cut, real = (table.slices[0].cells[[r.arm for r in table.rows].index(a)] for a in ("source", CUT, "real"))
    assert (source.value, source.low, source.delta) == (15, 10, None)
    assert (cut.value, cut.delta, cut.delta_low, cut.outcome) == (40, 25, 12, "improves")
    assert real.value is None  # not among the part's scores


def test_every_renderer_shows_them(run: Any, tmp_path: Path) -> None:
    record = run.record()
    report = build_report(record, ReportConfig())
    markdown = render_markdown(report)
    assert "mAP by part of the benchmark\n\n| Part | Images |" in markdown
    (line,) = [row for row in markdown.splitlines() if row.startswith("| weather: rain")]
    assert "| 30 |" in line
    assert "40.0 [30.0, 50.0] (▲ +25.0 [12.0, 38.0])" in line
    console = Console(width=200, record=True, file=(tmp_path / "out").open("w"))
    print_report(write_report.fn(ReportConfig(), record, run.store), record, console)
    for shown in (render_html(report, 96), console.export_text()):
        assert "mAP by part of the benchmark" in shown
        assert "weather: rain" in shown
        assert "small boxes" in shown
    assert '<td class="num">1,234</td>' in render_html(report, 96)


def test_they_are_a_table_of_their_own(run: Any) -> None:
    rows = tables(build_report(run.record(), ReportConfig()))["slices_detection"]
    assert len(rows) == 2 * 3
    assert {**rows[1], "arm": str(rows[1]["arm"])}.items() >= {"key": "weather", "name": "rain", "images": 30}.items()
    assert {row["value"] for row in rows} == {15, 40, None}
    assert "best" not in rows[0]


def test_they_are_drawn_by_part_and_no_filter_of_classes_hides_them(run: Any) -> None:
    (table,) = build_report(run.record(), ReportConfig()).tables
    drawn = {figure.kind: str(figure.svg) for figure in of_task(table)}
    assert "slices-real" not in drawn, "no arm with real images has a score on a part"
    assert drawn["slices"].count('data-part="weather: rain"') == 2  # the strip, and the one mark in it
    assert "data-class" not in drawn["slices"]
    assert "weather: rain, Translated (cut): +25.0 [12.0, 38.0], improves" in drawn["slices"]
    assert slices(table.model_copy(update={"slices": ()})) is None


def test_what_the_benchmark_is_worth_stands_in_the_verdict(fake: Callable[..., Any]) -> None:
    blocks = Clusters(kind="blocks", reason="few_drives", benchmark="b", sequences=1, block=9, units=9, effective=14)
    changes = {(CUT, "source"): difference(10, 8, 12, "improves")}
    report = build_report(fake(ARMS, comparison=compared(ARMS, changes, clusters=blocks)).record(), ReportConfig())
    (verdict,) = report.verdicts
    assert "worth about 14 independent images" in verdict.evidence
    assert verdict.evidence in verdict.notes
    assert render_html(report, 96).count(verdict.evidence) == 1
