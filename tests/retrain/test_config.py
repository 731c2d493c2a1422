"""The retrain section: what spreads the models, and where its files are."""

from importlib.machinery import ModuleSpec
from pathlib import Path

import cloudpickle
import pytest
from pydantic import ValidationError

from tasks.retrain.config import RetrainConfig, Weights
from tasks.retrain.make_model import key_of

SEGMENTATION = {"config": "configs/networks/segmentation/fpn_r18_cpu.py", "iterations": 4}


def installed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Pretend that of the runners' packages these are there."""
    monkeypatch.setattr(
        "tasks.retrain.config.find_spec", lambda name: ModuleSpec(name, None) if name in names else None
    )


def test_threads_on_all_gpus_by_default() -> None:
    config = RetrainConfig()
    assert (config.runner, config.cluster, config.gpus) == ("threads", None, 0)


@pytest.mark.parametrize("runner", ["dask", "ray"])
def test_missing_extra_is_named(runner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch)
    with pytest.raises(
        ValidationError, match=rf"{runner} is not installed: pip install 'sim2real-pipeline\[{runner}\]'"
    ):
        RetrainConfig.model_validate({"runner": runner})
    installed(monkeypatch, f"prefect_{runner}")
    assert RetrainConfig.model_validate({"runner": runner}).runner == runner


def test_cluster_needs_a_runner_that_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="'tcp://head:8786' needs runner: dask or runner: ray"):
        RetrainConfig(cluster="tcp://head:8786")
    installed(monkeypatch, "prefect_dask")
    assert RetrainConfig(runner="dask", cluster="tcp://head:8786").cluster == "tcp://head:8786"


@pytest.mark.parametrize("wrong", [{"gpus": -1}, {"runner": "slurm"}, {"runner": "threads", "cluster": ""}])
def test_impossible_values_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RetrainConfig.model_validate(wrong)


def test_absolute_paths_are_the_same_training() -> None:
    init = Weights(path=Path("weights.pth"), sha256="0" * 64)
    config = RetrainConfig.model_validate({"segmentation": {**SEGMENTATION, "init": init}})
    moved = config.absolute().segmentation
    assert moved.config == Path.cwd() / SEGMENTATION["config"]
    assert moved.init.path == Path.cwd() / "weights.pth"
    assert key_of(moved) == key_of(config.segmentation)
    assert config.absolute().detection is None


def test_config_travels_to_another_process() -> None:
    config = RetrainConfig.model_validate({"segmentation": SEGMENTATION, "seeds": [0, 3]})
    assert cloudpickle.loads(cloudpickle.dumps(config)) == config
