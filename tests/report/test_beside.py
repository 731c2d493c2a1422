"""A page that would be too large has its pictures, and then the audits' figures, in files beside it, and says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.figures.save import save_figures
from tasks.report.html import FIGURES, render_html
from tasks.report.model import Report
from tests.report.findings import audit, compared, difference

ARMS = {("segmentation", "source", 0): 0.2, ("segmentation", "translated(cut)", 0): 0.25}
Fake = Callable[..., Any]


@pytest.fixture
def report(fake: Fake) -> Report:
    comparison = compared(ARMS, {("translated(cut)", "source"): difference(5, 3, 7, "improves")})
    run = fake(ARMS, comparison=comparison, audits={"cut": audit("cut")}, translators=("cut", "fda"))
    return build_report(run.record(), ReportConfig())


def sources(page: str) -> list[str]:
    return re.findall(r'<img[^>]* src="([^"]*)"', page)


def inside(page: str) -> int:
    return sum(source.startswith("data:") for source in sources(page))


def test_a_page_that_fits_has_everything_inside(report: Report, tmp_path: Path) -> None:
    page = render_html(report, 96, folder=tmp_path / "page")
    assert sources(page)
    assert inside(page) == len(sources(page))
    assert not (tmp_path / "page").exists()
    assert "One file, no network" in page


def test_pictures_are_put_beside_a_page_that_is_too_large(report: Report, tmp_path: Path) -> None:
    whole = render_html(report, 96)
    folder = tmp_path / "page"
    folder.mkdir()
    page = render_html(report, 96, len(whole.encode()) - 1, folder)
    files = [source for source in sources(page) if not source.startswith("data:")]
    assert len(page) < len(whole)
    assert len(sources(page)) == len(sources(whole))
    assert {*files} == {f"pictures/{path.name}" for path in (folder / "pictures").iterdir()}
    assert all((folder / file).read_bytes()[8:12] == b"WEBP" for file in files)
    assert inside(page) == 4, "the strip of simulator, two translators and nearest real stays in the page"
    assert "they are files in the folder pictures beside it" in page
    assert "One file" not in page
    assert render_html(report, 96, len(whole.encode()) - 1, folder) == page


def test_the_audits_figures_follow_where_that_is_not_enough(
    report: Report, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_figures(report, tmp_path / FIGURES)
    page = render_html(report, 96, 1000, tmp_path)
    files = {source for source in sources(page) if source.startswith("figures/")}
    assert files == {f"figures/{kind}_cut.svg" for kind in ("domains", "flips", "gap")}
    assert all((tmp_path / file).is_file() for file in files)
    assert "in the folders pictures and figures beside it" in page
    assert "more than 0.0" in caplog.text, "the rest is tables, which nothing can take out"
