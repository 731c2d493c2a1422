"""``sim2real doctor`` and ``version``: what is told of a machine and of a configuration's needs."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows import doctor
from flows.cli.app import invoke
from tasks.datasets.config import RunConfig

TINY = ("--set", "datasets.source.count=4", "--set", "retrain.seeds=[0]")
SMOKE = "configs/pipelines/smoke.yaml"


def test_version_names_the_code_and_what_it_runs_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["version"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("sim2real 0.")
    assert ", Python 3." in told
    assert ", torch 2." in told


def test_a_machine_that_can_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "shared_memory_free", lambda: 8 << 30)
    monkeypatch.setattr(doctor, "_LOW_DISK", 0)
    places = ("--set", f"store={tmp_path}/store", "--set", f"output={tmp_path}/runs")
    assert invoke(["doctor", SMOKE, *TINY, *places]) == 0
    told = capsys.readouterr().out
    assert "wrong" not in told
    assert "of a size not known before" in told
    assert "8.6 GB" in told
    assert not (tmp_path / "store").exists()


def test_images_are_estimated_from_the_table_of_the_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    places = ("--set", f"store={tmp_path}/store", "--set", f"output={tmp_path}/runs")
    assert invoke(["data", "show", SMOKE, *TINY, *places, "--role", "source", "--images", "1"]) == 0
    capsys.readouterr()
    invoke(["doctor", SMOKE, *TINY, *places])
    # Four translators, four images of 256x128 pixels each.
    needed = f"4 sets of 4 images: {4 * 4 * 256 * 128 * 3 / 1e6:.1f} MB at most"
    assert needed in capsys.readouterr().out
    monkeypatch.setattr(doctor, "_LOW_DISK", 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_500_000))
    assert invoke(["doctor", SMOKE, *TINY, *places]) == 1
    assert f"wrong translated images {needed}" in " ".join(capsys.readouterr().out.split())


def test_what_would_stop_a_run_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "shared_memory_free", lambda: 64 << 20)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".store").write_text("")
    monkeypatch.setenv("PREFECT_HOME", "~nobody-of-this-name/prefect")
    assert invoke(["doctor"]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "ok free shared memory 67.1 MB: too little for most loaders" in told  # none are used unless asked for
    assert "wrong store" in told
    assert "wrong PREFECT_HOME" in told
    assert "set HOME or PREFECT_HOME" in told
    assert RunConfig.model_fields["store"].default == Path(".store")


def test_a_configuration_that_cannot_run_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    weights = "retrain.detection.init={path: none.pth, sha256: '" + "0" * 64 + "'}"
    assert invoke(["doctor", SMOKE, "--set", weights]) == 2
    assert "none.pth" in capsys.readouterr().err
