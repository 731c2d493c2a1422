"""The audit's section: its sentence, its tables, the map, and what is missing where no judge could be trained."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from rich.console import Console

from tasks.contracts.audit import Acted, Audit
from tasks.contracts.finding import Finding
from tasks.report.audits import acted, summary
from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.html import render_html
from tasks.report.markdown import render_markdown
from tasks.report.model import Report
from tasks.report.stage import write_report
from tasks.report.terminal import print_report
from tests.report.findings import audit

ARMS = {("segmentation", "source", 0): 0.2, ("segmentation", "translated(cut)", 0): 0.25}
SUMMARY = (
    "Flips 6.1 % [5.2, 7.0] of the pixels that the frozen segmenter (mIoU 34.8 on the benchmark) read rightly; detail "
    "kept: gradients 91.2 %, edges 64.0 %, the high band 43.0 %; recall of the frozen detector 62.0 % → 58.0 %; "
    "distance to real, FD_seg, 812 → 403 (floor 51.3); RGB gap: colour 31.2 → 12.5, spectrum 4.21 → 2.87 dB; "
    "semantic gap, which no translation closes: class frequencies 0.113, class places 0.139."
)
NO_JUDGE = (
    "Flips were not measured; detail kept: gradients 91.2 %, edges 64.0 %, the high band 43.0 %; distance to real, "
    "FD_seg, 812 → 403 (floor 51.3)."
)


def page_of(run: Any) -> tuple[Report, str, str]:
    report = build_report(run.record(), ReportConfig())
    return report, render_html(report, 96), render_markdown(report)


def section(page: str) -> str:
    return page.split('<section id="audit">')[1].split("</section>")[0]


def test_summary_says_what_was_measured() -> None:
    assert summary(audit()) == SUMMARY
    assert summary(audit(judged=False)) == NO_JUDGE
    empty = audit(judged=False).model_copy(update={"detail": (), "distances": ()})
    assert summary(empty) == "Flips were not measured."


def test_figures_agree(fake: Any) -> None:
    report, page, text = page_of(fake(ARMS, audits={"cut": audit()}))
    assert report.to_json()["audits"][0]["summary"] == SUMMARY
    shown = section(page)
    assert SUMMARY in shown
    assert SUMMARY.replace("[", "\\[").replace("]", "\\]").replace("_", "\\_") in text
    assert "1 of 3 checks passed." in shown
    assert "1 of 3 checks passed." in text
    rows = [re.sub(r"<[^>]+>|\s+", " ", r) for r in re.findall(r"<tr>(.*?)</tr>", shown, re.DOTALL)]
    found = [" ".join(r.split()) for r in rows]
    assert "Sky 31.0 % [30.0, 32.0] Building 22.0 %, Pole 9.0 % 1,204,500" in found
    assert "image 91.2 % [90.2, 92.2] 64.0 % [63.0, 65.0] 43.0 % [42.0, 44.0] 250" in found
    assert "Pole 81.0 % [80.0, 82.0] 52.0 % [51.0, 53.0] - 120" in found
    assert "small 31.0 % [30.0, 32.0] 22.0 % [21.0, 23.0] 200" in found
    assert not any(r.startswith(("Train", "large")) for r in found)
    assert "KD_seg 0.0412 0.0117 - 250 250" in found
    assert "Building 25.0 % 23.0 % 0.0912 14.8 24.0" in found
    assert "88.4 % of real pixels (mIoU 34.8), 61.1 % of the simulator" in shown


def test_failed_checks_are_ranked_and_passed_ones_not_listed(fake: Any) -> None:
    _, page, text = page_of(fake(ARMS, audits={"cut": audit()}))
    shown = section(page)
    assert shown.index("31.0 % of Sky is read") < shown.index("The colour of Building is 24.0 (CIELAB)")
    assert "at most 10.0 %" in shown
    assert "1.62 ×" in shown
    assert "frame_0007, and 4 more" in shown
    assert "The median image" not in shown + text
    assert "* warning, flips, Sky → Building (31.0 %, at most 10.0 %): 31.0 % of Sky" in text
    assert "Recall of the frozen" not in text  # the tables are the page's


def test_notes_of_an_audit_are_said_in_the_language_of_the_report(fake: Any) -> None:
    few = Finding.of("audits.note_features", why=Finding.of("audits.features_few"))
    noted = audit(judged=False).model_copy(update={"notes": (Finding.of("audits.note_nothing"), few)})
    record = fake(ARMS, audits={"cut": noted}).record()
    english = section(render_html(build_report(record, ReportConfig()), 96))
    assert "The judge reads nothing in the source rightly, so that there is nothing to flip." in english
    assert "were left out: the segmenter has read less than two images of a set." in html.unescape(english)
    korean = section(render_html(build_report(record, ReportConfig(language="ko")), 96))
    assert "판정 모델이 소스에서 맞게 읽는 것이 없어 뒤바뀔 것도 없습니다." in korean
    assert "지도 제외: 세그멘테이션 모델이 읽은 이미지가 두 장 미만인 데이터셋이 있습니다." in korean


def test_no_judge_leaves_out_its_parts(fake: Any) -> None:
    _, page, _ = page_of(fake(ARMS, audits={"cut": audit(judged=False, checks=())}))
    shown = section(page)
    assert "Flips by class" not in shown
    assert "Recall of the" not in shown
    assert "<svg" not in shown
    assert "Flips were not measured: no segmenter was trained on the real set" in shown
    assert "checks passed" not in shown


def test_what_was_done_with_images_is_counted() -> None:
    dropped = [Acted(id=f"d{i}", flipped=0.4, action="drop") for i in range(10)]
    kept = [Acted(id="k", flipped=0.31, action="keep_source")]
    told = acted(audit(acted=[*dropped, *kept]))
    assert told.startswith("10 of 250 images left out of the training: d0 (40.0 % flipped), ")
    assert "d7 (40.0 % flipped), and 2 more. 1 of 250 images replaced by the source's: k (31.0 % flipped)." in told
    assert acted(audit()) == ""


def test_names_are_escaped(fake: Any) -> None:
    evil = "<script>x</script>|y"
    found = audit(evil, (evil, "<b>wall</b>", "<i>pole</i>"), acted=[Acted(id=evil, flipped=0.4, action="drop")])
    noted = Finding.of("audits.note_features", why=evil)
    run = fake(ARMS, audits={"cut": found.model_copy(update={"notes": (noted,)})})
    _, page, text = page_of(run)
    for tag in ("<script>x", "<b>wall", "<i>pole"):
        assert tag not in page + text
    assert "&lt;b&gt;wall" in section(page)


@pytest.mark.parametrize("damage", ["{", "{}", None])
def test_unreadable_audit_is_a_problem(fake: Any, damage: str | None) -> None:
    run = fake(ARMS, translators=("cut", "vsait"), audits={"cut": audit(), "vsait": audit("vsait")})
    record = run.record()
    path = record.audits["cut"].file("audit.json")
    path.unlink() if damage is None else path.write_text(damage)
    report = build_report(record, ReportConfig())
    assert [a.name for a in report.audits] == ["vsait"]
    assert any("audit.json could not be read" in p for p in report.problems)
    assert "audit.json" in render_html(report, 96)


def test_report_reads_back_and_terminal_tells(fake: Any, tmp_path: Any) -> None:
    run = fake(ARMS, audits={"cut": audit(acted=[Acted(id="[red]7", flipped=0.4, action="drop")])})
    record = run.record()
    artifact = write_report.fn(ReportConfig(), record, run.store)
    report = Report.read(artifact.path)
    assert report.to_json() == json.loads(artifact.file("report.json").read_bytes())
    assert isinstance(report.audits[0].audit, Audit)
    assert artifact.file("report.html").stat().st_size < 200_000
    console = Console(width=500, record=True, file=(tmp_path / "out").open("w"))
    print_report(artifact, record, console)
    shown = console.export_text()
    assert f"Translated (cut): {SUMMARY}" in shown
    assert "warning: 31.0 % of Sky" in shown
    assert "[red]7 (40.0 % flipped)" in shown
    assert "audit cut" in shown
