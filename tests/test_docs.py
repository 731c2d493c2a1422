"""The README and the docs: what they show runs as written, and what they point to is there."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_examples_of_every_room_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"ROOT": ROOT}
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", text, re.DOTALL)):
        exec(compile(block, f"docs/api.md, example {number + 1}", "exec"), names)


def test_the_examples_show_every_room() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rooms = [p.parent.name for p in (ROOT / "tasks").glob("*/__init__.py")]
    assert [room for room in rooms if not re.search(rf"\*\*{room}\*\*", text)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [t for t in targets if "://" not in t and not (page.parent / t).exists()] == []


def commands(page: Path) -> list[list[str]]:
    """The command lines that a page shows: indented, with a program of this repository."""
    lines = re.findall(r"^    (?:\.venv/bin/)(\S.*?)(?:\s+#.*)?$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_and_option_shown_exists(page: Path) -> None:
    from flows.cli.app import app

    for program, *arguments in commands(page):
        if program == "sim2real":
            app.parse_args([a for a in arguments if a != "&"], exit_on_error=False, print_error=False)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the README asks for: labelled images in ``sim`` and ``real``, 20 a side, in the layout of plain folders."""
    folder, rng = tmp_path_factory.mktemp("readme"), np.random.default_rng(0)
    for side, splits in (("sim", {"train": 20}), ("real", {"train": 16, "val": 4})):
        for split, count in splits.items():
            for n in range(count):
                mask = np.repeat(rng.integers(0, 3, (4, 6)), 16, axis=0).repeat(16, axis=1).astype(np.uint8)
                image = rng.integers(0, 60, (64, 96, 3)) + 60 * mask[..., None]
                for kind, pixels in (("images", image), ("masks", mask)):
                    path = folder / side / kind / split / f"{side}_{split}_{n:02}.png"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return folder


def shown(folder: Path, *more: str, only: tuple[str, ...]) -> list[str]:
    """Run the README's commands that begin so, from a folder; returns what each printed."""
    printed = []
    for program, *arguments in commands(ROOT / "README.md"):
        if program == "sim2real" and arguments[0] in only:
            done = subprocess.run(
                [sys.executable, "-m", "flows", *arguments, *more],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stderr
            printed.append(done.stdout)
    return printed


def test_own_data_as_the_readme_says_up_to_the_plan(folders: Path) -> None:
    init, check, plan = shown(folders, only=("init", "data", "plan"))
    assert "mine/pipeline.yaml" in init
    assert "checks of the data passed" in check
    assert "to be built" in plan


@pytest.mark.slow
def test_own_data_to_the_report(folders: Path) -> None:
    if not (folders / "mine").exists():
        shown(folders, only=("init",))
    small = ("retrain.segmentation.iterations=2", "retrain.segmentation.batch=2", "retrain.segmentation.log_every=1")
    shown(folders, *(word for text in small for word in ("--set", text)), only=("run",))
    (page,) = folders.glob("runs/*/report/report.html")
    assert "mIoU" in page.read_text(encoding="utf-8")
