"""The whole chain on real libraries, tiny: what it leaves, what a second run repeats, what a failed arm costs."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import torch
from prefect.artifacts import Artifact

from flows.augment import augment
from flows.cli.app import invoke
from flows.cli.status import CONFIGURATION, FINE, GATE, INCOMPLETE, REGRESSION
from flows.config import PipelineConfig
from flows.publish import IncompleteRun
from flows.reevaluate import ScoresDrifted, reevaluate
from tasks.contracts.record import RunRecord
from tasks.store.digest import file_sha256
from tasks.store.files import write_json
from tasks.store.recipe import Recipe
from tasks.store.store import Store

Command = Callable[..., int]
pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, write_tiny: Callable[[Path], Path]) -> Path:
    return write_tiny(tmp_path_factory.mktemp("chain"))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command line to its exit status as the process that is started for a flow does, in this one."""
    monkeypatch.setattr("tasks.compute.supervised", lambda: True)
    monkeypatch.setattr("tasks.compute.die_with_parent", lambda: None)
    return lambda *arguments: invoke([str(a) for a in arguments])


@pytest.fixture(scope="module")
def first(config: Path, prefect_server: None) -> RunRecord:
    return augment(config)


def timings(config: Path) -> dict[str, dict[str, Any]]:
    return json.loads((config.parent / "runs" / "tiny" / "timings.json").read_text())


def built(config: Path, **overrides: Any) -> set[str]:
    """Run again with changes; returns the stages that were not found in the store."""
    augment(config, {key.replace("__", "."): value for key, value in overrides.items()})
    return {stage for stage, told in timings(config).items() if not told["cached"]}


def test_a_run_leaves_report_record_and_timings(config: Path, first: RunRecord) -> None:
    folder = config.parent / "runs" / "tiny"
    left = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    reports = {f"report/report.{suffix}" for suffix in ("html", "json", "md")}
    rejected = {f"rejected/{role}.csv" for role in ("source", "target", "benchmark")}
    audits = {f"audit/{name}/{file}" for name in ("reinhard", "fda") for file in ("audit.json", "images.parquet")}
    assert left >= reports | rejected | audits | {"comparison.json", "timings.json", "run.json", "config.yaml"}
    assert {(r.task, r.arm) for r in first.results} == {
        (task, arm) for task in ("detection", "segmentation") for arm in ("source", "translated(fda)")
    }
    assert first.failures == ()
    told = json.loads((folder / "report" / "report.json").read_text())
    assert len(told["tables"]) == 2
    assert told["command"].endswith(".venv/bin/sim2real run config.yaml")
    assert PipelineConfig.model_validate(told["config"]).name == "tiny"
    costs = {cost["artifact"].partition("/")[0]: cost["peak_memory"] for cost in told["costs"]}
    assert all(costs[kind] > 100e6 for kind in ("model", "evaluation", "translated"))
    assert left >= {f"report/tables/scores_{task}.csv" for task in ("detection", "segmentation")}
    assert left >= {"report/figures/differences_segmentation.png", "report/config.yaml", "history.html"}


def test_prefect_shows_progress_report_and_its_place(config: Path, first: RunRecord) -> None:
    progress, text, place = (Artifact.get(f"{what}-tiny") for what in ("progress", "report", "page"))
    assert progress
    assert float(progress.data) == 100.0  # type: ignore[arg-type]
    assert "last: report written" in str(progress.description)
    assert text
    assert "mIoU" in str(text.data)
    assert place
    page = config.parent / "runs" / "tiny" / "report" / "report.html"
    assert page.as_uri() in str(place.data)


def test_second_run_finds_everything(config: Path, first: RunRecord) -> None:
    assert built(config) == set()


def test_a_change_repeats_what_depends_on_it_and_nothing_else(config: Path, first: RunRecord) -> None:
    assert built(config, report__title="Another title") == {"report"}
    stages = built(config, translate__translators=[{"method": "reinhard"}, {"method": "fda", "beta": 0.2}])
    cells = {
        f"{stage} {task} translated(fda) seed 0"
        for stage in ("retrain", "evaluate")
        for task in ("detection", "segmentation")
    }
    assert stages == {"translate fda", "audit fda", "compare arms", "report"} | cells


_FAILED = (  # the judge, whose weights are the same, and both arms
    r"3 of the matrix's models failed(.|\n)*detection real seed 0: as the audit's judge(.|\n)*detection source seed 0"
)


def test_failed_arm_is_named_and_the_rest_is_reported(config: Path, first: RunRecord) -> None:
    other = config.with_name("other.pth")
    torch.save({"state_dict": {"a": torch.zeros(1)}}, other)  # weights, but of another network
    weights = {"path": str(other), "sha256": file_sha256(other)}
    with pytest.raises(IncompleteRun, match=_FAILED):
        augment(config, {"retrain.detection.init": weights})
    told = (config.parent / "runs" / "tiny" / "report" / "report.md").read_text()
    assert "does not fit" in told
    assert "mIoU" in told


def test_reevaluation_scores_again_without_training(config: Path, first: RunRecord) -> None:
    augment(config)
    gone = {"path": str(config.parent / "gone.pth"), "sha256": "0" * 64}  # only a training begins from it
    night = reevaluate(config, {"retrain.detection.init": gone}, night=date(2026, 1, 2))
    assert all(not r.evaluation.cached for r in night.results)
    assert [r.model for r in night.results] == [r.model.model_copy(update={"cached": True}) for r in first.results]
    folder = config.parent / "runs" / "tiny" / "nightly" / "2026-01-02"
    changes = json.loads((folder / "changes.json").read_text())
    assert len(changes) == 4
    assert all(c["before"] == pytest.approx(c["after"], abs=1e-6) for c in changes)
    assert (folder / "report" / "report.html").is_file()
    told = json.loads((folder / "report" / "report.json").read_text())
    assert told["flow"] == "reevaluate"
    kept = [p.name.split("-", 1)[1].rsplit("-", 1)[0] for p in (folder.parents[1] / "history").glob("*.json")]
    assert kept.count("reevaluate") == 1
    assert "2026-01-02" in str(Artifact.get("page-tiny-2026-01-02").description)  # type: ignore[union-attr]


def test_the_audit_alone_finds_the_chains_work_and_stops_where_it_says_no(
    config: Path, first: RunRecord, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    augment(config)
    assert command("audit", config) == FINE
    assert command("audit", config, "--set", "audit=null") == CONFIGURATION
    assert "audit: pipeline 'tiny' has none" in capsys.readouterr().err
    judged = ("--set", "datasets.source.count=6", "--set", "audit.thresholds.geometry=0")  # fewer are not judged
    assert command("audit", config, *judged) == GATE
    assert "the audit of reinhard stops the run before retraining" in capsys.readouterr().err


def test_a_moved_store_is_found_again(config: Path, first: RunRecord, tmp_path: Path) -> None:
    here, elsewhere = config.parent / "store", tmp_path / "elsewhere"
    augment(config)
    here.rename(elsewhere)
    try:
        assert built(config, store=str(elsewhere)) <= {"report"}  # which shows the resolved configuration
        reevaluate(config, {"store": str(elsewhere)}, night=date(2026, 1, 4))
        new = built(
            config, store=str(elsewhere), retrain__seeds=[0, 1], retrain__arms=["source"], retrain__detection=None
        )
        trained = {stage for stage in new if stage.startswith("retrain")}
        assert trained == {"retrain segmentation source seed 1"}
    finally:
        elsewhere.rename(here)


def test_reevaluation_notices_drift_and_damage(
    config: Path, first: RunRecord, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    augment(config)
    path = config.parent / "runs" / "tiny" / "run.json"
    record = RunRecord.from_json(path.read_bytes(), config.parent / "store")
    segmenter = next(r for r in record.results if r.task == "segmentation")

    def other_scores(folder: Path) -> None:
        write_json(folder / "scores.json", {"images": 1, "classes": [], "metrics": {"mIoU": 0.9}})

    other = Store(config.parent / "store").build(
        Recipe("evaluation", config={}, inputs={}, code="1"), make=other_scores
    )
    drifted = [r.model_copy(update={"evaluation": other}) if r == segmenter else r for r in record.results]
    write_json(path, record.model_copy(update={"results": tuple(drifted)}).to_json())
    with pytest.raises(ScoresDrifted, match=r"segmentation source seed 0: mIoU 0\.9 ->"):
        reevaluate(config, night=date(2026, 1, 2))
    assert command("reevaluate", config, "--night", "2026-01-02") == REGRESSION
    checkpoint = segmenter.model.file("checkpoint.pth")
    checkpoint.write_bytes(b"x" * checkpoint.stat().st_size)
    with pytest.raises(IncompleteRun, match=r"checkpoint\.pth has SHA-256"):
        reevaluate(config, night=date(2026, 1, 3))
    shutil.rmtree(segmenter.model.path)
    assert command("reevaluate", config, "--night", "2026-01-03") == INCOMPLETE
    assert "is damaged (no valid artifact.json)" in capsys.readouterr().err
