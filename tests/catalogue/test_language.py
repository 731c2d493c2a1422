"""The catalogue: no key is missing in a language or in the code, and no text is forgotten."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

from tasks.audit.config import AuditConfig
from tasks.audit.job import Judged
from tasks.catalogue.language import LANGUAGES, Language, catalogue, say, speaking, t
from tasks.contracts.arm import Arm
from tasks.contracts.audit import Acted, Domain
from tasks.contracts.audit_check import DETAIL_PARTS, BoxSize, Measure, Severity
from tasks.contracts.comparison import ClusterReason, NoteCode, SliceKind
from tasks.contracts.comparison import Outcome as Decided
from tasks.contracts.finding import Finding
from tasks.contracts.record import RunRecord
from tasks.contracts.stage import StageKind
from tasks.contracts.task import Labels, Task
from tasks.datasets.checks.model import LookedAt
from tasks.datasets.errors import Cause, Counted
from tasks.datasets.table import BoxSource
from tasks.report import words
from tasks.report.gallery.grid import Kind
from tasks.report.glance import MEASURES
from tasks.report.model import DatasetRow, Gate
from tasks.trends.history.trend import BreakKind
from tasks.trends.history.trend import Outcome as TrendOutcome

_ROOMS = ("settings", "datasets", "translate", "retrain", "evaluate", "audit", "report", "trends")
SPEAKING = (*(f"tasks/{room}" for room in _ROOMS), "flows")
ROOMS, CHECKS = tuple(map(Path, SPEAKING)), Path("tasks/datasets/checks")
AREAS = "|".join(sorted({key.partition(".")[0] for key in catalogue("en")}))
CLASS_CHECKS = [f"{kind}_{n}" for kind in ("class", "box") for n in ("impossible", "missing", "rare")]
KEY = re.compile(rf"({AREAS})\.(?!html$|json$|csv$|css$|yaml$)[a-z0-9_]+")
BEGUN = re.compile(rf"({AREAS})\.[a-z0-9_]*")


def choices(model: Any, field: str) -> tuple[str, ...]:
    """What a field that is a ``Literal`` can be."""
    return get_args(model.model_fields[field].annotation)


def check_names() -> set[str]:
    """Every name that a check of the data sets can have."""
    literal = {n for f in CHECKS.glob("*.py") for n in re.findall(r'\bname="([a-z_]+)"', f.read_text())}
    return literal | {*CLASS_CHECKS} | {*get_args(Cause)} | {f"has_{labels}" for labels in get_args(Labels)}


OUTCOMES = ("passed", "failed")
ROLES, SIZES = choices(DatasetRow, "role"), get_args(BoxSize)
GATES = choices(Gate, "outcome")
NAMED: dict[str, Iterable[str]] = {
    "task": get_args(Task),
    "role": (*ROLES, "baseline", "oracle"),
    "outcome": (*(o.replace(" ", "_") for o in get_args(Decided)), "unknown"),
    "check": sorted(check_names()),
    "severity": get_args(Severity),
    "artifact": (
        *(
            "sample",
            "dataset",
            "checks",
            "translator",
            "translated",
            "audit",
            "model",
            "evaluation",
            "comparison",
            "pseudo_labels",
        ),
        "report",
    ),
    "input": (
        *("sample", *ROLES, "translator", "translated", "images", "images0", "images1", "model"),
        *(f"judged_{f.name}" for f in fields(Judged)),
    ),
}
# Keys that are put together, with ``{}`` for what is put in: all that it can be.
DYNAMIC: dict[str, Iterable[str]] = {
    "words.{}_{}": [f"{kind}_{name}" for kind, names in NAMED.items() for name in names],
    "words.count_{}": (),  # of what the sources count, see ``nouns``
    "words.arm_{}": ("real", "source"),
    "words.over_{}": ("real", "source", "real_source"),
    "words.stage_{}": get_args(StageKind),
    "notes.{}": get_args(NoteCode),
    "slices.{}": [k for k in get_args(SliceKind) if k != "size"],
    "slices.size_{}": [s for s in SIZES if s != "all"],
    "clusters.{}": ("sequence", "blocks", *(r for r in get_args(ClusterReason) if r != "single_frames")),
    "audits.kept_{}": DETAIL_PARTS,
    "audits.acted_{}": choices(Acted, "action"),
    "audits.found_flipped_images_{}": (*choices(AuditConfig, "on_fail"), "kept"),
    "audits.found_{}": DETAIL_PARTS,
    "audits.found_{}_image": DETAIL_PARTS,
    "audits.found_recall_{}": SIZES,
    "audits.label_{}": get_args(Measure),
    "audits.part_{}": DETAIL_PARTS,
    "audits.size_{}": SIZES,
    "audits.subject_{}": ("flips", "flipped_images"),
    "overview.from_{}": (*get_args(BoxSource), "none"),
    "overview.boxes_{}": ("other", "hidden", "merged", "out"),
    "overview.{}": ("objects", "per_image", "by_size", "median"),
    "export.{}": ("not_things", "no_pixels", "no_mask", "unlisted", "groups", "no_boxes", "masks"),
    "glance.{}": (*MEASURES, *(f"{measure}_about" for measure in MEASURES)),
    "markdown.gate_{}": GATES,
    "markdown.{}": ("peak_memory", "peak_gpu_memory"),
    "markdown.{}_elsewhere": ("classes", "arms"),
    "page.gate_{}": GATES,
    "page.size_{}": SIZES,
    "page.severity_{}": get_args(Severity),
    "page.role_{}": (*ROLES, "baseline", "oracle"),
    "page.run_{}": choices(RunRecord, "flow"),
    "page.env_{}": ("python", "system", "cores"),
    "page.kind_{}": (
        "dataset",
        "checks",
        "translator",
        "translated",
        "audit",
        "model",
        "evaluation",
        "comparison",
        "pseudo_labels",
    ),
    "pictures.kind_{}": get_args(Kind),
    "pictures.role_{}": ROLES,
    "figures.{}": get_args(Domain),
    "figures.one_{}": get_args(Domain),
    "figures.with_{}": ("source", "translated"),
    "history.{}": get_args(TrendOutcome),
    "history.{}_changed": get_args(BreakKind),
    "data.rejected_{}": get_args(Counted),
    "words.check_{}": sorted(check_names()),
    "words.role_{}": ROLES,
    "words.severity_{}": get_args(Severity),
    "checks.{}_{}": [f"{name}_{outcome}" for name in get_args(Cause) for outcome in OUTCOMES],
    "checks.{}_{}_{}": [f"{name}_{outcome}" for name in CLASS_CHECKS for outcome in OUTCOMES],
    **{f"checks.{name}_{{}}": OUTCOMES for name in ("blank", "leak", "sequence", "sequence_known", "sizes")},
    **{f"checks.{name}_{{}}": OUTCOMES for name in ("box_rule", "class_ratio", "taxonomy")},
    **{f"checks.{name}_{{}}": (*OUTCOMES, "tolerated") for name in ("duplicates", "near_leak")},
    "checks.has_{}_{}": [f"{labels}_{outcome}" for labels in get_args(Labels) for outcome in OUTCOMES],
    "checks.nothing_{}": get_args(LookedAt),
    "checks.boxes_{}": get_args(BoxSource),
    "compare.flow_{}": choices(RunRecord, "flow"),
    "compare.only_{}": ("before", "after"),
    "compare.{}": (
        *("what", "before", "after", "difference", "config", "data", "translators", "code"),
        *("data_set", "split", "images", "boxes", "rejected", "content", "method", "iterations", "parameters"),
    ),
}
SAYING = ("t", "Finding.of")  # calls that give a key and its values


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(p for room in ROOMS for p in room.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def literals() -> Iterator[tuple[str, str]]:
    """File and key, of every key that is written out in code or templates."""
    for path, tree in modules():
        begun = {id(v) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for v in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.fullmatch(node.value):
                yield from [] if id(node) in begun else [(path.name, node.value)]
    for path in sorted(p for room in ROOMS for p in room.rglob("*.j2")):
        for key in re.findall(r"\bt\(\s*[\"']([^\"']+)[\"']\s*[,)]", path.read_text(encoding="utf-8")):
            yield path.name, key


def forms() -> Iterator[tuple[str, str]]:
    """File and form, of every key that is put together."""
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                form = "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
                if BEGUN.fullmatch(form.partition("{")[0]) and re.fullmatch(r"[a-z0-9_.{}]+", form):
                    yield path.name, form
    for path in sorted(p for room in ROOMS for p in room.rglob("*.j2")):
        for begun in re.findall(r"\bt\(\s*[\"']([^\"']+)[\"']\s*~", path.read_text(encoding="utf-8")):
            yield path.name, begun + "{}"


def nouns() -> set[str]:
    """What is counted: the second argument of every ``count(number, "noun")``."""
    counted = [n for _, tree in modules() for n in ast.walk(tree) if isinstance(n, ast.Call) and len(n.args) == 2]
    named = [c.args[1] for c in counted if isinstance(c.func, ast.Name) and c.func.id == "count"]
    found = {n.value for n in named if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    for path in (p for room in ROOMS for p in room.rglob("*.j2")):
        found |= {*re.findall(r"\|\s*count\(\s*[\"'](\w+)[\"']", path.read_text(encoding="utf-8"))}
    return found


def expanded(form: str) -> set[str]:
    """The keys that a form can be."""
    begun, _, end = form.partition("{}")
    middle = nouns() if form == "words.count_{}" else DYNAMIC[form]
    return {f"{begun}{part}{end.replace('_{}', '')}" for part in middle}


def forms_of(key: str, language: Language) -> dict[str, str]:
    """A text's plural forms; one that has none is all ``other``."""
    text = catalogue(language)[key]
    return text if isinstance(text, dict) else {"other": text}


def placeholders(text: str) -> set[tuple[str, str]]:
    """Name and format of what a text needs."""
    return {(name, form or "") for _, name, form, _ in Formatter().parse(text) if name is not None}


def needed(key: str) -> set[str]:
    """The names of what a key's English text needs."""
    return {name for name, _ in placeholders(forms_of(key, "en")["other"])}


def test_every_language_has_every_key() -> None:
    for language in LANGUAGES:
        assert {*catalogue("en")} ^ {*catalogue(language)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_needs_the_same_values_in_the_same_form(language: Language) -> None:
    for key in catalogue(language):
        forms = forms_of(key, language)
        assert {*forms} <= {"one", "other"}
        assert placeholders(forms["other"]) == placeholders(forms_of(key, "en")["other"]), key
        assert {name for name, _ in placeholders(forms.get("one", ""))} <= needed(key), key


def test_every_key_in_the_code_is_in_the_catalogue() -> None:
    assert {(file, key) for file, key in literals() if key not in catalogue("en")} == set()


def test_keys_that_are_put_together_are_in_the_catalogue_whatever_is_put_in() -> None:
    there = {form for _, form in forms()}
    assert {(file, form) for file, form in forms() if form not in DYNAMIC} == set(), "say in DYNAMIC what it can be"
    assert {*DYNAMIC} - there == set()
    assert {key for form in there for key in expanded(form) if key not in catalogue("en")} == set()


def test_no_text_is_there_that_nobody_says() -> None:
    said = {key for _, key in literals()} | {key for form in DYNAMIC for key in expanded(form)}
    assert {key for key in catalogue("en") if key not in said} == set()


def test_every_call_gives_what_its_text_needs() -> None:
    lacking = set()
    for path, tree in modules():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) in SAYING and node.args):
                continue
            key, given = node.args[0], {k.arg for k in node.keywords}
            if isinstance(key, ast.Constant) and None not in given:  # None is ``**values``
                lacking |= {(path.name, key.value, name) for name in needed(key.value) - given}
    assert lacking == set()


def test_a_finding_in_a_finding_is_said_with_it() -> None:
    whole = Finding.of("notes.cell", arm=Finding.of("words.arm_source"), seed=3)
    assert say(whole) == "Simulator seed 3"
    with speaking("ko"):
        assert say(whole) == "시뮬레이터 시드 3"


def test_paths_of_a_finding_start_at_a_folder() -> None:
    inner = Finding.of("data.x", image=Path("/set/a/b.png"))
    whole = Finding.of("data.y", why=inner, all=(inner,), other=Path("/elsewhere/c"), name="/set/a text")
    below = whole.below(Path("/set"))
    expected = Finding.of("data.x", image=Path("a/b.png"))
    assert below.values == {"why": expected, "all": (expected,), "other": Path("/elsewhere/c"), "name": "/set/a text"}
    assert Finding.model_validate_json(below.model_dump_json()).values["why"] == Finding.of("data.x", image="a/b.png")


def test_a_language_is_spoken_only_inside() -> None:
    assert t("words.arm_source") == "Simulator"
    with speaking("ko"):
        assert t("words.arm_source") == "시뮬레이터"
        with speaking("en"):
            assert words.arm_label(Arm("translated(cut)")) == "Translated (cut)"
        assert words.arm_label(Arm("real+translated(cut)")) == "실제 + 변환 (cut)"
    assert words.arm_label(Arm("source")) == "Simulator"
