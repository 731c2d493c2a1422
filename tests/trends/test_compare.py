"""Comparing two runs: what differs, what it did to the scores, and how sure that is."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from flows.cli.app import invoke
from tasks.contracts.arm import Arm
from tasks.evaluate.comparison import compare_arms
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.scoreboard import Scored
from tasks.report.lineage import Node
from tasks.report.model import Report
from tasks.trends.comparing.build import compare_runs
from tasks.trends.comparing.find import NotAReport
from tasks.trends.comparing.markdown import render_markdown
from tasks.trends.comparing.model import ArmChange, Compared, ScoreChange
from tasks.trends.comparing.settings import differences
from tasks.trends.comparing.text import print_text
from tasks.trends.history.archive import archive
from tests.evaluate.test_comparison import boxes, detected, detection, segmentation, truth_maps, wrong
from tests.report.reports import ARMS, CONFIG, report, written

CUT = "translated(cut)"
MORE: dict[str, Any] = {
    **CONFIG,
    "translate": {"translators": [{"name": "cut", "method": "cut", "training": {"iterations": 200}}]},
}


def compared(tmp_path: Path, a: Report, b: Report, store: Path | None = None, language: Any = None) -> Compared:
    for name, found in (("a", a), ("b", b)):
        written(found, tmp_path / name / "report" / "report.json")
    return compare_runs(tmp_path / "a", tmp_path / "b", store or tmp_path / "no store", language)


def arm(found: Compared, name: str = CUT) -> ArmChange:
    return next(a for a in found.arms if a.arm == name)


def metric(found: Compared, name: str = CUT) -> ScoreChange:
    return arm(found, name).metrics[0]


def told(found: Compared) -> str:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    print_text(found, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def keys(found: tuple[Any, ...]) -> dict[str, tuple[str | None, str | None]]:
    return {s.key: (s.before, s.after) for s in found}


def segmented(store: Path, found: Report, wrongs: Mapping[str, float], seed: int = 0) -> None:
    """Real evaluations, in the store, of the reports' models: so much of an arm's pixels is wrong."""
    truth = truth_maps()
    for score in found.provenance.scores:
        predicted = wrong(truth, wrongs[score.arm], seed + score.seed)
        segmentation(store / score.evaluation, truth, predicted)


def test_the_same_report_twice(tmp_path: Path) -> None:
    found = compared(tmp_path, report(), report())
    assert (found.config, found.data, found.code, found.translators, found.only) == ((), (), (), (), ())
    assert {a.method for a in found.arms} == {"identical"}
    assert all((m.delta, m.outcome) == (0.0, None) for a in found.arms for m in (*a.metrics, *a.classes))
    assert found.summary == ("Nothing changed.", "No score differs beyond the margin.")
    assert "Nothing changed." in told(found)


def test_configurations_by_dotted_key() -> None:
    before: dict[str, Any] = {
        "translate": {"translators": [{"name": "cut", "lr": 1, "nce": {"k": 1}}, {"name": "fda", "beta": 0.1}]},
        "retrain": {"arms": ["real", "source"], "seeds": [0], "init": None},
        "evaluate": {"margin": 0.005},
        "report": {"language": "en"},
    }
    after: dict[str, Any] = {
        "translate": {"translators": [{"name": "srunit", "lr": 9}, {"name": "cut", "lr": 1, "nce": {"k": 2}}]},
        "retrain": {"arms": ["source", "real", "translated(cut)"], "seeds": [0, 1], "init": {"weights": "x"}},
        "evaluate": {"margin": 0.01},
        "report": {"language": "ko"},
    }
    found = differences(before, after)
    assert keys(tuple(found)) == {
        "translate.srunit": (None, "present"),
        "translate.cut.nce.k": ("1", "2"),
        "translate.fda": ("present", None),
        "retrain.arms[translated(cut)]": (None, "present"),
        "retrain.seeds": ("[0]", "[0, 1]"),
        "retrain.init": ("null", "present"),
        "retrain.init.weights": (None, "x"),
        "evaluate.margin": ("0.005", "0.01"),
        "report.language": ("en", "ko"),
    }
    assert differences(before, before) == []
    back = {s.key for s in differences(after, before)}
    assert "retrain.init" in back
    assert "retrain.init.weights" not in back


def test_a_value_that_is_no_longer_there_is_not_a_null() -> None:
    assert keys(tuple(differences({"a": None}, {}))) == {"a": ("null", None)}
    assert keys(tuple(differences({"a": 1}, {"a": True}))) == {"a": ("1", "true")}
    assert keys(tuple(differences({}, {"a": {"b": 1}}))) == {"a.b": (None, "1")}


def test_data_code_and_translators(tmp_path: Path) -> None:
    b = report(1, models="new")
    rows = [d.model_copy(update={"images": 60, "digest": "other"}) if d.role == "source" else d for d in b.datasets]
    nodes = {k: n.model_copy(update={"code": "m2"}) if n.kind == "model" else n for k, n in b.provenance.nodes.items()}
    graph = b.provenance.model_copy(update={"nodes": nodes, "environments": made_with(git="def", torch="2.12.0")})
    cut = b.translators[0].model_copy(update={"iterations": 2000, "train_seconds": 9.0})
    found = compared(
        tmp_path, report(), b.model_copy(update={"datasets": tuple(rows), "provenance": graph, "translators": (cut,)})
    )
    assert keys(found.data) == {"source: images": ("48", "60"), "source: content (digest)": ("source conte", "other")}
    assert keys(found.translators) == {"cut: iterations": ("100", "2,000")}
    assert keys(found.code) == {"code of model": ("m1", "m2"), "git": ("abc", "def"), "torch": ("2.11.0", "2.12.0")}
    assert [s.key for s in found.code if not s.scores] == ["git"]


def made_with(git: str = "abc", cores: int = 8, python: str = "3.12.1", **packages: str) -> tuple[dict[str, Any], ...]:
    versions = {"torch": "2.11.0", "numpy": "2.3.0", "prefect": "3.8.1", **packages}
    return ({"git": git, "python": python, "cores": cores, "packages": versions},)


@pytest.mark.parametrize(
    ("versions", "device", "told"),
    [
        ({"prefect": "3.9.0", "git": "def", "cores": 2, "python": "3.13.0"}, "cpu", []),
        ({"numpy": "2.4.0"}, "cpu", ["numpy"]),
        ({}, "cuda", ["device"]),
        ({"torch": "2.12.0"}, "cuda", ["torch", "device"]),
    ],
)
def test_versions_and_devices_that_numbers_depend_on(
    tmp_path: Path, versions: dict[str, Any], device: str, told: list[str]
) -> None:
    b = report(1, scored_cut(40.0), models="new")
    nodes = {k: n.model_copy(update={"device": device}) for k, n in b.provenance.nodes.items()}
    graph = b.provenance.model_copy(update={"nodes": nodes, "environments": made_with(**versions)})
    found = compared(tmp_path, report(), b.model_copy(update={"provenance": graph}))
    assert [s.key for s in arm(found).causes] == told
    assert [s.key for s in found.code if s.scores] == told


SHA, OTHER = "a" * 64, "b" * 64
INIT = {"init": {"path": "weights.pth", "sha256": SHA}}
TRAINING = {"iterations": 100, "gpus": 1, "sample_every": 50}


def resolved(training: Mapping[str, Any] | None = None, segmentation: Any = None, evaluate: Any = None) -> Any:
    translator = {"name": "cut", "method": "cut", "training": {**TRAINING, **(training or {})}}
    return {
        **CONFIG,
        "translate": {"translators": [translator]},
        "retrain": {**CONFIG["retrain"], "segmentation": {**INIT, "batch": 4, "log_every": 5, **(segmentation or {})}},
        "evaluate": {**CONFIG["evaluate"], "batch": 1, **(evaluate or {})},
    }


@pytest.mark.parametrize(
    "config",
    [
        resolved({"sample_every": 10}),
        resolved({"gpus": 4}),
        resolved(evaluate={"batch": 8}),
        resolved(segmentation={"init": {"path": "moved/weights.pth", "sha256": SHA}}),
        resolved(segmentation={"log_every": 1}),
    ],
)
def test_what_no_key_holds_is_no_cause(tmp_path: Path, config: dict[str, Any]) -> None:
    b = report(1, scored_cut(40.0), config=config, models="new")
    found = compared(tmp_path, report(config=resolved()), b)
    assert len(found.config) == 1
    assert found.summary[0] == "Nothing changed that scores depend on (1 other difference)."
    assert "drift" in found.summary[1]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (resolved({"iterations": 200}), ["translate.cut.training.iterations"]),
        (resolved(segmentation={"batch": 8}), ["retrain.segmentation.batch"]),
        (resolved(segmentation={"init": {"path": "b.pth", "sha256": OTHER}}), ["retrain.segmentation.init.sha256"]),
        (resolved(segmentation={"overrides": {"lr": 1}}), ["retrain.segmentation.overrides.lr"]),
    ],
)
def test_what_a_key_holds_is_a_cause(tmp_path: Path, config: dict[str, Any], told: list[str]) -> None:
    b = report(1, scored_cut(40.0), config=config, models="new")
    found = compared(tmp_path, report(config=resolved()), b)
    assert [s.key for s in arm(found).causes] == told
    assert "The only change that it depends on" in found.summary[1]


def test_a_file_that_was_edited_is_a_cause_although_no_setting_differs(tmp_path: Path) -> None:
    b = report(1, scored_cut(40.0), models="new")
    nodes = dict(b.provenance.nodes)
    for name, node in nodes.items():
        if node.kind == "model":
            edited = {**(node.config or {}), "training": {"config": ["net", "edited"], "init": None}}
            nodes[name] = node.model_copy(update={"config": edited})
    b = b.model_copy(update={"provenance": b.provenance.model_copy(update={"nodes": nodes})})
    found = compared(tmp_path, report(), b)
    (cause,) = arm(found).causes
    assert (cause.key, cause.after) == ("retrain.segmentation.config", '["net", "edited"]')


def test_a_report_of_schema_3_tells_all_that_differs_with_a_note(tmp_path: Path) -> None:
    old = report(config=resolved()).to_json()
    old["schema"] = 3
    old["checks"] = [{"name": "found", "role": "source", "message": "as schema 3 has it"}]
    old["datasets"][0]["first_rejected"] = [{"file": "a.png", "reason": "as schema 3 has it"}]
    old["audits"] = [{"name": "cut", "summary": "", "audit": {"checks": [{"message": "as schema 3 has it"}]}}]
    for node in old["provenance"]["nodes"].values():
        del node["config"], node["device"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    new = report(1, scored_cut(40.0), config=resolved({"gpus": 4}), models="new")
    found = compare_runs(tmp_path / "old.json", written(new, tmp_path / "new.json"), tmp_path)
    assert not arm(found).traced
    assert "translate.cut.training.gpus 1 → 4" in found.summary[0]
    assert any("does not say what went into all of its artifacts" in note for note in found.notes)
    again = compared(tmp_path, report(config=resolved()), new)
    assert not any("does not say" in note for note in again.notes)


def test_a_stage_that_one_side_lacks_is_no_change_of_code(tmp_path: Path) -> None:
    a, b = report(), report(1)
    extra = {**b.provenance.nodes, "translator/x": Node(kind="translator", key="x", digest="x", code="t1")}
    found = compared(tmp_path, a, b.model_copy(update={"provenance": b.provenance.model_copy(update={"nodes": extra})}))
    assert found.code == ()


def test_evaluations_in_the_store_are_compared_by_image(tmp_path: Path) -> None:
    a, b = report(), report(1, scored_cut(30.0), models="new", config=MORE)
    store = tmp_path / "store"
    segmented(store, a, {"real": 0.1, "source": 0.5, CUT: 0.4})
    segmented(store, b, {"real": 0.1, "source": 0.5, CUT: 0.3}, seed=50)
    found = compared(tmp_path, a, b, store)
    assert {x.method for x in found.arms} == {"paired"}
    change = metric(found)
    assert change.outcome == "improves"
    assert any("did not keep which images are of one drive" in note for note in found.notes)
    results = [
        Scored("segmentation", side, 0, store / r.provenance.scores[2].evaluation)
        for side, r in (("source", a), (CUT, b))
    ]
    (task,) = compare_arms(results, {}, EvaluateConfig(resamples=400), Arm("source"), Arm("real")).tasks
    expected = task.difference(CUT, "source")
    assert expected
    of = expected.metrics["mIoU"]
    assert of.value is not None
    assert of.low is not None
    assert (change.delta, change.low) == (pytest.approx(100 * of.value), pytest.approx(100 * of.low))
    assert metric(found, "real").outcome in {"no difference", "not decidable"}
    assert "Differences are paired by image and seed" in found.notes[0]
    assert found.summary[0] == "Changed: translate.cut.training.iterations 100 → 200."
    assert found.summary[1].startswith("Segmentation, Translated (cut): mIoU +")
    assert found.summary[1].endswith("The only change that it depends on: translate.cut.training.iterations 100 → 200.")
    assert len(found.summary) == 2


def scored_cut(value: float) -> dict[str, float]:
    return {**ARMS, CUT: value}


def test_a_paired_difference_is_narrower_than_one_of_independent_estimates(tmp_path: Path) -> None:
    truth = truth_maps()
    a, b = report(arms={CUT: 24.0}), report(1, {CUT: 26.0}, models="new")
    first = wrong(truth, 0.5, 1, uneven=0.2)
    better = first.copy()
    better[:, :1] = truth[:, :1]
    store = tmp_path / "store"
    for found, predicted in ((a, first), (b, better)):
        segmentation(store / found.provenance.scores[0].evaluation, truth, predicted)
    by_image, apart = compared(tmp_path, a, b, store), compared(tmp_path, a, b)
    widths = [(m.high or 0) - (m.low or 0) for m in (metric(by_image), metric(apart))]
    assert metric(by_image).outcome == "improves"
    assert (arm(by_image).method, arm(apart).method) == ("paired", "independent")
    assert 0 < widths[0] < widths[1]


def test_detectors_are_compared_by_image_too(tmp_path: Path) -> None:
    truth = boxes()
    a = report(arms={CUT: 24.0}, tasks=("detection",), classes={"car": 0.0, "bus": 0.0})
    b = report(1, {CUT: 40.0}, tasks=("detection",), classes={"car": 0.0, "bus": 0.0}, models="new")
    store = tmp_path / "store"
    for found, share in ((a, 0.4), (b, 1.0)):
        detection(store / found.provenance.scores[0].evaluation, truth, detected(truth, share))
    found = compared(tmp_path, a, b, store)
    assert arm(found).method == "paired"
    assert [(m.name, m.outcome) for m in arm(found).metrics] == [("mAP", "improves"), ("AP50", "improves")]
    assert {c.name for c in arm(found).decided()} == {"bus", "car"}


@pytest.mark.parametrize(
    ("cut", "outcome"), [(25.3, "not decidable"), (25.5, "improves"), (22.5, "harms"), (24.0, "not decidable")]
)
def test_without_the_store_intervals_are_of_independent_estimates(tmp_path: Path, cut: float, outcome: str) -> None:
    found = compared(tmp_path, report(), report(1, scored_cut(cut), models="new"))
    change = metric(found)
    assert arm(found).method == "independent"
    assert change.outcome == outcome
    assert (change.low, change.high) == (
        pytest.approx(cut - 24 - 2**0.5, abs=1e-3),
        pytest.approx(cut - 24 + 2**0.5, abs=1e-3),
    )
    assert "independent estimates" in " ".join(found.notes)
    assert "not all of the evaluations are in the store (--store)" in arm(found).reason


def test_an_interval_within_the_margin_is_no_difference(tmp_path: Path) -> None:
    found = compared(tmp_path, report(half=0.1), report(1, scored_cut(24.1), half=0.1, models="new"))
    assert metric(found).outcome == "no difference"
    assert found.summary[-1] == "No score differs beyond the margin."


def test_classes_without_the_store_pass_an_adjustment(tmp_path: Path) -> None:
    names = dict.fromkeys([f"c{i}" for i in range(19)], 0.0)
    found = compared(tmp_path, report(classes=names), report(1, classes={**names, "c3": -3.2, "c4": 9.0}, models="n"))
    assert [c.name for c in arm(found).decided()] == ["c4"]
    assert next(c for c in arm(found).classes if c.name == "c3").outcome == "not decidable"
    assert "classes: c4 ▲ +9.0 [6.2, 11.8]" in told(found)


def test_damaged_evidence_falls_back_with_its_reason(tmp_path: Path) -> None:
    a, b = report(), report(1, models="new")
    store = tmp_path / "store"
    for found in (a, b):
        segmented(store, found, dict.fromkeys(ARMS, 0.3))
    (store / b.provenance.scores[0].evaluation / "confusion.parquet").write_bytes(b"no")
    found = compared(tmp_path, a, b, store)
    assert (arm(found, "real").method, arm(found).method) == ("independent", "paired")
    assert "confusion.parquet: cannot be read" in arm(found, "real").reason
    assert any(note.startswith("Real (Segmentation): ") for note in found.notes)


def test_evaluations_of_other_images_are_not_comparable(tmp_path: Path) -> None:
    a, b = report(arms={CUT: 24.0}), report(1, {CUT: 40.0}, models="new")
    store, truth = tmp_path / "store", truth_maps()
    segmentation(store / a.provenance.scores[0].evaluation, truth, truth)
    segmentation(store / b.provenance.scores[0].evaluation, truth[:7], truth[:7])
    found = compared(tmp_path, a, b, store)
    assert (arm(found).method, metric(found).outcome, metric(found).delta) == ("incomparable", None, None)
    assert "evaluate both on the same benchmark" in arm(found).reason


def test_seeds_in_common_are_paired_and_without_any_the_intervals_are_used(tmp_path: Path) -> None:
    store = tmp_path / "store"
    a = report(arms={CUT: 24.0}, seeds=(0, 1))
    for i, (seeds, method) in enumerate((((1, 2), "paired"), ((2, 3), "independent"))):
        b = report(1 + i, {CUT: 24.0}, seeds=seeds, models="new")
        for found in (a, b):
            for score in found.provenance.scores:
                if not (store / score.evaluation).exists():
                    segmentation(store / score.evaluation, truth_maps(), wrong(truth_maps(), 0.3, score.seed))
        assert arm(compared(tmp_path, a, b, store)).method == method
    assert "no seed in common" in arm(compared(tmp_path, a, b, store)).reason


def test_another_benchmark_gets_no_verdict(tmp_path: Path) -> None:
    found = compared(tmp_path, report(), report(1, scored_cut(90.0), benchmark="b2", models="new"))
    assert not found.comparable
    change = metric(found)
    assert (change.before, change.after, change.delta, change.outcome) == (24.0, 90.0, None, None)
    assert "benchmark: content (digest)" in keys(found.data)
    assert found.summary[-1].startswith("Scores of A and B are not comparable")
    assert "+66" not in told(found)


def test_other_classes_in_the_mean_get_no_verdict(tmp_path: Path) -> None:
    found = compared(tmp_path, report(), report(1, scored_cut(90.0), left_out=["sky"], models="new"))
    assert (arm(found).method, metric(found).delta) == ("incomparable", None)


def test_scores_that_moved_although_nothing_changed_are_drift(tmp_path: Path) -> None:
    found = compared(tmp_path, report(), report(1, scored_cut(23.5), flow="reevaluate"))
    assert arm(found).same_models
    assert found.summary[0] == "Nothing changed."
    assert "−0.5" in found.summary[1]
    assert found.summary[1].startswith("Segmentation, Translated (cut): mIoU −0.5")
    assert "drift" in found.summary[1]
    still = compared(tmp_path, report(), report(1, scored_cut(23.95), flow="reevaluate"))
    assert not any("drift" in line for line in still.summary)


def test_the_same_models_under_other_software(tmp_path: Path) -> None:
    b = report(1, scored_cut(20.0), flow="reevaluate")
    graph = b.provenance.model_copy(update={"environments": made_with(torch="2.12.0")})
    found = compared(tmp_path, report(), b.model_copy(update={"provenance": graph}))
    assert "torch 2.11.0 → 2.12.0" in found.summary[0]
    assert "The models are the same" in found.summary[1]
    assert "torch 2.11.0 → 2.12.0" in found.summary[1]


def test_several_changes_are_not_told_apart(tmp_path: Path) -> None:
    config = {**MORE, "retrain": {"arms": ["real", "source"], "seeds": [0], "segmentation": {"batch": 8}}}
    found = compared(tmp_path, report(), report(1, scored_cut(40.0), config=config, models="new"))
    (line,) = found.summary[1:]
    assert "2 changes that it depends on came together" in line
    assert line.endswith("translate.cut.training.iterations, retrain.segmentation.batch.")


@pytest.mark.parametrize(
    ("config", "cut", "real"),
    [
        ({"translate": {"translators": [{"name": "cut", "method": "fda"}]}}, True, False),
        (
            {"translate": {"translators": [*CONFIG["translate"]["translators"], {"name": "fda", "beta": 1}]}},
            False,
            False,
        ),
        ({"datasets": {"source": {"count": 9}}}, True, False),
        ({"datasets": {"target": {"count": 9}}}, True, True),
        ({"datasets": {"taxonomy": "other"}}, True, True),
        ({"audit": {"on_fail": "drop"}}, True, False),
        ({"audit": {"on_fail": "warn"}}, False, False),
        ({"retrain": {**CONFIG["retrain"], "detection": {"batch": 9}}}, False, False),
        ({"retrain": {**CONFIG["retrain"], "arms": ["real", "source", "translated(x)"]}}, False, False),
        ({"retrain": {**CONFIG["retrain"], "seeds": [0, 1]}}, True, True),
    ],
)
def test_a_change_is_put_down_only_to_what_an_arm_depends_on(
    tmp_path: Path, config: dict[str, Any], cut: bool, real: bool
) -> None:
    seeds = config.get("retrain", CONFIG["retrain"])["seeds"]
    scores = {"real": 50.0, "source": 20.0, CUT: 34.0}
    b = report(1, scores, config={**CONFIG, **config}, models="new", seeds=seeds)
    lines = compared(tmp_path, report(), b).summary[1:]
    blamed = {
        name: "drift" not in next(line for line in lines if line.startswith(f"Segmentation, {name}:"))
        for name in ("Translated (cut)", "Real")
    }
    assert blamed == {"Translated (cut)": cut, "Real": real}


def test_what_a_setting_does_to_the_data_is_no_second_cause(tmp_path: Path) -> None:
    b = report(1, scored_cut(40.0), config={**CONFIG, "datasets": {"source": {"count": 9}}}, models="new")
    rows = [d.model_copy(update={"images": 9, "digest": "o"}) if d.role == "source" else d for d in b.datasets]
    b = b.model_copy(update={"datasets": tuple(rows)})
    found = compared(tmp_path, report(), b)
    assert len(found.data) == 2
    assert found.summary[0] == "Changed: datasets.source.count (new in B)."
    grown = report(1, scored_cut(40.0), models="new")
    nodes = dict(grown.provenance.nodes)
    nodes["dataset/key source"] = nodes["dataset/key source"].model_copy(update={"digest": "o"})
    nodes = {k: n.model_copy(update={"digest": f"{n.digest} of o"}) if n.inputs else n for k, n in nodes.items()}
    graph = grown.provenance.model_copy(update={"nodes": nodes})
    grown = compared(tmp_path, report(), grown.model_copy(update={"datasets": tuple(rows), "provenance": graph}))
    assert grown.summary[0] == "Changed: source: images 48 → 9."


def test_what_scores_do_not_depend_on_is_no_cause(tmp_path: Path) -> None:
    config = {**CONFIG, "report": {"language": "ko"}}
    found = compared(tmp_path, report(), report(1, config=config, models="new"))
    assert found.summary[0] == "Nothing changed that scores depend on (1 other difference)."


def test_arms_of_one_side(tmp_path: Path) -> None:
    found = compared(tmp_path, report(), report(1, {"real": 40.0, "translated(vsait)": 30.0}, models="new"))
    assert [(o.side, o.arm, o.value) for o in found.only] == [
        ("before", "source", 20.0),
        ("before", CUT, 24.0),
        ("after", "translated(vsait)", 30.0),
    ]
    assert "Only in B: Segmentation, Translated (vsait), mIoU 30.0" in told(found)
    assert keys(found.translators) == {"vsait": (None, "present"), "cut": ("present", None)}


def test_every_kind_of_path(tmp_path: Path) -> None:
    run = written(report(), tmp_path / "run" / "report" / "report.json")
    kept = archive(run, tmp_path / "run")
    written(report(1, flow="reevaluate"), tmp_path / "run" / "nightly" / "2026-03-02" / "report" / "report.json")
    for path in (tmp_path / "run", run, run.parent, kept):
        assert compare_runs(path, path, tmp_path).a.flow == "augment"
    assert compare_runs(tmp_path / "run", tmp_path / "run/nightly/2026-03-02", tmp_path).b.flow == "reevaluate"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no such file or folder"),
        ("{half", "not a report: no valid JSON"),
        ("[1]", "not a report: it names no schema"),
        ('{"schema": 2}', "a report of schema 2, and this version reads 3, 4; run its flow again"),
        ('{"schema": 3}', "not a whole report: title: Field required"),
        ('{"schema": 4}', "not a whole report: title: Field required"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, told: str
) -> None:
    good, bad = written(report(), tmp_path / "good.json"), tmp_path / "bad.json"
    if content is not None:
        bad.write_text(content)
    assert invoke(["report", "compare", str(good), str(bad)]) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert out.err == f"{bad}: {told}\n"


def test_a_folder_without_a_report(tmp_path: Path) -> None:
    with pytest.raises(NotAReport, match=r"no report here: neither report\.json nor report/report\.json"):
        compare_runs(tmp_path, tmp_path, tmp_path)


def test_the_command_in_every_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = written(report(), tmp_path / "a.json")
    b = written(report(1, scored_cut(30.0), config=MORE, models="new"), tmp_path / "b.json")
    said = {}
    for form in ("text", "md", "json"):
        assert invoke(["report", "compare", str(a), str(b), "--format", form, "--store", str(tmp_path)]) == 0
        said[form] = capsys.readouterr().out
    found = Compared.model_validate_json(said["json"])
    assert json.loads(said["json"])["schema"] == 1
    for form in ("text", "md"):
        assert "+6.0" in said[form]
    assert "| Translated (cut) | mIoU | 24.0 | 30.0 | ▲ +6.0 [4.6, 7.4] |" in said["md"]
    assert "mIoU +6.0 [4.6, 7.4]; classes: road +6.0 [3.2, 8.8], sky +6.0 [3.2, 8.8]. The" in found.summary[-1]
    assert invoke(["report", "compare", str(a), str(b), "--language", "ko"]) == 0
    assert "변경:" in capsys.readouterr().out


def test_the_text_fits_80_columns_and_escapes_markup(tmp_path: Path) -> None:
    bad = "[red]<b>|x"
    arms = {**ARMS, f"translated({bad})": 24.0}
    config = {**MORE, "datasets": {"source": {"root": "/a/very/long/path/" + "x" * 100}}}
    found = compared(
        tmp_path, report(arms=arms), report(1, {**arms, f"translated({bad})": 40.0}, config=config, models="n")
    )
    text = told(found)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "[red]<b>|x" in text
    page = render_markdown(found)
    assert "<b>" not in page
    assert "\\[red\\]&lt;b&gt;\\|x" in page


def test_in_the_language_of_b(tmp_path: Path) -> None:
    found = compared(tmp_path, report(), report(1, scored_cut(30.0), config=MORE, models="new", language="ko"))
    assert found.language == "ko"
    assert "설정" in told(found)
    assert compared(tmp_path, report(), report(language="ko"), language="en").summary[0] == "Nothing changed."


def test_a_report_without_its_configuration_says_so(tmp_path: Path) -> None:
    found = compared(tmp_path, report(), report(1, scored_cut(40.0), config={}, models="new"))
    assert found.config == ()
    assert "leaves open what changed in the configuration" in found.summary[1]
    assert found.summary[2].endswith("What it can be put down to is not known without both configurations.")


def test_the_history_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive(written(report(), tmp_path / "report.json"), tmp_path)
    assert invoke(["report", "history", str(tmp_path), "--language", "ko"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'history.html'}\n"
    assert 'lang="ko"' in (tmp_path / "history.html").read_text(encoding="utf-8")
    assert invoke(["report", "history", str(tmp_path / "none")]) == 2
    assert "no archive of reports here" in capsys.readouterr().err
