"""The README and the docs: what they show runs as written, and what they point to is there."""

import re
import shlex
from pathlib import Path

import pytest

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
