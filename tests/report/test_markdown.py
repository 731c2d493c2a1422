"""Markdown that fits a comment on a pull request, whatever a run leaves behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tasks.contracts.arm import Arm
from tasks.contracts.check import Check
from tasks.contracts.finding import Finding
from tasks.contracts.record import Failure
from tasks.contracts.stage import Stage
from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.fitting import Rank, TextBlock, fit, listing
from tasks.report.markdown import ROOM, render_markdown
from tasks.report.model import Broken, Cost, Gate, Report
from tests.report.findings import audit, compared, difference

ARMS = {("segmentation", arm, 0): score for arm, score in {"real": 0.3, "source": 0.2, "translated(cut)": 0.25}.items()}


@pytest.fixture
def report(fake: Callable[..., Any]) -> Report:
    return build_report(fake(ARMS, audits={"cut": audit()}).record(), ReportConfig())


def check(message: str) -> Check:
    about = {"name": "class_rare", "roles": ("source", "benchmark"), "severity": "warning", "passed": False}
    finding = Finding.of("checks.item", name=message)
    return Check.model_validate({**about, "measured": 2, "threshold": 5, "finding": finding})


def broken(sentence: str) -> Broken:
    return Broken(kind="flips", translator="cut", subject="x", measured=1, unit="share", sentence=sentence)


def test_gates_and_what_broke_stand_below_the_verdicts(report: Report) -> None:
    gates = (
        Gate(name="data", outcome="passed", passed=14, checks=14),
        Gate(name="cut", outcome="warned", passed=11, checks=14, acted=3),
    )
    shown = report.model_copy(update={"gates": gates, "broken": tuple(broken(f"Class {i} is lost.") for i in range(9))})
    text = render_markdown(shown)
    line = (
        "**Gates** data sets: passed, 14 of 14 checks; cut: passed with warnings, 11 of 14 checks, 3 images left out "
        "or replaced."
    )
    assert line in text
    assert "**What it broke:**\n\n* Class 0 is lost.\n" in text
    assert "* Class 5 is lost.\n* and 3 more, in report.html" in text
    assert "Class 6" not in text
    assert text.index("> **Segmentation.**") < text.index("**Gates**") < text.index("**What it") < text.index("\n## ")
    bare = render_markdown(report.model_copy(update={"gates": (), "broken": ()}))
    assert "**Gates**" not in bare
    assert "**What it broke" not in bare


def test_cost_names_the_stage_that_held_most_memory(report: Report) -> None:
    def cost(stage: Stage, memory: int | None, gpu: int | None = None) -> Cost:
        about = {"peak_memory": memory, "peak_gpu_memory": gpu, "kind": "a", "artifact": "a/b"}
        return Cost(stage=stage, seconds=1, images_per_second=None, **about)

    costs = (
        cost(Stage(kind="train", translator="cut"), 1_240_000_000),
        cost(Stage(kind="translate", translator="cut"), 900_000_000),
        cost(Stage(kind="compare"), None),
    )
    text = render_markdown(report.model_copy(update={"costs": costs}))
    assert "Most memory of a process: 1.2 GB (train translator cut)." in text
    assert "GPU" not in text
    costs = (
        *costs,
        cost(Stage(kind="retrain", task="segmentation", arm=Arm.translated("cut"), seed=0), 5, 3_000_000_000),
    )
    assert "Most GPU memory: 3.0 GB (retrain segmentation, translated (cut), seed 0)." in render_markdown(
        report.model_copy(update={"costs": costs})
    )


def test_a_large_run_fits_and_says_what_is_left_out(fake: Any) -> None:
    names = [f"translator-with-a-long-name-{i}" for i in range(10)]
    classes = {f"class number {i}": 0.3 for i in range(19)}
    arms = {(task, arm, s): 0.3 for task in ("segmentation", "detection") for arm in _arms(names) for s in (0, 1)}
    changes = {(f"translated({n})", "source"): difference(1, 0.5, 2, "improves") for n in names}
    comparison = compared(arms, changes, classes, dict.fromkeys(classes, difference(-3, -4, -2, "harms")))
    failed = [c for c in audit().checks if not c.passed] * 60
    audits = {n: audit(n, checks=failed) for n in names}
    failures = [Failure(task="detection", arm="real", seed=i, error="x" * 5000) for i in range(300)]
    more = {"classes": classes, "comparison": comparison, "audits": audits, "failures": failures}
    record = fake(
        arms,
        translators=names,
        rejected=[(f"f{i}.png", Finding.of("data.not_decodable", problem="y" * 300)) for i in range(10_000)],
        **more,
    ).record()
    built = build_report(record, ReportConfig())
    large = built.model_copy(update={"checks": tuple(check(f"{i}: " + "& " * 200) for i in range(400))})
    text = render_markdown(large)
    assert 30_000 < len(text) <= ROOM
    assert "and 280 more, in report.html" in text  # failures
    assert text.count("* warning, source / benchmark, class") < 400
    assert re.search(r"\* and \d+ more, in report.html", text.split("**Checks of the data sets**")[1])
    assert all(f"Translated ({n}" in text for n in names)
    assert "class number 18" in text.split("## Segmentation")[1]
    assert "10,000" in text
    assert "is in report.html." in text.splitlines()[-1]  # nothing is cut off


def _arms(names: list[str]) -> list[str]:
    return ["real", "source", *(f"{mix}translated({n})" for n in names for mix in ("", "real+"))]


def test_long_names_and_texts_are_cut(fake: Any) -> None:
    evil = "<|*" * 30_000
    arms = {("segmentation", "source", 0): 0.2, ("segmentation", f"translated({evil})", 0): 0.3}
    more = {"classes": {evil: 0.5, **{f"{i}{evil}": 0.1 for i in range(300)}}, "translators": ()}
    built = build_report(fake(arms, **more).record(), ReportConfig(title=evil))
    text = render_markdown(built)
    assert len(text) <= ROOM
    assert "Scores of 301 classes are in report.html." in text
    assert "| 20.0 |" in text
    assert "**Code**" in text  # nothing is cut off


def test_many_arms_are_shortened_at_last(fake: Any, report: Report) -> None:
    table = report.tables[0]
    row = table.rows[2].model_copy(update={"label": "&" * 80})
    many = table.model_copy(update={"rows": (*table.rows, *[row] * 500)})
    text = render_markdown(report.model_copy(update={"tables": (many,)}))
    assert len(text) <= ROOM
    assert "Scores of 3 classes are in report.html. Scores of 473 more arms are in report.html." in text


def test_the_least_important_list_is_shortened_first() -> None:
    head = TextBlock(("head",))
    low, high = (listing(rank.name, ["x" * 98] * 10, rank, 10) for rank in (Rank.CHECKS, Rank.FAILURES))
    text = fit([head, high, low], 1700)
    assert text.split("CHECKS")[0].count("x" * 98) == 10
    assert text.split("CHECKS")[1].count("x" * 98) == 5
    assert text.endswith("* and 5 more, in report.html\n")
    assert fit([head, high, low], 10_000).count("x" * 98) == 20


def test_where_the_least_is_too_much_it_says_that_it_ends() -> None:
    text = fit([TextBlock(("\n".join(["a line"] * 100),))], 200)
    assert len(text) <= 200
    assert text.endswith("a line\n\n**This is not all:** the rest did not fit here, and is in report.html.\n")
