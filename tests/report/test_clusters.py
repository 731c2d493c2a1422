"""What the benchmark's images are worth as evidence: the same words in the verdict, Markdown, page and terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tasks.contracts.comparison import Clusters, Needs
from tasks.contracts.record import RunRecord
from tasks.report.build import build_report
from tasks.report.clusters import scope, worth
from tasks.report.config import ReportConfig
from tasks.report.html import render_html
from tasks.report.markdown import render_markdown
from tasks.report.stage import write_report
from tasks.report.terminal import print_report
from tests.report.findings import compared, difference

BEST = "translated(cut)"
ARMS = {("segmentation", arm, 0): score for arm, score in {"real": 0.5, "source": 0.2, BEST: 0.3}.items()}
ONE_DRIVE = Clusters(
    kind="blocks",
    reason="few_drives",
    benchmark="camvid",
    sequences=1,
    block=17,
    units=10.06,
    effective=19,
    beyond=False,
)


def test_one_drive_is_said_with_what_it_is_worth_and_what_it_cannot_show() -> None:
    assert worth(ONE_DRIVE, 171) == (
        "171 images of 1 drive, worth about 19 independent images: blocks of 17 frames in a row are resampled, "
        "as neighbouring frames score alike. There are too few drives to resample whole ones. What differs from drive "
        "to drive is in no interval."
    )
    assert scope(ONE_DRIVE) == " That is about 1 drive; for others it is not decidable."


def test_drives_and_images() -> None:
    drives = Clusters(kind="sequence", reason="many_drives", sequences=20, units=18.2, effective=40)
    assert worth(drives, 500) == (
        "500 images of 20 drives, worth about 40 independent images: whole drives are resampled, with Student's t for "
        "18.2 of like length. There are enough drives for that."
    )
    assert scope(drives) == scope(None) == ""
    alone = Clusters(kind="image", reason="single_frames", sequences=60, units=60, effective=60)
    assert worth(alone, 60) is None
    assert worth(None, 60) is None


@pytest.mark.parametrize(
    ("reason", "name", "text"),
    [
        ("no_drives", "camvid", "camvid does not say which images are of one drive"),
        ("older", None, "of a version that did not keep which images are of one drive"),
        ("asked", "camvid", "That is what evaluate.cluster says."),
    ],
)
def test_why_images_count_as_independent(reason: Any, name: str | None, text: str) -> None:
    found = worth(Clusters(kind="image", reason=reason, benchmark=name, units=60, effective=60), 60)
    assert found is not None
    assert text in found
    one = worth(Clusters(kind="image", reason=reason, benchmark=name, units=1, effective=1, enough=False), 1)
    assert one is not None
    assert one.endswith(f"1 image of {name or 'the benchmark'}: too little for any verdict.")


def test_every_renderer_says_it(fake: Callable[..., Any], tmp_path: Path) -> None:
    changes = {(BEST, "source"): difference(10, 8, 12, "improves")}
    run = fake(ARMS, comparison=compared(ARMS, changes, clusters=ONE_DRIVE))
    record: RunRecord = run.record()
    report = build_report(record, ReportConfig())
    (verdict,) = report.verdicts
    assert verdict.sentence.endswith(
        "of the gap to real (50.0). That is about 1 drive; for others it is not decidable."
    )
    console = Console(width=300, record=True, file=(tmp_path / "out").open("w"))
    print_report(write_report.fn(ReportConfig(), record, run.store), record, console)
    for rendered in (render_html(report, 96), render_markdown(report), console.export_text()):
        assert "worth about 19 independent images" in rendered


def test_too_few_drives_say_how_many_it_takes(fake: Callable[..., Any]) -> None:
    lacking = difference(10, 8, 12, "not decidable", Needs(kind="least", drives=4))
    few = Clusters(kind="sequence", reason="asked", sequences=1, units=1, effective=1, enough=False)
    run = fake(ARMS, comparison=compared(ARMS, {(BEST, "source"): lacking}, clusters=few))
    report = build_report(run.record(), ReportConfig())
    assert report.verdicts[0].sentence.endswith("it would need at least 4 drives.")
    assert "233 images of the benchmark: too little for any verdict." in report.verdicts[0].notes[1]
