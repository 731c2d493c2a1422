"""The written report: the same figures everywhere, whole on partial runs, safe and self-contained."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from prefect.context import FlowRunContext
from rich.console import Console

from tasks.catalogue.formats import points
from tasks.contracts.artifact import Artifact
from tasks.contracts.finding import Finding
from tasks.contracts.record import Failure, RunRecord
from tasks.report import stage
from tasks.report.config import ReportConfig
from tasks.report.html import render_html
from tasks.report.markdown import render_markdown
from tasks.report.model import Report
from tasks.report.stage import write_report
from tasks.report.terminal import print_report
from tasks.store.store import Store

SCORES = {"real": 0.371, "source": 0.193, "translated(cut)": 0.228}
FULL = {(task, arm, 0): score for task in ("segmentation", "detection") for arm, score in SCORES.items()}


class Tables(HTMLParser):
    """Collects the text of every table's cells and the value of every src, href and url()."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.inside = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [v or "" for k, v in attributes if k in {"src", "href", "srcset", "data", "action"}]
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"} and self.rows:
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += f" {data.strip()}"


def parse(page: str) -> Tables:
    tables = Tables()
    tables.feed(page)
    return tables


@pytest.fixture
def write(fake: Callable[..., Any]) -> Callable[..., tuple[Artifact, RunRecord]]:
    def write(arms: Any, config: ReportConfig | None = None, **more: Any) -> tuple[Artifact, RunRecord]:
        run = fake(arms, **more)
        record = run.record()
        return write_report.fn(config or ReportConfig(), record, run.store), record

    return write


def read(artifact: Artifact) -> tuple[dict[str, Any], str, str]:
    content = json.loads(artifact.file("report.json").read_bytes())
    return content, artifact.file("report.md").read_text(), artifact.file("report.html").read_text()


def test_figures_agree(write: Any) -> None:
    content, markdown, page = read(write(FULL)[0])
    assert content["schema"] == 4
    for table in content["tables"]:
        section = page.split(f'<section id="{table["task"]}">')[1].split("</section>")[0]
        html_rows = {r[0].split()[0]: [c.split()[0] for c in r] for r in parse(section).rows}
        block = markdown.split(f"## {table['task'].capitalize()}")[1].split("\n## ")[0]
        for row in table["rows"]:
            values = [points(c["value"]) for c in row["cells"]]
            assert html_rows[row["label"].split()[0]][2:] == values
            line = next(x for x in block.splitlines() if x.startswith(f"| {row['label']}"))
            assert [re.sub(r"[*]| \(.*\)", "", c.strip()) for c in line.split("|")[3:-1]] == values
    for verdict in content["verdicts"]:
        assert verdict["sentence"] in page
        assert verdict["sentence"] in markdown


def test_table_content(write: Any) -> None:
    content, markdown, _ = read(write(FULL)[0])
    segmentation = content["tables"][0]
    assert [c["name"] for c in segmentation["columns"]] == ["mIoU", "road", "sky", "train"]
    translated = segmentation["rows"][2]
    known = {k: v for k, v in translated["cells"][0].items() if v is not None}
    assert known == {"value": 22.8, "seeds": {"0": 22.8}, "delta": 3.5, "best": True}
    assert segmentation["rows"][0]["cells"][0]["best"] is False  # real: nothing of its kind to beat
    assert translated["cells"][3]["value"] is None
    assert any("train not in the benchmark" in n for n in segmentation["notes"])
    facts = {f["name"]: f["value"] for f in segmentation["protocol"]}
    assert facts["network"] == "fpn_r18"
    assert facts["input"] == "240×180 px"
    assert facts["initial weights"] == "random"
    assert facts["benchmark"] == "bench, 4 images"
    assert "| Translated (cut) | 4 | **22.8** (+3.5) |" in markdown
    assert [c["name"] for c in content["tables"][1]["columns"]] == ["mAP", "AP50", "car", "pedestrian"]


def test_unequal_protocol_is_flagged(fake: Any) -> None:
    run = fake({("segmentation", "real", 0): 0.3, ("segmentation", "real", 1): 0.3, ("segmentation", "source", 0): 0.2})
    report = Report.read(write_report.fn(ReportConfig(), run.record(), run.store).path)
    seeds = next(f for f in report.tables[0].protocol if f.name == "seeds")
    assert seeds.differs
    assert seeds.value == "0, 1 (Real); 0 (Simulator)"


def test_where_a_training_was_resumed_is_told(fake: Any) -> None:
    run = fake({("segmentation", "real", 0): 0.3, ("segmentation", "source", 0): 0.2})
    record = run.record()
    told = [f.name for f in Report.read(write_report.fn(ReportConfig(), record, run.store).path).tables[0].protocol]
    assert "resumed after a crash at iteration" not in told
    real = next(r for r in record.results if r.arm == "real").model
    card = json.loads(real.file("card.json").read_text()) | {"resumed_at": [200]}
    real.file("card.json").write_text(json.dumps(card))
    report = Report.read(write_report.fn(ReportConfig(title="Again"), record, run.store).path)
    fact = next(f for f in report.tables[0].protocol if f.name == "resumed after a crash at iteration")
    assert (fact.value, fact.differs) == ("200 (Real); never (Simulator)", True)


def test_class_weights_are_told_by_name(fake: Any) -> None:
    run = fake({("segmentation", "real", 0): 0.3, ("segmentation", "source", 0): 0.2})
    record = run.record()
    for arm in record.results:
        path = arm.model.file("card.json")
        path.write_text(json.dumps(json.loads(path.read_text()) | {"class_weights": [0.5, 2, 1.25]}))
    report = Report.read(write_report.fn(ReportConfig(), record, run.store).path)
    fact = next(f for f in report.tables[0].protocol if f.name == "class weights in the loss")
    assert (fact.value, fact.differs) == ("road 0.50, sky 2.00, train 1.25", False)


@pytest.mark.parametrize("task", ["segmentation", "detection"])
def test_partial_run(write: Any, task: str) -> None:
    content, markdown, page = read(write({(task, "source", 0): 0.2}, translators=(), with_boxes=False)[0])
    assert [t["task"] for t in content["tables"]] == [task]
    assert task.capitalize() in markdown
    assert f'id="{task}"' in page
    assert content["problems"] == []


def test_nothing_finished(write: Any) -> None:
    content, markdown, page = read(write({}, images=0, rejected=())[0])
    assert content["tables"] == []
    assert "Nothing was trained or scored" in markdown
    assert "Nothing was trained or scored" in page


def test_failures_are_shown(write: Any) -> None:
    error = "Traceback (most recent call last):\n  File x\nProcessError: killed after 212 iterations"
    failures = [Failure(task="detection", arm="real", seed=3, error=error)]
    _, markdown, page = read(write({("segmentation", "source", 0): 0.2}, failures=failures)[0])
    assert "detection, Real, seed 3: ProcessError: killed after 212 iterations" in markdown
    assert "Traceback" not in markdown
    assert "Traceback" in page
    assert page.index("1 model failed") < page.index('id="segmentation"')


def test_names_are_escaped(write: Any) -> None:
    evil = "<script>alert(1)</script>|x"
    arms = {("segmentation", "source", 0): 0.2, ("segmentation", f"translated({evil})", 0): 0.3}
    failures = [Failure(task="segmentation", arm=f"translated({evil})", seed=0, error=evil)]
    more = {
        "classes": {evil: 0.5},
        "rejected": [(evil, Finding.of("data.other_form", problem=evil))],
        "translators": (),
        "failures": failures,
    }
    _, markdown, page = read(write(arms, **more)[0])
    assert parse(page).tags.count("script") == 1  # the page's own
    assert "<script>alert" not in page
    assert "alert(1)" in page
    assert "<script" not in markdown
    widths = {len(re.findall(r"(?<!\\)\|", x)) for x in markdown.splitlines() if x.startswith("|")}
    assert len(widths) == 1


def test_page_is_self_contained(write: Any) -> None:
    _, _, page = read(write(FULL)[0])
    links = parse(page).links
    assert any(x.startswith("data:image/webp") for x in links)
    assert all(x.startswith(("data:", "#")) for x in links)
    assert "url(" not in page
    assert "@import" not in page


def test_missing_pictures_become_placeholders(fake: Any) -> None:
    run = fake(FULL)
    record = run.record()
    record.translated["cut"].file("images/2.png").write_bytes(b"no image")
    for result in record.results:
        if result.task == "segmentation" and result.arm == "source":
            result.evaluation.file("predictions/2.png").unlink()
    artifact = write_report.fn(ReportConfig(), record, run.store)
    _, _, page = read(artifact)
    assert re.search(r"no picture: 2.png: cannot be decoded", page)
    assert re.search(r"no picture: 2.png: no such file", page)
    assert str(run.root) not in page + artifact.file("report.json").read_text()


@pytest.mark.parametrize("name", ["scores.json", "ground_truth.json", "predictions.json", "curve.json", "card.json"])
@pytest.mark.parametrize("damage", ["{", '{"images": 3}', None])
def test_unreadable_file_costs_its_part_alone(fake: Any, name: str, damage: str | None) -> None:
    run = fake(FULL)
    record = run.record()
    result = next(r for r in record.results if r.task == "detection" and r.arm == "real")
    path = (result.model if name in {"curve.json", "card.json"} else result.evaluation).file(name)
    path.unlink() if damage is None else path.write_text(damage)
    content, markdown, page = read(write_report.fn(ReportConfig(), record, run.store))
    assert len(content["tables"]) == 2
    if (name, damage) not in {("card.json", '{"images": 3}'), ("ground_truth.json", '{"images": 3}')}:
        assert any(name in p for p in content["problems"])
        assert name in markdown.replace("\\", "")
        assert name in page
    assert str(run.root) not in json.dumps(content) + page


def test_lost_data_set_is_survived(fake: Any) -> None:
    run = fake(FULL)
    record = run.record()
    for file in record.benchmark.path.iterdir():
        if file.is_file():
            file.unlink()
    content, _, page = read(write_report.fn(ReportConfig(), record, run.store))
    assert len(content["tables"]) == 2
    assert "predictions" not in {g["kind"] for g in content["galleries"]}
    assert any(p.startswith("dataset/") for p in content["problems"])
    assert "no longer in the store" in page
    assert str(run.root) not in page + json.dumps(content)


def test_provenance_leads_back_to_the_data(write: Any) -> None:
    artifact, record = write({("segmentation", "translated(cut)", 0): 0.3})
    content, _, page = read(artifact)
    (score,), nodes = content["provenance"]["scores"], content["provenance"]["nodes"]
    evaluation = nodes[score["evaluation"]]
    translated = nodes[nodes[evaluation["inputs"]["model"]]["inputs"]["images0"]]
    translator = nodes[translated["inputs"]["translator"]]
    assert nodes[translator["inputs"]["target"]]["digest"] == record.target.digest
    assert all(a.key in page for a in (record.benchmark, record.source, record.target))


def test_report_is_rebuilt_only_when_its_content_changes(write: Any, fake: Any) -> None:
    first, record = write(FULL)
    again = record.model_copy(update={"source": record.source.model_copy(update={"cached": True, "seconds": 99.0})})
    store = Store(first.path.parent.parent)
    assert write_report.fn(ReportConfig(), again, store).cached
    assert not write_report.fn(ReportConfig(sample_rows=1), record, store).cached
    failed = record.model_copy(update={"failures": (Failure(task="detection", arm="source", seed=0, error="y"),)})
    assert not write_report.fn(ReportConfig(), failed, store).cached


def test_pictures_shrink_to_fit(write: Any, caplog: pytest.LogCaptureFixture) -> None:
    report = Report.read(write(FULL)[0].path)
    size = len(render_html(report, 480).encode())
    with caplog.at_level("INFO"):
        render_html(report, 480, max_bytes=size - 1)
    assert "made smaller" in caplog.text


@pytest.mark.parametrize("works", [True, False])
def test_flow_publishes_the_markdown(write: Any, monkeypatch: pytest.MonkeyPatch, works: bool) -> None:
    published: list[dict[str, str]] = []

    def create(**artifact: str) -> None:
        published.append(artifact)
        if not works:
            raise ConnectionError("no server")

    monkeypatch.setattr(stage, "create_markdown_artifact", create)
    monkeypatch.setattr(FlowRunContext, "get", classmethod(lambda cls: object()))
    artifact, _ = write(FULL)
    assert published[0]["key"] == "report-trial"
    assert published[0]["markdown"] == artifact.file("report.md").read_text()


def test_json_reads_back(write: Any) -> None:
    artifact, _ = write(FULL)
    report = Report.read(artifact.path)
    assert report.to_json() == json.loads(artifact.file("report.json").read_bytes())
    assert render_markdown(report) == artifact.file("report.md").read_text()


def test_terminal_prints_verdicts_figures_and_what_was_found(write: Any, tmp_path: Path) -> None:
    artifact, record = write(FULL, failures=[Failure(task="detection", arm="source", seed=0, error="[red]boom [bold]")])
    console = Console(width=160, record=True, file=(tmp_path / "out").open("w"))
    found = record.model_copy(update={"source": record.source.model_copy(update={"cached": True})})
    print_report(artifact, found, console)
    text = console.export_text()
    assert "raises mIoU by 3.5 points" in text
    assert "+3.5" in text
    assert "37.1" in text
    assert "[red]boom" in text
    assert "[bold]" in text
    assert re.search(r"dataset source .* found", text)
    assert re.search(r"dataset target .* built", text)


def test_failed_checks_are_told_and_passed_ones_counted(write: Any) -> None:
    content, text, page = read(write(FULL)[0])
    assert "1 of 2 checks passed before training" in page
    assert "<b>target</b>" not in page + text
    assert "2 of | it" in page
    assert "**Checks of the data sets** 1 of 2 passed." in text
    assert "2 of \\| it" in text
    assert [c["passed"] for c in content["checks"]] == [True, False]


def test_classes_left_out_of_the_mean_are_named(fake: Any) -> None:
    run = fake(FULL, left_out=("road",))
    table = Report.read(write_report.fn(ReportConfig(), run.record(), run.store).path).tables[0]
    assert any("road do not count in it" in note for note in table.notes)
