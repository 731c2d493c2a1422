"""Scores and differences with intervals: the verdict's sentence, and the same figures in every renderer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from tasks.catalogue.formats import points
from tasks.contracts.comparison import MadeWith, Needs, Note
from tasks.contracts.record import RunRecord
from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.fitting import escape
from tasks.report.html import render_html
from tasks.report.markdown import render_markdown
from tasks.report.model import Report
from tasks.report.stage import write_report
from tasks.report.terminal import print_report
from tasks.report.verdict import needed
from tasks.report.words import MARKS, interval, signed
from tests.report.findings import compared, difference

BEST = "translated(cut)"
CLASSES = {"road": 0.6, "sky": 0.8, "pole": 0.03, "tree": 0.3, "train": None}
CHANGES = {
    "road": difference(0.9, -0.8, 2.6, "not decidable", Needs(kind="about", images=900)),
    "sky": difference(4.1, 2.4, 5.8, "improves"),
    "pole": difference(-2.6, -4.3, -0.9, "harms"),
    "tree": difference(0.1, -0.2, 0.4, "no difference"),
}
ARMS = {
    ("segmentation", arm, seed): score + 0.001 * seed
    for arm, score in {"real": 0.347, "source": 0.193, BEST: 0.234}.items()
    for seed in (0, 1, 2)
}
FIRST = {(BEST, "source"): difference(4.1, 2.9, 5.2, "improves"), (BEST, "real"): difference(-11.3, -13, -9.6, "harms")}


@pytest.fixture
def build(fake: Callable[..., Any]) -> Callable[..., Report]:
    def build(arms: Any = ARMS, changes: Any = FIRST, more: Any = None, **about: Any) -> Report:
        comparison = compared(arms, changes, CLASSES, CHANGES, **about)
        return build_report(fake(arms, classes=CLASSES, comparison=comparison, **(more or {})).record(), ReportConfig())

    return build


def told(build: Any, change: Any, after: float = 0.234, **about: Any) -> Any:
    arms = {**ARMS, **{("segmentation", BEST, seed): after + 0.001 * seed for seed in (0, 1, 2)}}
    return build(arms, {(BEST, "source"): change}, **about).verdicts[0]


def test_improves(build: Any) -> None:
    verdict = told(build, difference(4.1, 2.9, 5.2, "improves"))
    assert verdict.sentence == (
        "Translated (cut) improves mIoU by 4.1 points [2.9, 5.2] over the raw simulator images (19.4 → 23.5) "
        "and closes 27 % of the gap to real (34.8)."
    )
    assert (verdict.outcome, verdict.delta, verdict.low, verdict.high) == ("improves", 4.1, 2.9, 5.2)
    assert verdict.gap_closed == pytest.approx(4.1 / 15.4, abs=1e-4)


def test_harms(build: Any) -> None:
    verdict = told(build, difference(-1.2, -2.0, -0.4, "harms"), 0.181)
    assert verdict.sentence == (
        "Translated (cut) harms mIoU: −1.2 points [−2.0, −0.4] against the raw simulator images (19.4 → 18.2) "
        "and widens the gap to real (34.8) from 15.4 to 16.6 points."
    )
    assert verdict.outcome == "harms"
    assert verdict.gap_closed < 0


def test_no_difference(build: Any) -> None:
    verdict = told(build, difference(0.1, -0.3, 0.4, "no difference"), 0.194)
    assert verdict.sentence == (
        "Translated (cut) makes no difference beyond 0.5 points in mIoU: +0.1 points [−0.3, 0.4] against the raw "
        "simulator images (19.4 → 19.5); the gap of 15.4 points to real (34.8) stays."
    )
    assert (verdict.outcome, verdict.gap_closed) == ("no difference", None)


def test_not_decidable(build: Any) -> None:
    verdict = told(build, difference(0.4, -1.0, 1.9, "not decidable", Needs(kind="about", images=700, seeds=12)), 0.197)
    assert verdict.sentence == (
        "Whether translation (cut) changes mIoU is not decidable with this evidence: +0.4 points [−1.0, 1.9] against "
        "the raw simulator images (19.4 → 19.8); it would need about 700 images or 12 seeds."
    )
    assert (verdict.outcome, verdict.gap_closed) == ("not decidable", None)
    assert told(build, difference(0.4, -1.0, 1.9, "not decidable")).sentence.endswith("(19.4 → 23.5).")


def test_unknown_without_a_difference(build: Any) -> None:
    verdict = build(ARMS, {}).verdicts[0]
    assert verdict.sentence.startswith("Translated (cut) raises mIoU by 4.1 points over the raw simulator images")
    assert (verdict.outcome, verdict.low) == ("unknown", None)


def test_record_from_before_comparisons_still_reads(fake: Any) -> None:
    record = fake(ARMS, classes=CLASSES).record()
    old = record.model_dump(mode="json", exclude={"comparison", "audits"})
    for result in old["results"]:
        del result["images"]
    report = build_report(RunRecord.model_validate(old), ReportConfig())
    assert report.problems == ()
    assert report.audits == ()
    assert report.tables[0].margin is None
    assert "In brackets" not in render_html(report, 96) + render_markdown(report)


def test_notes_name_seeds_tests_other_pairs_and_gaps(build: Any) -> None:
    mixed = {("segmentation", f"real+{p}", s): 0.35 + d for p, d in (("source", 0), (BEST, 0.02)) for s in (0, 1, 2)}
    changes = {
        **FIRST,
        (BEST, "source"): difference(4.1, 2.9, 5.2, "improves", sign_flip=0.03125),
        (f"real+{BEST}", "real+source"): difference(2.0, 0.5, 3.4, "improves"),
        (f"real+{BEST}", "real"): difference(2.2, -0.6, 5.1, "not decidable"),
    }
    about = {
        "missing": [("translated(vsait)", 2)],
        "notes": [Note(code="no_sign_flip", values={"least": 6, "level": 0.05})],
    }
    notes = build({**ARMS, **mixed}, changes, **about).verdicts[0].notes
    assert "Difference by seed: +4.1 (seed 0), +4.1 (seed 1), +4.1 (seed 2)." in notes
    assert "Sign-flip test over 3 seeds: p = 0.031." in notes
    assert "Translated (cut) against real −11.3 [−13.0, −9.6] (worse)." in notes
    pair = "against real + simulator +2.0 [0.5, 3.4] (better), against real +2.2 [−0.6, 5.1] (not decidable)."
    assert f"Real + translated (cut) {pair}" in notes
    assert "Missing of the matrix: Translated (vsait) seed 2." in notes
    assert "Sign-flip test: not reported under 6 seeds, where its p-value cannot go under 0.05." in notes


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        (Needs(kind="about", images=2500), "about 2,500 images"),
        (Needs(kind="about", seeds=5), "about 5 seeds"),
        (Needs(kind="about", images=240, seeds=40), "about 240 images or 40 seeds"),
        (Needs(kind="more"), "more images and more seeds"),
        (Needs(kind="least", images=6), "at least 6 images"),
        (Needs(kind="least", images=6, shown=True), "at least 6 images that show the class"),
        (
            Needs(kind="about", images=200, comparisons=10),
            "not after adjusting for 10 comparisons; about 200 images",
        ),
    ],
)
def test_what_would_decide_in_words(needs: Needs, words: str) -> None:
    assert needed(needs) == words


def test_how_far_intervals_go_in_words(build: Any) -> None:
    single = (
        "intervals cover the choice of the benchmark's images, not the chance of training: they compare these models"
    )
    found = [
        Note(code="one_seed"),
        Note(code="one_seed", arms=("source", BEST)),
        Note(code="training_unknown"),
        Note(code="no_common_seed", arms=(BEST, "source")),
        Note(code="few_common_seeds", arms=(BEST, "source"), seeds=(0, 2), values={"declared": 3}),
        Note(code="few_resamples", values={"comparisons": 3, "resamples": 110, "least": 1200}),
        Note(
            code="made_with",
            made=(
                MadeWith(arms=("real", "source"), versions={"device": "cpu", "torch": "2.11.0"}),
                MadeWith(arms=(BEST,), versions={"device": "cuda", "torch": "2.12.0"}),
            ),
        ),
    ]
    notes = build(notes=found).verdicts[0].notes
    assert notes[-len(found) :] == (
        f"1 seed: {single}, not the methods.",
        f"Simulator, translated (cut): 1 seed: {single}, not the methods.",
        "1 seed: the chance of training is not known, and so neither is how many seeds would decide.",
        "Translated (cut) and simulator have no seed in common: they are not compared.",
        "Translated (cut) against simulator: 2 of 3 declared seeds in common (0, 2).",
        "3 comparisons of classes: one alone cannot pass the adjustment with 110 resamples; it could with 1,200 "
        "(evaluate.resamples).",
        "Not all arms were made with the same software, or on the same kind of device: device cpu, torch 2.11.0 (real, "
        "simulator); device cuda, torch 2.12.0 (translated (cut)). A part of their differences can come from that.",
    )


def test_single_seeds_are_told_once(build: Any) -> None:
    arms = {key: score for key, score in ARMS.items() if key[2] == 0}
    about = "1 seed an arm: the interval leaves out the chance of training."
    assert about in build(arms).verdicts[0].notes
    assert about not in build(arms, notes=[Note(code="training_unknown")]).verdicts[0].notes
    assert about in build(arms, notes=[Note(code="one_seed", arms=("real",))]).verdicts[0].notes


def test_only_mixed_arms(build: Any) -> None:
    arms = {("segmentation", arm, 0): s for arm, s in {"real": 0.37, "real+source": 0.38, f"real+{BEST}": 0.4}.items()}
    change = difference(2.0, -0.1, 4.1, "not decidable", Needs(kind="about", images=300))
    verdict = build(arms, {(f"real+{BEST}", "real+source"): change}).verdicts[0]
    assert verdict.sentence == (
        "Whether translation (cut) added to real images changes mIoU is not decidable with this evidence: "
        "+2.0 points [−0.1, 4.1] against real plus raw simulator images (38.0 → 40.0); it would need about 300 images."
    )
    assert "1 seed an arm: the interval leaves out the chance of training." in verdict.notes


def test_partial_matrix_compares_by_common_seeds(build: Any) -> None:
    arms = {k: v for k, v in ARMS.items() if k != ("segmentation", BEST, 2)}
    report = build(arms, {(BEST, "source"): difference(4.1, 2.0, 6.0, "improves")}, missing=[(BEST, 2)])
    verdict = report.verdicts[0]
    assert "(19.4 → 23.4)" in verdict.sentence  # seeds 0 and 1 of both: 19.35 and 23.45
    assert (
        "The two arms were not trained with the same seeds. The difference is over those that both have."
        in verdict.notes
    )
    assert "Missing of the matrix: Translated (cut) seed 2." in verdict.notes
    assert report.tables[0].rows[2].cells[0].delta == 4.1


def test_figures_agree_in_json_html_and_markdown(fake: Any) -> None:
    run = fake(ARMS, classes=CLASSES, comparison=compared(ARMS, FIRST, CLASSES, CHANGES))
    artifact = write_report.fn(ReportConfig(), run.record(), run.store)
    content = json.loads(artifact.file("report.json").read_bytes())
    page, text = (artifact.file(f"report.{kind}").read_text() for kind in ("html", "md"))
    (table,) = content["tables"]
    row = next(r for r in table["rows"] if r["arm"] == BEST)
    html_row = (
        page.split('<section id="segmentation">')[1].split('<th scope="row">Translated (cut)')[1].split("</tr>")[0]
    )
    cells = html_row.split("</td>")[1:]
    scores = text.split("## Segmentation")[1]
    line = next(x for x in scores.splitlines() if x.startswith("| Translated (cut)"))
    for column, cell, shown in zip(table["columns"], row["cells"], cells, strict=False):
        assert points(cell["value"]) in shown
        if cell["value"] is None:
            assert cell["outcome"] is None
            assert "[" not in shown
            continue
        change, ends = signed(cell["delta"]), interval(cell["delta_low"], cell["delta_high"])
        assert interval(cell["low"], cell["high"]) in shown
        assert f'title="{cell["outcome"]}">{MARKS[cell["outcome"]]}</span> {change}<' in shown
        assert ends in shown
        if not column["is_class"]:
            words = f"{points(cell['value'])}** {interval(cell['low'], cell['high'])}"
            assert f"{words} ({MARKS[cell['outcome']]} {change} {ends})" in line
        elif cell["outcome"] in {"improves", "harms"}:
            assert escape(f"{column['name']} {change} {ends}") in text
    assert [c["outcome"] for c in row["cells"]] == [
        *("improves", "not decidable", "improves", "harms", "no difference"),
        None,
    ]
    decided = "Translated (cut). Better: sky +4.1 [2.4, 5.8]; worse: pole −2.6 [−4.3, −0.9]; "
    assert escape(f"{decided}no difference: 1 class; not decidable: 1 class.") in text
    assert "· not decidable" in page
    assert "· not decidable" in text


def test_terminal_shows_intervals_and_marks(fake: Any, tmp_path: Any) -> None:
    run = fake(ARMS, classes=CLASSES, comparison=compared(ARMS, FIRST, CLASSES, CHANGES))
    record = run.record()
    console = Console(width=140, record=True, file=(tmp_path / "out").open("w"))
    print_report(write_report.fn(ReportConfig(), record, run.store), record, console)
    shown = console.export_text()
    assert "[21.5, 25.5]" in shown
    assert "▲ +4.1" in shown
    assert "80.0 ▲" in shown
    assert "= no difference beyond 0.5 points" in shown


def test_mixed_arms_state_their_ratio(fake: Any) -> None:
    arms = {("segmentation", arm, 0): 0.3 for arm in ("real", f"real+{BEST}")}
    parts = {"real": {"real": 367}, f"real+{BEST}": {"real": 367, BEST: 250}}
    report = build_report(fake(arms, parts=parts).record(), ReportConfig())
    assert report.tables[0].rows[1].images == {"real": 367, BEST: 250}
    ratio = "367 real + 250 translated (cut), 59 : 41"
    assert ratio in render_html(report, 96)
    assert f"4 ({ratio})" in render_markdown(report)


@pytest.mark.parametrize("damage", ["{", '{"tasks": [{}]}', None])
def test_unreadable_comparison_costs_the_intervals_alone(fake: Any, damage: str | None) -> None:
    run = fake(ARMS, classes=CLASSES, comparison=compared(ARMS, FIRST))
    record = run.record()
    path = record.comparison.file("comparison.json")
    path.unlink() if damage is None else path.write_text(damage)
    report = build_report(record, ReportConfig())
    assert any("comparison.json could not be read" in p for p in report.problems)
    assert report.verdicts[0].sentence.startswith("Translated (cut) raises mIoU")
    assert str(run.root) not in json.dumps(report.to_json())


@pytest.mark.parametrize(("task", "arms"), [("detection", ["source"]), ("segmentation", ["source", BEST])])
def test_one_arm_and_one_task(build: Any, task: str, arms: list[str]) -> None:
    report = build({(task, arm, 0): 0.2 for arm in arms}, FIRST)
    assert [t.task for t in report.tables] == [task]
    assert report.tables[0].rows[0].cells[0].low == pytest.approx(18.0)
    assert "[18.0, 22.0]" in render_html(report, 96)
    assert ("No translated arm" in report.verdicts[0].sentence) == (len(arms) == 1)


def test_rerun_with_another_baseline_leaves_out_its_intervals(fake: Any) -> None:
    record = fake(ARMS, classes=CLASSES, comparison=compared(ARMS, FIRST, CLASSES, CHANGES)).record()
    report = build_report(record, ReportConfig(baseline="real", oracle="source"))
    cell = report.tables[0].row(BEST).cells[0]  # type: ignore[union-attr]
    assert (cell.outcome, cell.delta) == ("harms", -11.3)
    assert report.tables[0].row("source").cells[0].outcome is None  # type: ignore[union-attr]
