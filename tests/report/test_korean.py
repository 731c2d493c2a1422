"""A whole report in Korean, as page, Markdown and at the terminal: no English is left in it but names and terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from html import unescape
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest
from rich.console import Console

from tasks.catalogue.language import catalogue, speaking, t
from tasks.contracts.arm import Arm
from tasks.contracts.audit import Acted
from tasks.contracts.check import Check
from tasks.contracts.comparison import Clusters, Estimate, MadeWith, Needs, Note, Slice, SliceScore
from tasks.contracts.comparison import Outcome as Decided
from tasks.contracts.finding import Finding
from tasks.contracts.record import Failure, RunRecord
from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.html import render_html
from tasks.report.markdown import render_markdown
from tasks.report.model import Report
from tasks.report.stage import write_report
from tasks.report.terminal import print_report
from tests.report.findings import STRICT, audit, compared, difference, every_check

ARMS = {
    (task, arm, seed): score + 0.01 * seed
    for task in ("segmentation", "detection")
    for arm, score in {"real": 0.35, "source": 0.2, "translated(cut)": 0.25, "translated(fda)": 0.22}.items()
    for seed in (0, 1)
}
MIXED = {("segmentation", f"real+{arm}", seed): 0.4 for arm in ("source", "translated(cut)") for seed in (0, 1)}
DOUBT = difference(0.5, -1, 2, "not decidable", Needs(kind="about", images=700, seeds=12), sign_flip=0.03)
PAIRS = {
    ("translated(cut)", "source"): difference(5, 3, 7, "improves"),
    ("translated(fda)", "source"): DOUBT,
    ("translated(cut)", "real"): difference(-10, -12, -8, "harms"),
    ("real+translated(cut)", "real+source"): DOUBT,
    ("real+translated(cut)", "real"): difference(0.1, -0.2, 0.3, "no difference"),
}
ONE_DRIVE = Clusters(
    kind="blocks", reason="few_drives", sequences=1, block=17, units=10, effective=9, enough=False, beyond=False
)
SLICES = [
    Slice(
        kind=kind,
        key=key,
        name=name,
        images=20,
        boxes=30,
        against=Arm("source"),
        scores=(
            SliceScore(arm=Arm("translated(cut)"), score=Estimate(value=0.3, low=0.2, high=0.4), difference=DOUBT),
        ),
    )
    for kind, key, name in (
        ("size", "box_size", "small"),
        ("stretch", "sequence", "1-15"),
        ("sequence", "sequence", "7"),
    )
]
CLASSES = {"road": 0.6, "sky": 0.8, "car": 0.3, "bus": 0.2, "van": None, "cab": 0.0}
CHANGES = {"road": difference(-4, -6, -2, "harms"), "sky": difference(1, 0.2, 2, "improves"), "car": DOUBT}
NOTES = [
    Note(code="one_seed"),
    Note(code="no_slices", names=("7",)),
    Note(code="no_attributes", names=("7",)),
    Note(code="one_seed", arms=("source", "translated(cut)")),
    Note(code="training_unknown"),
    Note(code="no_common_seed", arms=("real", "source")),
    Note(code="few_common_seeds", arms=("real", "source"), seeds=(0,), values={"declared": 2}),
    Note(code="no_sign_flip", values={"least": 6, "level": 0.05}),
    Note(code="few_resamples", values={"comparisons": 30, "resamples": 100, "least": 1200}),
    Note(
        code="made_with",
        made=(
            MadeWith(arms=("real", "source"), versions={"torch": "2.11.0", "device": "cpu", "system": "A"}),
            MadeWith(arms=("translated(cut)",), versions={"torch": "2.12.0", "device": "cuda", "system": "B"}),
        ),
    ),
]
# What is the same in every language: metrics, formats, names, and what is typed: files, settings and options.
TERMS = {
    "mIoU",
    "CIELAB",
    "Benjamini",
    "Hochberg",
    "Python",
    "JSON",
    "EfficientNet",
    "Lite",
    "torch",
    "cuda",
    "fidelity",
}
# Formats of data sets, what stands in their files, and the settings that a reason or a check names.
TERMS |= {
    *("COCO", "Cityscapes", "KITTI", "MORAI", "Scalabel", "YAML", "YOLO", "nuImages", "coco", "cityscapes", "yolo"),
    *("boxes", "calibrated_sensor", "cameraID", "category_id", "category_token", "det_", "instances", "json", "labels"),
    *("name", "names", "sample", "sample_data", "semseg", "sensor", "test", "time", "frames", "objects", "trackID"),
    *("detection", "include", "max_rejected", "rate", "sequence", "shared", "tolerance"),
    *("https", "python", "shift"),
    *("apply_width", "boxes_by_mask", "docker", "False", "keep_ratio", "maps", "size", "test_pipeline"),
    *("figures", "pictures"),
    *("metrics", "HOME", "PREFECT_HOME", "Prefect", "crop", "kind", "masks", "values", "min_side"),
    *("CrossEntropyLoss", "softmax"),
    *("Jensen", "Shannon", "annotations", "area", "bbox", "city", "cityscapesscripts", "color", "file_name"),
    *("instanceIds", "instances_", "iscrowd", "labelIds", "labelTrainIds", "split", "train"),
    *("first_channel", "true", "index", "images", "follow_links", "root", "iterations"),
    *("PATH", "audit", "false", "judge", "resize", "timeout"),
}
TYPED = re.compile(r"--\w+|\w+/|[a-z_]+(\.[a-z_]+)+(=\w+)?|pip install \S+")
NETWORK = "fpn_r18"
WORD = re.compile(r"[A-Za-z_]{4,}")


class Shown(HTMLParser):
    """Collects what a page says to people: text and the attributes that are read.

    Left out are code and what is marked as English.
    """

    SILENT = ("style", "script", "code", "pre")
    READ = ("alt", "title", "aria-label", "placeholder")
    VOID = ("meta", "link", "img", "br", "input", "hr", "source", "wbr", "col")

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in self.VOID and (self.silent or tag in self.SILENT or given.get("lang") == "en"):
            self.silent.append(tag)
        if not self.silent:
            self.said += [given[name] or "" for name in self.READ if name in given]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self.silent:
            self.said += [value or "" for name, value in attrs if name in self.READ]

    def handle_endtag(self, tag: str) -> None:
        if self.silent and tag not in self.VOID:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.said.append(data)


def page_text(page: str) -> str:
    shown = Shown()
    shown.feed(page)
    assert shown.silent == []
    return "\n".join(shown.said)


def names_of(report: Report) -> set[str]:
    """What a report takes from outside: names, files and reasons, messages and errors, versions."""
    found = {d.dataset for d in report.datasets} | {d.split for d in report.datasets} | {report.name}
    found |= {r.file for d in report.datasets for r in d.first_rejected} | {f.error for f in report.failures}
    found |= {c.name for table in report.tables for c in table.columns} | {NETWORK}
    found |= {c.name for p in report.audits if p.audit.flips for c in p.audit.flips.classes}
    found |= {c.subject.class_name or "" for p in report.audits for c in p.audit.checks}
    found |= {d.name for p in report.audits for d in p.audit.distances}
    found |= {i for p in report.audits for c in p.audit.checks for i in c.listed}
    found |= {point.id for p in report.audits if p.audit.map for point in p.audit.map.points}
    found |= {str(catalogue(report.language)["pictures.clip_source"])}  # as it is drawn into frames
    found |= {p.partition(" ")[0] for p in report.problems} | {c.artifact for c in report.costs}
    for environment in report.provenance.environments:
        found |= {*(environment.get("packages") or {})} | {str(v) for v in environment.values()}
    return {*filter(None, found)}


def foreign(text: str, names: Iterable[str]) -> set[str]:
    """Latin words of four letters and more that are neither names nor terms."""
    text = unescape(text.replace("\\", ""))
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", " ", text)
    return {*WORD.findall(TYPED.sub(" ", text))} - TERMS


def every(area: str, *, said_of: str = "") -> list[Finding]:
    """A finding for every text of an area whose key ends so, with all the values that the text needs."""
    keys = [key for key in catalogue("en") if key.startswith(f"{area}.") and key.endswith(said_of)]
    texts = {key: text if isinstance(text := catalogue("en")[key], str) else text["other"] for key in keys}
    return [Finding(code=key, values=dict(map(_filled, Formatter().parse(text)))) for key, text in texts.items()]


def _filled(part: tuple[str, str | None, str | None, str | None]) -> tuple[str, Any]:
    """A value for a placeholder, as its format wants it."""
    _, name, form, _ = part
    return str(name), ("7", "8") if form in ("names", "several", "lines") else 7


def left_out() -> list[tuple[str, Finding]]:
    """A rejected file for every reason that there is."""
    return [(f"a{n}.png", finding) for n, finding in enumerate(every("data"))]


def data_checks() -> list[Check]:
    """Every check of the data sets, as it is told where it did not pass."""
    found = every("checks", said_of="_failed")
    names = [finding.code.removeprefix("checks.").removesuffix("_failed") for finding in found]
    about: Any = {
        "roles": ("target", "benchmark"),
        "severity": "warning",
        "passed": False,
        "measured": 2,
        "threshold": 1,
    }
    return [Check(name=name, finding=finding, **about) for name, finding in zip(names, found, strict=True)]


@pytest.fixture
def whole(fake: Callable[..., Any]) -> Any:
    """A run with all that a report can say: intervals, audits, failures, a file that cannot be read."""
    arms = {**ARMS, **MIXED}
    about = {"missing": [("translated(fda)", 2)], "notes": NOTES, "clusters": ONE_DRIVE, "slices": SLICES}
    dropped = [
        Acted(id=f"a{i}", flipped=0.4, action=action) for i, action in product(range(9), ("drop", "keep_source"))
    ]
    failing = [*every_check(STRICT), *(c.model_copy(update={"passed": False}) for c in audit().checks)]
    noted = tuple(map(Finding.of, ("audits.note_flips", "audits.note_recall", "audits.note_gap")))
    unjudged = audit("fda", checks=(), judged=False).model_copy(update={"notes": noted})
    return fake(
        arms,
        translators=("cut", "fda"),
        classes=CLASSES,
        left_out=("bus",),
        rejected=left_out(),
        checked=data_checks(),
        comparison=compared(arms, PAIRS, CLASSES, CHANGES, **about),  # type: ignore[arg-type]
        audits={"cut": audit(checks=failing, acted=dropped), "fda": unjudged},
        failures=[Failure(task="detection", arm="real+source", seed=3, error="boom 1"), *_failures()],
        parts={"real+source": {"real": 300, "source": 400}},
    )


def _failures() -> Iterator[Failure]:
    yield Failure(task="segmentation", arm="real+translated(fda)", seed=0, error="")


@pytest.fixture
def korean(whole: Any) -> tuple[Report, RunRecord]:
    record = whole.record()
    damaged = ("[{}]", "{", '[{"iteration": 1}]')
    for result, content in zip(record.results, damaged, strict=False):
        result.model.file("curve.json").write_text(content)
    record.results[3].model.file("curve.json").unlink()
    record.results[4].evaluation.file("scores.json").write_text('{"images": 3}')
    return build_report(record, ReportConfig(language="ko", rejected_rows=500), {"name": "trial"}), record


def test_no_text_of_the_catalogue_was_left_in_english() -> None:
    every = {key: text if isinstance(text, str) else text["other"] for key, text in catalogue("ko").items()}
    drawn = "pictures.clip_source"  # into frames, in letters that every font has
    left = {key: foreign(re.sub(r"\{.*?\}", " ", text), ()) for key, text in every.items() if key != drawn}
    assert {key: words for key, words in left.items() if words} == {}


@pytest.mark.parametrize("render", [render_markdown, lambda report: page_text(render_html(report, 96))])
def test_a_korean_report_is_korean(korean: tuple[Report, RunRecord], render: Callable[[Report], str]) -> None:
    report, record = korean
    text = render(report)
    assert {f.task for f in report.failures} == {"segmentation", "detection"}
    assert foreign(text, names_of(report) | {a.key for a in record.artifacts().values()}) == set()
    assert re.search("[가-힣]", report.verdicts[0].sentence)
    assert report.verdicts[0].sentence in text.replace("\\", "")


def test_the_terminal_speaks_korean(whole: Any, tmp_path: Path) -> None:
    record = whole.record()
    artifact = write_report.fn(ReportConfig(language="ko"), record, whole.store)
    console = Console(width=220, record=True, file=(tmp_path / "out").open("w"))
    print_report(artifact, record, console)
    text = console.export_text()
    assert foreign(text, names_of(Report.read(artifact.path))) == set()
    assert "시뮬레이터" in text
    assert t("words.arm_source") == "Simulator"


def test_what_is_foreign_is_found(korean: tuple[Report, RunRecord]) -> None:
    report, _ = korean
    with speaking("en"):
        english = render_markdown(report.model_copy(update={"language": "en"}))
    assert {"Trained", "Cost"} <= foreign(english, names_of(report))
    assert foreign(page_text('<p title="hidden words">a<code>code</code><i lang="en">left</i></p>'), ()) == {
        *("hidden", "words"),
    }


@pytest.mark.parametrize("outcome", get_args(Decided))
def test_every_verdict_is_korean(fake: Any, outcome: Decided) -> None:
    low, high = {"improves": (3, 7), "harms": (-7, -3)}.get(outcome, (-1, 1))
    change = difference((low + high) / 2, low, high, outcome, Needs(kind="least", images=6, shown=True))
    for arms in (
        ARMS,
        {("segmentation", f"real+{a}", 0): s for a, s in {"source": 0.3, "translated(cut)": 0.4}.items()},
    ):
        pairs = {("translated(cut)", "source"): change, ("real+translated(cut)", "real+source"): change}
        record = fake(arms, comparison=compared(arms, pairs)).record()
        for verdict in build_report(record, ReportConfig(language="ko")).verdicts:
            assert verdict.outcome == outcome
            assert foreign(verdict.sentence + " ".join(verdict.notes), ()) == set()


@pytest.mark.parametrize(
    "arms",
    [
        {},
        {"real": 0.3},
        {"real": 0.3, "translated(cut)": 0.2},
        {"source": 0.2, "translated(cut)": 0.3},
        *(
            {"real": real, "source": 0.2, "translated(cut)": 0.2 + gain}
            for real in (0.2, 0.3)
            for gain in (-0.1, 0, 0.2)
        ),
    ],
)
def test_every_verdict_without_an_interval_is_korean(fake: Any, arms: dict[str, float]) -> None:
    failures = [Failure(task="segmentation", arm="source", seed=0, error="")]
    run = fake({("segmentation", arm, 0): score for arm, score in arms.items()}, failures=failures)
    (verdict,) = build_report(run.record(), ReportConfig(language="ko")).verdicts
    assert foreign(verdict.sentence + " ".join(verdict.notes), ("'real'", "'source'")) == set()
