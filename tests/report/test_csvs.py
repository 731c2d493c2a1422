"""The tables as CSV: every one of them, numbers as in JSON, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tasks.contracts.audit import Acted
from tasks.contracts.finding import Finding
from tasks.contracts.record import Failure
from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.csvs import encode, save_csvs, tables
from tasks.report.model import Report
from tests.report.findings import audit, compared, difference

CUT = "translated(cut)"
ARMS = {
    ("segmentation", arm, seed): score + 0.0123 * seed
    for arm, score in {"real": 0.37123, "source": 0.2, CUT: 0.2345}.items()
    for seed in (0, 1)
}
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
LOSS = {"road": difference(-1.7, -3.3, -0.1, "harms")}


def build(fake: Any, arms: Any = ARMS, language: str = "en", **more: Any) -> Report:
    comparison = compared(arms, {(CUT, "source"): difference(3.4, 1.2, 5.6, "improves")}, {"road": 0.6}, LOSS)
    about = {"comparison": comparison, "parts": {CUT: {"real": 367, CUT: 250}}, **more}
    return build_report(fake(arms, **about).record(), ReportConfig(language=language))  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "tables"


def read(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_table_of_a_full_report_is_written(fake: Any, folder: Path) -> None:
    found = audit(acted=[Acted(id="3", flipped=0.4, action="drop")])
    failures = [Failure(task="detection", arm="real", seed=1, error="killed")]
    both = {**ARMS, **{("detection", arm, seed): score for (_, arm, seed), score in ARMS.items()}}
    names = save_csvs(build(fake, both, audits={"cut": found}, failures=failures), folder)
    assert sorted(names) == sorted(p.name for p in folder.iterdir())
    audits = [
        "checks",
        "judge",
        "flips",
        "destinations",
        "detail",
        "recall",
        "distances",
        "gap",
        "gap_classes",
        "acted",
        "map",
    ]
    assert {n.removesuffix(".csv") for n in names} >= {
        *(f"{kind}_{task}" for kind in ("scores", "seeds") for task in ("segmentation", "detection")),
        *["verdicts", "gates", "broken", "failures", "datasets", "boxes", "rejected", "checks", "translators", "costs"],
        *["arms", "mixtures", "protocol", "curves", "provenance_scores", "provenance_artifacts", "provenance_inputs"],
        *(f"audit_{name}" for name in audits),
    }


def test_scores_are_those_of_the_json(fake: Any, folder: Path) -> None:
    report = build(fake)
    save_csvs(report, folder)
    (table,) = report.to_json()["tables"]
    cells = [(r["arm"], c["name"], x) for r in table["rows"] for c, x in zip(table["columns"], r["cells"], strict=True)]
    rows = read(folder, "scores_segmentation")
    assert list(rows[0])[:9] == [
        "arm",
        "column",
        "is_class",
        "value",
        "low",
        "high",
        "delta",
        "delta_low",
        "delta_high",
    ]
    assert [(r["arm"], r["column"]) for r in rows] == [(arm, name) for arm, name, _ in cells]
    for row, (_, _, cell) in zip(rows, cells, strict=True):
        for name in ("value", "low", "high", "delta", "delta_low", "delta_high"):
            assert row[name] == ("" if cell[name] is None else repr(cell[name])), name
        assert row["outcome"] == (cell["outcome"] or "")
        assert row["best"] == str(cell["best"]).lower()
        assert int(row["seeds"]) == len(cell["seeds"])
    seeds = {(r["arm"], r["column"], r["seed"]): float(r["score"]) for r in read(folder, "seeds_segmentation")}
    assert seeds == {(a, n, s): v for a, n, cell in cells for s, v in cell["seeds"].items()}
    assert seeds[CUT, "mIoU", "1"] == 24.68  # not rounded to what is shown


def test_audits_keep_rates_with_their_ends(fake: Any, folder: Path) -> None:
    save_csvs(build(fake, translators=("cut", "fda"), audits={"cut": audit(), "fda": audit("fda")}), folder)
    rows = read(folder, "audit_flips")
    assert [(r["translator"], r["name"]) for r in rows][::3] == [("cut", "Sky"), ("fda", "Sky")]
    shown = {k: rows[0][k] for k in ("pixels", "rate_value", "rate_low", "rate_high")}
    assert shown == {"pixels": "1204500", "rate_value": "0.31", "rate_low": "0.3", "rate_high": "0.32"}
    assert rows[2]["rate_value"] == ""  # nothing was counted
    assert read(folder, "audit_destinations")[0] == {
        **{"translator": "cut", "name": "Sky", "to": "Building", "share": "0.22"}
    }
    assert read(folder, "audit_recall")[1]["after_low"] == "0.21"
    assert read(folder, "audit_distances")[0]["real_images"] == "250"
    assert len(read(folder, "audit_map")) == 2 * 180


@pytest.mark.parametrize("start", STARTS)
def test_text_never_becomes_a_formula(fake: Any, folder: Path, start: str) -> None:
    evil = f"{start}HYPERLINK(1)"
    flat = evil.strip()  # rejected.csv is the reader's: it keeps no line breaks at the ends
    save_csvs(build(fake, classes={evil: 0.5}, rejected=[(flat, Finding.of("data.other_form", problem=evil))]), folder)
    scores = read(folder, "scores_segmentation")
    assert {r["column"] for r in scores} == {"mIoU", f"'{evil}"}
    for path in folder.iterdir():
        cells = [c for row in csv.reader(io.StringIO(path.read_bytes().decode(), newline="")) for c in row]
        assert not [c for c in cells if c.startswith(STARTS) and not _is_number(c)], path.name


def _is_number(cell: str) -> bool:
    try:
        return cell[0] in "+-" and float(cell) == float(cell)
    except ValueError:
        return False


def test_negative_numbers_stay_numbers(fake: Any, folder: Path) -> None:
    save_csvs(build(fake), folder)
    row = next(r for r in read(folder, "scores_segmentation") if (r["arm"], r["column"]) == (CUT, "road"))
    assert (row["delta"], row["delta_low"], row["delta_high"]) == ("-1.7", "-3.3", "-0.1")


def test_awkward_text_comes_back_whole() -> None:
    rows = [{"a": 'quote " comma , semicolon ;', "b": "two\nlines\r\nthree"}, {"a": "실제", "b": "\udc80"}]
    found = list(csv.DictReader(io.StringIO(encode(rows).decode("utf-8"), newline="")))
    assert found[0] == rows[0]
    assert found[1] == {"a": "실제", "b": "\\udc80"}  # half a character cannot be written


def test_values_have_one_form_each() -> None:
    rows = [{"a": 1e-7, "b": True, "c": None, "d": 12}, {"a": 0.1 + 0.2, "b": False, "c": "x", "d": 0}]
    assert encode(rows).decode() == "a,b,c,d\r\n1e-07,true,,12\r\n0.30000000000000004,false,x,0\r\n"


def test_columns_are_english_and_the_same_in_every_row(fake: Any) -> None:
    korean, english = tables(build(fake, language="ko", audits={"cut": audit()})), tables(build(fake))
    assert english.keys() < korean.keys()
    for name, rows in korean.items():
        assert len({tuple(row) for row in rows}) == 1, name
        assert all(column.isascii() and column.isidentifier() for column in rows[0]), name


def test_empty_tables_are_not_written(fake: Any, folder: Path) -> None:
    report = build_report(fake({}, translators=(), rejected=(), with_boxes=False).record(), ReportConfig())
    names = save_csvs(report, folder)
    assert not {"rejected.csv", "boxes.csv", "verdicts.csv", "arms.csv", "audit_flips.csv"} & {*names}
    assert all(read(folder, n.removesuffix(".csv")) for n in names)


def test_table_that_cannot_be_written_costs_itself(fake: Any, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "costs.csv").mkdir(parents=True)
    names = save_csvs(build(fake), folder)
    assert "costs.csv" not in names
    assert "datasets.csv" in names
    assert "table costs could not be written" in caplog.text
