"""``sim2real store``: what it lists, shows, verifies and deletes."""

import json
import os
from pathlib import Path

from flows.cli.app import invoke
from tasks.store.recipe import Recipe
from tasks.store.store import Store


def test_store(tmp_path: Path, capsys) -> None:
    recipe = Recipe("text", config={"text": "hello"}, inputs={}, code="1")

    def make(folder: Path) -> None:
        (folder / "a.txt").write_text("hello")

    artifact = Store(tmp_path).build(recipe, make)

    def store(*arguments: str) -> int:
        return invoke(["store", *arguments, "--root", str(tmp_path)])

    assert store("ls") == 0
    assert store("show", artifact.key[:6]) == 0
    shown = capsys.readouterr().out
    assert json.loads(shown[shown.index("{") :])["key"] == artifact.key
    assert store("verify") == 0
    (artifact.path / "a.txt").write_text("HELLO")
    assert store("verify") == 1
    assert store("show", "zzz") == 1
    assert store("verify", "zzz") == 1
    os.utime(artifact.path, (1, 1))
    assert store("gc", "--dry-run") == 0
    assert artifact.path.exists()
    assert store("gc") == 0
    assert not artifact.path.exists()
    capsys.readouterr()
    assert store("verify") == 1
    assert capsys.readouterr().err == f"no artifact of {tmp_path} is there\n"
    assert invoke(["store", "ls", "--root", str(tmp_path / "none")]) == 1
    assert "no store at" in capsys.readouterr().err


def test_verify_looks_at_folders_whose_manifest_is_none_or_another_s(tmp_path: Path, capsys) -> None:
    artifact = Store(tmp_path).build(Recipe("text", config={}, inputs={}, code="1"), make=lambda _: None)
    artifact.path.rename(artifact.path.with_name("moved"))
    assert invoke(["store", "verify", "--root", str(tmp_path)]) == 1
    assert f"text/moved: its artifact.json is that of text/{artifact.key}" in capsys.readouterr().out
    (tmp_path / "text" / "moved" / "artifact.json").write_text("{")
    assert invoke(["store", "verify", "--root", str(tmp_path)]) == 1
    assert capsys.readouterr() == ("text/moved: no valid artifact.json\n", "")
