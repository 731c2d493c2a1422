"""The compute section: what spreads the work, and on what; and what its keys were called before."""

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from pydantic import ValidationError

from flows.config import PipelineConfig, TrainTranslatorConfig
from tasks.compute.config import ComputeConfig
from tasks.settings.loading import load
from tasks.settings.reading import ConfigError

SMOKE = Path("configs/pipelines/smoke.yaml")


def installed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Pretend that of the runners' packages these are there."""
    monkeypatch.setattr(
        "tasks.compute.config.find_spec", lambda name: ModuleSpec(name, None) if name in names else None
    )


def test_threads_on_all_gpus_by_default() -> None:
    config = ComputeConfig()
    assert (config.runner, config.cluster, config.gpus) == ("threads", None, 0)


@pytest.mark.parametrize("runner", ["dask", "ray"])
def test_missing_extra_is_named(runner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch)
    with pytest.raises(
        ValidationError, match=rf"{runner} is not installed: pip install 'sim2real-pipeline\[{runner}\]'"
    ):
        ComputeConfig.model_validate({"runner": runner})
    installed(monkeypatch, f"prefect_{runner}")
    assert ComputeConfig.model_validate({"runner": runner}).runner == runner


def test_cluster_needs_a_runner_that_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="'tcp://head:8786' needs runner: dask or runner: ray"):
        ComputeConfig(cluster="tcp://head:8786")
    installed(monkeypatch, "prefect_dask")
    assert ComputeConfig(runner="dask", cluster="tcp://head:8786").cluster == "tcp://head:8786"


IMPOSSIBLE = [{"gpus": -1}, {"runner": "slurm"}, {"runner": "threads", "cluster": ""}, {"stalled_after": 0}]


@pytest.mark.parametrize("wrong", IMPOSSIBLE)
def test_impossible_values_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ComputeConfig.model_validate(wrong)


def test_both_kinds_of_runs_have_the_section() -> None:
    for path, model in ((SMOKE, PipelineConfig), (Path("configs/translators/cut-smoke.yaml"), TrainTranslatorConfig)):
        assert load(path, model, ["compute.workers=3"]).compute.workers == 3


@pytest.mark.parametrize("key", ["device", "gpus", "workers", "loaders", "runner", "cluster"])
def test_old_key_is_told_its_new_place_at_its_line(key: str, tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    text = SMOKE.read_text().replace("../translators", str(Path("configs/translators").absolute()))
    path.write_text(text.replace("retrain:\n", f"retrain:\n  {key}: 1\n"))
    line = path.read_text().splitlines().index(f"  {key}: 1") + 1
    with pytest.raises(ConfigError, match=rf"old\.yaml:{line}: retrain\.{key}: is compute\.{key} now$"):
        load(path, PipelineConfig)


def test_audit_is_no_part_of_evaluate_any_more() -> None:
    with pytest.raises(ConfigError, match=r"evaluate\.audit: is audit now$"):
        load(SMOKE, PipelineConfig, ["evaluate.audit.seed=3"])


def test_a_translators_gpus_are_told_where_they_come_from() -> None:
    gone = r"training\.gpus: is gone: a batch is divided among as many of compute\.gpus"
    with pytest.raises(ConfigError, match=rf"translators\.3\.{gone}"):
        load(SMOKE, PipelineConfig, ["translate.translators.3.training.gpus=2"])
    with pytest.raises(ConfigError, match=rf"translator\.{gone}"):
        load(Path("configs/translators/cut-smoke.yaml"), TrainTranslatorConfig, ["translator.training.gpus=2"])


def test_a_key_that_never_was_is_unknown() -> None:
    with pytest.raises(ConfigError, match=r"retrain\.gpu: unknown key$"):
        load(SMOKE, PipelineConfig, ["retrain.gpu=1"])
