"""A run's folder: one writer at a time, and at any moment the earlier report or the new one."""

import multiprocessing
import random
import threading
import time
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from flows import publish
from tasks.contracts.artifact import Artifact
from tasks.store.recipe import Recipe
from tasks.store.store import Store

FILES = [f"{folder}/{n}.txt" for folder in ("", "tables", "figures") for n in range(3)]


@pytest.fixture
def reports(tmp_path: Path) -> list[Artifact]:
    """Two reports, whose files all say which one they are of."""

    def build(text: str) -> Artifact:
        def make(work: Path) -> None:
            for name in [*FILES, f"only-{text}.txt"]:
                path = work / name.removeprefix("/")
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)

        return Store(tmp_path / "store").build(Recipe("report", config={"text": text}, inputs={}, code="1"), make)

    return [build("one"), build("two")]


def whole(folder: Path) -> str:
    """Which report lies in a folder, all of it and nothing else."""
    found = {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}
    (text,) = set(found.values())
    assert found.keys() == {name.removeprefix("/") for name in [*FILES, f"only-{text}.txt"]}
    return text


def replace_without_end(reports: list[Artifact], folder: Path) -> None:
    for report in cycle(reports):
        publish._replace(report, folder)


def test_a_kill_leaves_the_earlier_report_or_the_new_one(reports: list[Artifact], tmp_path: Path) -> None:
    folder, rng = tmp_path / "run" / "report", random.Random(0)
    began = time.monotonic()
    publish._replace(reports[0], folder)
    took, kills, seen = time.monotonic() - began, 0, set()
    while kills < 8 or seen != {"one", "two"}:
        process = multiprocessing.get_context("fork").Process(target=replace_without_end, args=(reports[::-1], folder))
        process.start()
        time.sleep(rng.uniform(0, 6 * took))
        process.kill()
        process.join()
        kills += 1
        seen.add(whole(folder))
        assert kills < 60, "it never came to a second report"
    publish._replace(reports[0], folder)
    assert [p.name for p in folder.parent.iterdir()] == ["report"]


def test_without_an_exchange_the_new_report_is_there(
    reports: list[Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.store.swap._exchanged", lambda *_: False)
    for report, text in zip(reports * 2, ["one", "two"] * 2, strict=True):
        publish._replace(report, tmp_path / "report")
        assert whole(tmp_path / "report") == text
    assert {p.name for p in tmp_path.iterdir()} == {"report", "store"}


def test_a_run_folder_has_one_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    settings: Any = type("Settings", (), {"folder": tmp_path / "tiny", "name": "tiny"})
    inside: list[str] = []

    def write(_settings: Any, record: Any, *_: Any) -> None:
        inside.append(f"{record} begins")
        time.sleep(1.3)
        inside.append(f"{record} ends")

    monkeypatch.setattr(publish, "_publish", write)
    runs = [threading.Thread(target=publish.publish, args=(settings, name, None)) for name in ("a", "b")]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    first, second = inside[0][0], inside[2][0]
    assert inside == [f"{first} begins", f"{first} ends", f"{second} begins", f"{second} ends"]
    (told,) = {r.message for r in caplog.records}
    assert told.startswith("publishing tiny: waiting for process ")
