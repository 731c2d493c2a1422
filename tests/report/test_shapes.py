"""Runs of every shape, from nothing at all to 10,000 rejected files, render in every format and language."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import jsonschema
import pytest
from PIL import Image

from tasks.catalogue.language import Language
from tasks.contracts.finding import Finding
from tasks.contracts.record import Failure
from tasks.report.config import ReportConfig
from tasks.report.csvs import tables
from tasks.report.html import MAX_BYTES
from tasks.report.model import Report
from tasks.report.schema import schema
from tasks.report.stage import write_report
from tests.report.findings import audit, compared, difference

CUT = "translated(cut)"
CLASSES = {"road": 0.6, "sky": 0.8}
BETTER = {(CUT, "source"): difference(4.1, 2.9, 5.2, "improves")}
COMMENT = 65_536  # characters that GitHub takes


def arms(*tasks: str, seeds: int = 1, of: tuple[str, ...] = ("real", "source", CUT)) -> dict[Any, float]:
    return {(task, arm, seed): 0.2 + 0.03 * i for task in tasks for i, arm in enumerate(of) for seed in range(seeds)}


FULL = arms("segmentation", "detection", seeds=2)
PARTIAL = {k: v for k, v in FULL.items() if k not in {("detection", "real", 1), ("segmentation", CUT, 0)}}
LOST = [Failure(task="detection", arm="real", seed=1, error="killed")]


@dataclass(frozen=True)
class Shape:
    """A run, and what has to be found of it: task -> arms, and the kinds of its figures."""

    arms: Mapping[Any, float | None]
    tables: Mapping[str, int]
    figures: set[str] = field(default_factory=set)
    more: Mapping[str, Any] = field(default_factory=dict)


OF_TASK = {"scores", "differences", "classes", "classes-real", "curves"}
OF_AUDIT = {"trade", "domains", "flips", "gap"}
BOTH = {"segmentation": 3, "detection": 3}
REJECTED = [(f"frames/{i:05d}.png", Finding.of("data.not_decodable", problem="truncated")) for i in range(10_000)]
SHAPES = {
    "full": Shape(FULL, BOTH, OF_TASK | OF_AUDIT, {"audits": {"cut": audit()}}),
    "partial matrix": Shape(PARTIAL, BOTH, OF_TASK, {"failures": LOST}),
    "one arm": Shape(arms("segmentation", of=("source",)), {"segmentation": 1}, {"scores", "curves"}),
    "one translated arm": Shape(arms("detection", of=(CUT,)), {"detection": 1}, {"scores", "curves"}),
    "segmentation alone": Shape(arms("segmentation"), {"segmentation": 3}, OF_TASK),
    "detection alone": Shape(arms("detection"), {"detection": 3}, OF_TASK),
    "no boxes": Shape(arms("segmentation"), {"segmentation": 3}, OF_TASK, {"with_boxes": False}),
    "no comparison": Shape(FULL, BOTH, OF_TASK, {"comparison": None}),
    "no judge": Shape(FULL, BOTH, OF_TASK, {"audits": {"cut": audit(judged=False)}}),
    "0 rejected": Shape(arms("segmentation"), {"segmentation": 3}, OF_TASK, {"rejected": ()}),
    "10,000 rejected": Shape(arms("segmentation"), {"segmentation": 3}, OF_TASK, {"rejected": REJECTED}),
    "no class scored": Shape(
        arms("segmentation"), {"segmentation": 3}, OF_TASK - {"classes", "classes-real"}, {"classes": {"train": None}}
    ),
    "no score": Shape({("segmentation", "source", 0): None}, {"segmentation": 1}, {"curves"}, {"comparison": None}),
    "nothing finished": Shape(
        {}, {}, more={"images": 0, "rejected": (), "translators": (), "with_boxes": False, "comparison": None}
    ),
}


@pytest.fixture
def write(fake: Callable[..., Any]) -> Callable[..., Path]:
    def write(shape: Shape, language: Language) -> Path:
        made = {"classes": CLASSES, "comparison": compared(shape.arms, BETTER, shape.more.get("classes", CLASSES))}
        run = fake(shape.arms, **{**made, **shape.more})
        config = ReportConfig(language=language, sample_rows=1, prediction_rows=1)
        folder: Path = write_report.fn(config, run.record(), run.store).path
        return folder

    return write


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("language", get_args(Language))
def test_renders_in_every_format(write: Any, name: str, language: Language) -> None:
    shape = SHAPES[name]
    folder = write(shape, language)
    content = json.loads((folder / "report.json").read_bytes())
    jsonschema.validate(content, schema())
    report = Report.read(folder)
    assert report.problems == ()
    assert {t.task: len(t.rows) for t in report.tables} == shape.tables
    _check_page(folder, report)
    _check_markdown(folder, report)
    _check_csvs(folder, report)
    _check_figures(folder, shape.figures)


def _check_page(folder: Path, report: Report) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) <= MAX_BYTES
    assert page.rstrip().endswith("</html>")
    assert f'<html lang="{report.language}"' in page
    for table in report.tables:
        assert f'<section id="{table.task}"' in page
    _check_text(re.sub(r"(?s)<(script|style|pre)\b.*?</\1>|<[^>]+>", " ", page))


def _check_markdown(folder: Path, report: Report) -> None:
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert len(text) < COMMENT
    assert text.startswith("# ")
    for table in report.tables:
        assert all(f"| {row.label}" in text for row in table.rows)
    _check_text(text)


def _check_text(text: str) -> None:
    """Nothing that only a machine would say."""
    assert not re.search(r"\b(None|nan|inf|undefined|Decimal|NoneType)\b|\{\w+\}|[a-z]+\.[a-z]+_[a-z]+\b(?!\()", text)


def _check_csvs(folder: Path, report: Report) -> None:
    wanted = tables(report)
    assert {p.stem for p in (folder / "tables").iterdir()} == wanted.keys()
    for name, rows in wanted.items():
        with (folder / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            found = list(csv.reader(stream))
        assert len(found) == len(rows) + 1
        assert {len(line) for line in found} == {len(found[0])}


def _check_figures(folder: Path, kinds: set[str]) -> None:
    drawn = {p.name.split("_")[0]: p for p in (folder / "figures").glob("*_*.svg")}
    assert drawn.keys() == kinds
    for path in drawn.values():
        assert ElementTree.parse(path).getroot().get("viewBox")
        with Image.open(path.with_suffix(".png")) as picture:
            assert min(picture.size) > 100


def test_ten_thousand_rejected_are_counted_and_the_first_listed(write: Any) -> None:
    folder = write(SHAPES["10,000 rejected"], "en")
    page, text = ((folder / f"report.{kind}").read_text(encoding="utf-8") for kind in ("html", "md"))
    assert "10,000" in page
    assert "10,000" in text
    assert page.count("frames/0") == 3 * ReportConfig().rejected_rows
    assert len((folder / "tables" / "rejected.csv").read_text().splitlines()) == 1 + 3 * ReportConfig().rejected_rows
    assert len(page.encode()) < 1_000_000


def test_missing_cells_of_the_matrix_are_empty_not_zero(write: Any) -> None:
    folder = write(SHAPES["partial matrix"], "en")
    with (folder / "tables" / "seeds_segmentation.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {r["seed"] for r in rows if r["arm"] == CUT} == {"1"}
    assert {r["seed"] for r in rows if r["arm"] == "source"} == {"0", "1"}
