"""The same numbers in HTML, Markdown, CSV, figures and JSON, in every language."""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import pytest

from tasks.catalogue.formats import ABSENT, percent, points
from tasks.catalogue.language import Language, speaking
from tasks.contracts.finding import Finding
from tasks.report.config import ReportConfig
from tasks.report.glance_rows import printed, printed_interval
from tasks.report.model import Report
from tasks.report.score_table import Cell
from tasks.report.stage import write_report
from tasks.report.words import change, duration, interval, rate_words, signed
from tests.report.findings import audit, compared, difference

CUT, MIXED = "translated(cut)", "real+translated(cut)"
CLASSES = {"road": 0.612, "sky": 0.8049, "train": None, "car": 0.3, "pedestrian": 0.1}
SCORES = {"real": 0.34712, "source": 0.19349, CUT: 0.23451, MIXED: 0.35555}
ARMS = {
    (task, arm, seed): score + 0.00131 * seed - (0.05 if task == "detection" else 0)
    for task in ("segmentation", "detection")
    for arm, score in SCORES.items()
    for seed in (0, 1, 2)
}
PAIRS = {
    (CUT, "source"): difference(4.149, 2.851, 5.25, "improves"),
    ("real", "source"): difference(15.4, 13.04, 17.06, "improves"),
    (MIXED, "source"): difference(-0.04, -0.31, 0.26, "no difference"),
}
CHANGES = {
    "road": difference(0.9, -0.8, 2.6, "not decidable"),
    "sky": difference(4.1, 2.4, 5.8, "improves"),
    "car": difference(-2.6, -4.3, -0.9, "harms"),
}
NUMBER = re.compile(r"[+−]?\d[\d,]*(?:\.\d+)?")


@dataclass
class Table:
    """A table of the page: attributes, and the texts of its cells."""

    section: str
    attributes: dict[str, str | None]
    rows: list[list[str]] = field(default_factory=list)


class Page(HTMLParser):
    """Collects the tables of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[Table] = []
        self.section, self.inside = "", False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self.section = dict(attrs).get("id") or ""
        elif tag == "table":
            self.tables.append(Table(self.section, dict(attrs)))
        elif tag == "tr":
            self.tables[-1].rows.append([])
        elif tag in ("td", "th"):
            self.tables[-1].rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.inside:
            cells = self.tables[-1].rows[-1]
            cells[-1] = f"{cells[-1]} {data.strip()}".strip()

    def of(self, section: str, **attributes: str) -> list[Table]:
        return [t for t in self.tables if t.section == section and attributes.items() <= t.attributes.items()]


class Files:
    """What a report was written as."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.content: dict[str, Any] = json.loads((folder / "report.json").read_bytes())
        self.report = Report.read(folder)
        self.html = (folder / "report.html").read_text(encoding="utf-8")
        self.page = Page(self.html)
        self.markdown = re.sub(r"\\([\\`*_\[\]|#~])", r"\1", (folder / "report.md").read_text(encoding="utf-8"))

    def csv(self, name: str) -> list[dict[str, str]]:
        with (self.folder / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def figure(self, name: str) -> list[str]:
        root = ElementTree.parse(self.folder / "figures" / f"{name}.svg").getroot()
        return ["".join(e.itertext()) for e in root.iter() if e.tag.endswith(("text", "title"))]

    def markdown_rows(self, number: int) -> list[list[str]]:
        """The rows of a table in Markdown; that of the translators at a glance is the first, and not a task's."""
        number += self.report.glance is not None
        tables = re.findall(r"(?m)(?:^\|.*\n)+", self.markdown)
        return [[c.strip() for c in line.split("|")[1:-1]] for line in tables[number].splitlines()]


@pytest.fixture(scope="module", params=get_args(Language))
def files(fake_of_module: Any, request: pytest.FixtureRequest) -> Iterable[Files]:
    run = fake_of_module(
        ARMS,
        classes={n: v for n, v in CLASSES.items() if n in ("road", "sky", "train")},
        comparison=compared(ARMS, PAIRS, CLASSES, CHANGES),
        audits={"cut": audit()},
        rejected=[(f"{i}.png", Finding.of("data.unknown_format")) for i in range(1234)],
    )
    artifact = write_report.fn(ReportConfig(language=request.param, sample_rows=1), run.record(), run.store)
    with speaking(request.param):
        yield Files(artifact.path)


def numbers(text: str) -> list[str]:
    return NUMBER.findall(text)


def expected(cell: Cell) -> list[str]:
    """Every number of a cell as it is printed."""
    told = f"{points(cell.value)} {interval(cell.low, cell.high)}"
    return numbers(f"{told} {change(cell.delta, cell.delta_low, cell.delta_high)}")


def test_translators_at_a_glance(files: Files) -> None:
    assert files.report.glance is not None
    (shown,) = files.page.of("glance")
    written = files.markdown_rows(-1)
    rows = {(r["name"], r["measure"]): r for r in files.csv("glance")}
    assert len(shown.rows) == len(written) - 1 == len(files.report.glance.rows) + 1
    for row, page_row, line in zip(files.report.glance.rows, shown.rows[1:], written[2:], strict=True):
        for cell, on_page, in_text in zip(row.cells, page_row[1:], line[1:], strict=True):
            of = rows[row.name, cell.measure]
            if cell.value is None:
                assert on_page == in_text == of["missing"] == cell.missing
                continue
            assert float(of["value"]) == cell.value
            known = numbers(f"{printed(cell)} {printed_interval(cell)}")
            assert numbers(on_page)[: len(known)] == numbers(in_text) == known


def test_scores_intervals_and_differences(files: Files) -> None:
    compared_cells = 0
    for number, table in enumerate(files.report.tables):
        (shown,) = files.page.of(table.task, **{"data-task": table.task})
        written = files.markdown_rows(number)
        rows = {(r["arm"], r["column"]): r for r in files.csv(f"scores_{table.task}")}
        assert len(shown.rows) == len(written) - 1 == len(table.rows) + 1
        for row, page_row, line in zip(table.rows, shown.rows[1:], written[2:], strict=True):
            assert page_row[0].startswith(row.label)
            assert line[0].startswith(row.label)
            assert numbers(page_row[1]) == numbers(line[1]) == [f"{row.train_images:,}"]
            for column, cell, on_page, in_text in zip(table.columns, row.cells, page_row[2:], line[2:], strict=True):
                assert numbers(on_page) == expected(cell), (row.arm, column.name)
                value = numbers(points(cell.value))
                assert numbers(in_text) == (value if column.is_class else expected(cell))
                if cell.value is None:
                    assert on_page == in_text == ABSENT
                record = rows[row.arm, column.name]
                for name in ("value", "low", "high", "delta", "delta_low", "delta_high"):
                    number_of = getattr(cell, name)
                    assert record[name] == ("" if number_of is None else repr(number_of))
                compared_cells += 1
    assert compared_cells == 4 * 4 + 4 * 4


def test_cells_are_those_of_the_json(files: Files) -> None:
    assert files.report.to_json() == files.content
    first = files.content["tables"][0]["rows"][2]["cells"][0]
    assert (first["value"], first["delta"], first["delta_high"]) == (23.582, 4.149, 5.25)


def test_decided_classes_and_verdicts(files: Files) -> None:
    for table in files.report.tables:
        for row in table.rows:
            for column, cell in zip(table.columns, row.cells, strict=True):
                if column.is_class and cell.outcome in ("improves", "harms") and row.role != "oracle":
                    told = f"{column.name} {change(cell.delta, cell.delta_low, cell.delta_high)}"
                    assert told in files.markdown
    rows = files.csv("verdicts")
    for verdict, record in zip(files.report.verdicts, rows, strict=True):
        assert verdict.sentence in html.unescape(files.html)
        assert verdict.sentence in html.unescape(files.markdown)
        assert record["sentence"] == verdict.sentence
        assert (float(record["delta"]), float(record["low"])) == (verdict.delta, verdict.low)
        assert numbers(change(verdict.delta, verdict.low, verdict.high))[1:] == ["2.9", "5.2"]
        assert f">{signed(verdict.delta)}<" in files.html


def test_figures(files: Files) -> None:
    for table in files.report.tables:
        forest, bars = (files.figure(f"{kind}_{table.task}") for kind in ("differences", "scores"))
        for row in table.rows:
            cell = row.cells[0]
            assert f"{points(cell.value)} {interval(cell.low, cell.high)}" in bars
            if cell.delta is not None:
                told = change(cell.delta, cell.delta_low, cell.delta_high)
                assert [text for text in forest if text.endswith(told)]
        by_class = [t for kind in ("classes", "classes-real") for t in files.figure(f"{kind}_{table.task}")]
        for row in table.rows:
            for column, cell in zip(table.columns, row.cells, strict=True):
                if column.is_class and cell.delta is not None:
                    told = change(cell.delta, cell.delta_low, cell.delta_high)
                    assert [t for t in by_class if t.startswith(f"{column.name}, {row.label}: {told}")]


def test_what_became_of_all_images(files: Files) -> None:
    for row, told in zip(files.report.datasets, files.csv("datasets"), strict=True):
        assert row.counts is not None
        images = row.counts.images
        numbers = f"{images.found:,} {images.read:,} {images.rejected:,} 7"
        for text in (files.markdown, html.unescape(files.html)):
            sums = re.findall(r"(?:images:|이미지:)([^;<\n]*=[^;<\n]*)", text)
            assert numbers in {" ".join(re.findall(r"[\d,]+", told)) for told in sums}
        names = ("found", "read", "rejected", "out")
        assert [told[f"images_{name}"] for name in names] == [str(getattr(images, name)) for name in names]


def test_costs(files: Files) -> None:
    costs, rows = files.report.costs, files.csv("costs")
    assert [float(r["seconds"]) for r in rows] == [c.seconds for c in costs]
    assert [r["stage"] for r in rows] == [str(c.stage) for c in costs]
    (detailed,) = [t for t in files.page.of("cost") if len(t.rows) == len(costs) + 1]
    for cost, shown in zip(costs, detailed.rows[1:], strict=True):
        assert shown[1] == duration(cost.seconds)
        assert numbers(shown[2]) == ([] if cost.images_per_second is None else [f"{cost.images_per_second:.1f}"])
    total = duration(files.report.total_seconds)
    assert total in files.html
    assert total in files.markdown
    assert len(costs) > 20


def test_data_sets(files: Files) -> None:
    shown = files.page.of("data")[0].rows[1:]
    rows, boxes = files.csv("datasets"), {(r["role"], r["name"]): r["boxes"] for r in files.csv("boxes")}
    for dataset, on_page, record in zip(files.report.datasets, shown, rows, strict=True):
        assert on_page[3:5] == [f"{dataset.images:,}", f"{dataset.rejected:,}"] == ["4", "1,234"]
        assert (record["images"], record["rejected"]) == ("4", "1234")
        assert re.search(rf"{re.escape(dataset.dataset)}[^;]* 1,234[^;]* 4\D", files.markdown)
        for name, number in dataset.boxes.items():
            assert f"{name} {number:,}" in on_page[5]
            assert boxes[dataset.role, name] == str(number)


def test_audits(files: Files) -> None:
    (part,) = files.report.audits
    assert part.audit.flips is not None
    rows = {r["name"]: r for r in files.csv("audit_flips")}
    drawn = files.figure("flips_cut")
    cells = [cell for t in files.page.of("audit") for row in t.rows for cell in row]
    for found in part.audit.flips.classes:
        record = rows[found.name]
        assert record["rate_value"] == ("" if found.rate.value is None else repr(found.rate.value))
        if found.rate.value is not None:
            assert rate_words(found.rate) in cells
            assert rate_words(found.rate) in drawn
            name, share = next(iter(found.to.items()))
            assert f"{found.name} → {name} {percent(share)}" in drawn
    for check, record in zip(part.audit.checks, files.csv("audit_checks"), strict=True):
        assert (float(record["measured"]), float(record["threshold"])) == (check.measured, check.threshold)


def test_gates_and_what_broke(files: Files) -> None:
    assert [(g.name, str(g.passed), str(g.checks)) for g in files.report.gates] == [
        (r["name"], r["passed"], r["checks"]) for r in files.csv("gates")
    ]
    rows = files.csv("broken")
    assert [(r["subject"], float(r["measured"])) for r in rows] == [
        (b.subject, b.measured) for b in files.report.broken
    ]
    assert len(rows) >= 2
    for found in files.report.broken[:6]:
        assert found.sentence in html.unescape(files.html)
        assert found.sentence in html.unescape(files.markdown)
