"""The command ``sim2real``: help, light start-up, any working directory, and what it ends with."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli.app import app, invoke
from flows.cli.status import FAILED, status_of

ROOT = Path(__file__).resolve().parents[2]


def commands() -> list[tuple[str, ...]]:
    """Every command of the program, as it is typed."""
    found = []
    for name in (n for n in app if not n.startswith("-")):
        inner = [n for n in app[name] if not n.startswith("-")]
        found += [(name, n) for n in inner] or [(name,)]
    return found


def sim2real(*arguments: str, cwd: Path = ROOT, code: str = "") -> subprocess.CompletedProcess[str]:
    """Run it from a folder, in a process of its own; ``code`` runs instead of the command where it is given."""
    program = ["-c", code] if code else ["-m", "flows"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
    )


def test_the_commands_are_those_of_the_plan() -> None:
    assert {" ".join(c) for c in commands()} >= {
        *("run", "smoke", "audit", "train", "reevaluate", "version", "data check", "data show", "data export"),
        *("store ls", "store show", "store verify", "store gc", "report compare", "report history"),
        *("translator export", "translator import", "plan", "init", "doctor"),
    }


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke([*command, "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"Usage: sim2real {' '.join(command)}" in told
    assert f"Example: sim2real {' '.join(command)}" in told


def test_help_states_what_it_ends_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    statuses = ("0 fine", "1 failed", "2 a configuration", "3 a gate", "4 regression", "5 incomplete matrix")
    assert all(status in told for status in statuses)
    assert "--install-completion" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run"], "CONFIG requires an argument"),
        (["go"], 'Unknown command "go"'),
        (["run", "none.yaml"], "none.yaml: cannot be read"),
        (["run", "configs/pipelines/smoke.yaml", "--set", "retrain.seeds"], "write it as key=value"),
        (["smoke", "--set", "retrain.detection.iteration=5"], "retrain.detection.iteration: unknown key"),
        (["train", "configs/pipelines/smoke.yaml"], "translator: required, but not given"),
        (["reevaluate", "configs/pipelines/smoke.yaml", "--night", "today"], "write a date as 2026-01-31"),
        (["data", "export", "x.yaml", "--format", "voc", "--to", "y"], 'Choose from: "coco"'),
        (["report", "compare", "none", "none"], "none: no such file or folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_or_configuration_is_told_in_lines(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(arguments) == 2
    error = capsys.readouterr().err
    assert told in error
    assert all(told in line or line.startswith(arguments[1]) for line in error.splitlines())  # a line a problem


def test_statuses_are_those_of_the_classes_that_the_rooms_raise() -> None:
    from flows.publish import IncompleteRun
    from flows.reevaluate import ScoresDrifted
    from tasks.audit.gate import AuditFailed
    from tasks.compute.gpus import GpuError
    from tasks.compute.process import ProcessError, RefusedError
    from tasks.contracts.finding import Finding
    from tasks.datasets.errors import ChecksFailed, DatasetError, ImageError, TaxonomyError
    from tasks.settings.reading import ConfigError
    from tasks.store.manifest import StoreError
    from tasks.translate.errors import WeightsError
    from tasks.translate.export import ExportError
    from tasks.trends.comparing.find import NotAReport

    found = Finding.of("data.empty")
    told = [ConfigError("x"), TaxonomyError(found), DatasetError(found), ChecksFailed(found), NotAReport("x")]
    told.append(RefusedError("x"))
    assert {status_of(e) for e in (*told, ImageError(Path("x"), found))} == {2}
    assert [status_of(e) for e in (AuditFailed("x"), ScoresDrifted("x"), IncompleteRun([]))] == [3, 4, 5]
    failed = (StoreError("x"), ProcessError("x"), GpuError("x"), ExportError("x"), WeightsError("x"))
    assert {status_of(e) for e in failed} == {FAILED}
    assert status_of(ValueError("x")) is None


def test_starting_is_light() -> None:
    heavy = "print(sorted({'prefect', 'torch', 'numpy', 'pydantic', 'mmengine'} & set(sys.modules)))"
    code = f"import sys; from flows.cli.app import invoke; invoke(['--help']); {heavy}"
    assert sim2real(code=code).stdout.splitlines()[-1] == "[]"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert sim2real("--help").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1  # whatever else this machine does
    code = f"import sys; from flows.cli.app import invoke; invoke(['run', 'none.yaml']); {heavy}"
    assert not {"prefect", "torch", "mmengine"} & set(eval(sim2real(code=code).stdout.splitlines()[-1]))


def test_any_working_directory(tmp_path: Path) -> None:
    few = ("--role", "benchmark", "--set", "datasets.benchmark.count=2", "--images", "1")
    done = sim2real("data", "show", "configs/pipelines/smoke.yaml", *few, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "smoke" / "datasets.html").is_file()
    assert (tmp_path / ".store" / "dataset").is_dir()


def test_module_and_function_names_are_what_the_script_starts() -> None:
    import tomllib

    script = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["sim2real"]
    assert script == "flows.cli.app:main"
