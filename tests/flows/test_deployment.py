"""The README's loop against a real local server, worker and subprocess; and what parameters the deployments offer."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint

from flows.config import PipelineConfig, TrainTranslatorConfig
from tasks.settings.loading import load

ROOT = Path(__file__).resolve().parents[2]
PREFECT = str(Path(sys.executable).parent / "prefect")
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]


def test_deployments_and_their_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_ROOT", "data")
    offered = {}
    for deployment in DEPLOYMENTS:
        flow = load_flow_from_entrypoint(deployment["entrypoint"])
        schema = json.loads(json.dumps(flow.parameters.model_dump_for_openapi()))
        model = TrainTranslatorConfig if flow.name == "train-translator" else PipelineConfig
        load(Path(deployment["parameters"]["config"]), model)
        forms = {branch.get("$ref", branch.get("format")) for branch in schema["properties"]["config"]["anyOf"]}
        offered[f"{flow.name}/{deployment['name']}"] = (sorted(schema["properties"]), forms)
    pipeline = {"#/definitions/PipelineConfig", "path"}
    assert offered == {
        "augment/morai2cityscapes": (["config", "overrides"], pipeline),
        "augment/smoke": (["config", "overrides"], pipeline),
        "train-translator/cut-morai2cityscapes": (
            ["config", "overrides"],
            {"#/definitions/TrainTranslatorConfig", "path"},
        ),
        "reevaluate/nightly": (["config", "night", "overrides"], pipeline),
    }


def test_nightly_has_a_time_zone_and_no_company() -> None:
    (nightly,) = (d for d in DEPLOYMENTS if d["name"] == "nightly")
    assert nightly["concurrency_limit"] == 1
    assert nightly["schedules"][0]["timezone"]
    assert len(nightly["schedules"][0]["cron"].split()) == 5


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server on a free port with an empty PREFECT_HOME, and what a terminal needs to talk to it."""
    home = tmp_path_factory.mktemp("prefect")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        **{k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")},
        "COLUMNS": "200",  # tables would cut names off
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(
            [PREFECT, "server", "start", "--port", str(port)], env=settings, cwd=ROOT, stdout=log, stderr=log
        )
    try:
        _wait_until_healthy(settings["PREFECT_API_URL"], server)
        yield settings
    finally:
        server.terminate()
        server.wait(30)


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < end, "the server did not start in time"
            time.sleep(0.3)


def prefect(environment: dict[str, str], *arguments: str, **options: Any) -> str:
    done = subprocess.run(
        [PREFECT, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, f"prefect {' '.join(arguments)}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_readme_loop(environment: dict[str, str], tmp_path: Path) -> None:
    prefect(environment, "work-pool", "create", "local", "--type", "process")
    prefect(environment, "--no-prompt", "deploy", "--all")
    listed = prefect(environment, "deployment", "ls")
    assert all(d["name"] in listed for d in DEPLOYMENTS)
    overrides = {
        "store": str(tmp_path / "store"),
        "output": str(tmp_path / "runs"),
        "datasets.source.count": 4,
        "datasets.target.count": 3,
        "datasets.benchmark.count": 2,
        "translate.translators": [{"method": "reinhard"}],
        "retrain.arms": ["source"],
        "retrain.detection": None,
        "retrain.segmentation.iterations": 2,
        "retrain.segmentation.log_every": 1,
    }
    worker = subprocess.Popen(
        [PREFECT, "worker", "start", "--pool", "local"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        run = ("deployment", "run", "augment/smoke", "--watch", "--watch-timeout", "300")
        told = prefect(environment, *run, "--param", f"overrides={json.dumps(overrides)}")
    finally:
        worker.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it may wait for a poll that is under way
            worker.wait(30)
        worker.kill()
    assert "Completed" in told or "finished successfully" in told, told
    assert (tmp_path / "runs" / "smoke" / "report" / "report.html").is_file()
    end = time.monotonic() + 30  # the last lines are sent after the run has been told to be completed
    while not any("Iter(train)" in message for message in _logged(environment["PREFECT_API_URL"])):
        assert time.monotonic() < end, "the training's progress is not among the flow run's logs"
        time.sleep(0.5)


def _logged(url: str) -> list[str]:
    """What the flow runs logged to the server."""
    body = json.dumps({"sort": "TIMESTAMP_ASC", "limit": 200}).encode()
    request = urllib.request.Request(f"{url}/logs/filter", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return [entry["message"] for entry in json.load(answer)]
