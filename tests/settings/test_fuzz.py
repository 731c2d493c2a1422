"""Configurations as vandals leave them: whatever a file holds, reading it gives values or lines that name the place."""

import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from flows.config import PipelineConfig, TrainTranslatorConfig
from tasks.settings.loading import load
from tasks.settings.reading import ConfigError, read

FILES = [*Path("configs/pipelines").glob("*.yaml"), *Path("configs/translators").glob("*.yaml")]
ODD = (
    *"[]{}|>#@`=~\t\a\ufeff\u2028",
    *("{{X}}", "${X}", "${X:-{}", "2026-02-30", "2026-01-01", "1:99", "1.0e+400", ".nan", "0x", "0b"),
    *("<<", "no", "''", '"\\ud800"', '"\\0"', "&a", "*a", "&a [*a]", "<<: *a", "? [1, 2]\n:", "[" * 2000, "- ", ": "),
    *("!!int", "!!timestamp x", "!!binary é", "!!set", "!!python/object:os.system", "!x", "%YAML 9", "---\n", "...\n"),
    *("!include", "!include /dev/zero", "!include .", "!include ''", f"!include {'x' * 300}", "!include a.yaml#a"),
    *("9" * 5000, '!include "\\0"', '!include "\\ud800"'),
)
KEYS = ("", ".", "a", "translate..x", "retrain.seeds.²", "retrain.seeds.-1", "report.\n", "\ud800", "datasets.source")


def _spans(text: str, draw: random.Random) -> tuple[int, int]:
    at = draw.randrange(len(text))
    return at, min(len(text), at + draw.choice((0, 1, 1, 5, 40)))


def odd(text: str, draw: random.Random) -> str:
    """Something odd instead of some characters."""
    at, end = _spans(text, draw)
    return text[:at] + draw.choice(ODD) + text[end:]


def odd_value(text: str, draw: random.Random) -> str:
    """Something odd as a value or a key."""
    found = draw.choice(list(re.finditer(r"[\w.]+|(?<=: ).+", text)))
    return text[: found.start()] + draw.choice(ODD) + text[found.end() :]


def character(text: str, draw: random.Random) -> str:
    """Another character, or none."""
    at, end = _spans(text, draw)
    return text[:at] + draw.choice(("", chr(draw.randrange(1, 0x3000)))) + text[end:]


def lines(text: str, draw: random.Random) -> str:
    """A line lost, doubled, moved, or indented otherwise."""
    all_lines = text.splitlines(keepends=True)
    line = all_lines.pop(draw.randrange(len(all_lines)))
    for _ in range(draw.randrange(3)):
        all_lines.insert(draw.randrange(len(all_lines) + 1), draw.choice((line, f"  {line}", line.lstrip())))
    return "".join(all_lines)


MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (odd, odd_value, odd_value, character, lines)


def told(error: ConfigError) -> bool:
    """Whether each of its lines is printable and names a place."""
    return all(
        line.isprintable() and re.match(r".*(\.yaml|override .*|configuration)(:\d+)?: .|--set .*: .", line)
        for line in str(error).split("\n")
    )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the committed configurations."""
    monkeypatch.setenv("X", "x")
    for name in ("pipelines", "translators"):
        shutil.copytree(Path("configs") / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(("seed", "mutated"), [(0, 1000), pytest.param(1, 5000, marks=pytest.mark.slow)])
def test_no_mutated_configuration_gives_a_traceback(place: Path, seed: int, mutated: int) -> None:
    draw = random.Random(seed)
    texts = {path: re.sub(r"\n\s*#.*", "", path.read_text(encoding="utf-8")) for path in FILES}
    outcomes = Counter[bool]()
    for number in range(mutated):
        origin = draw.choice(FILES)
        model = PipelineConfig if origin.parent.name == "pipelines" else TrainTranslatorConfig
        text = texts[origin]
        for _ in range(draw.choice((1, 1, 2, 4))):
            text = draw.choice(MUTATIONS)(text, draw) or "x"
        path = place / "pipelines" / "a.yaml"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        sets = [f"{draw.choice(KEYS)}={draw.choice(ODD)}"] if draw.random() < 0.2 else []
        outcomes[_loads(path, model, sets, f"mutation {number} of {origin}")] += 1
    assert min(outcomes.values()) > mutated / 50  # neither is all refused, nor does the vandal change nothing


def _loads(path: Path, model: type[BaseModel], sets: list[str], name: str) -> bool:
    try:
        load(path, model, sets)
    except ConfigError as error:
        if told(error):
            return False
        raise
    except Exception as error:
        raise AssertionError(f"{name}, --set {sets}:\n{path.read_text(errors='replace')}") from error
    return True


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BOMB, r"a\.yaml:\d+: more than 20,000 values"),
        ("a: &a [*a, *a]\n", r"a\.yaml:1: more than 64 values lie in each other, or an alias holds itself"),
        ("a: " + "[" * 5000, r"a\.yaml:1: no valid YAML: more than 64 values lie in each other"),
        ("a: [" + "x, " * 300_000 + "]", r"a\.yaml:1: no valid YAML: more than 20,000 values"),
        ("a: " + "x" * 2_000_000, r"a\.yaml: is larger than a configuration's 1 MiB"),
        ("a: !include 0.yaml\n", r"\d+\.yaml: more than 200 files are included"),
        ("a: !include ../../secret.yaml\n", r"a\.yaml:1: .*secret\.yaml: an include leads to files below"),
        ("a: !include link.yaml\n", r"a\.yaml:1: .*link\.yaml: an include leads to files below"),
        ("a: !include fifo.yaml\n", r"a\.yaml:1: .*fifo\.yaml: cannot be read \(not a regular file\)"),
        ("a: !include [b.yaml]\n", r"a\.yaml:1: a list takes no tag !include"),
        ("a: {{X}}\n", r"a\.yaml:1: a key is a single value"),
        ("a: 2026-02-30\n", r"a\.yaml:1: '2026-02-30' is no !!timestamp"),
    ],
)
def test_what_grows_or_leads_away_ends_in_one_line(tmp_path: Path, text: str, problem: str) -> None:
    folder = tmp_path / "project" / "pipelines"
    folder.mkdir(parents=True)
    (tmp_path / "secret.yaml").write_text("a: 1\n")
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    os.mkfifo(folder / "fifo.yaml")
    (folder / "12.yaml").write_text("x")
    for i in range(12):
        (folder / f"{i}.yaml").write_text(f"[!include {i + 1}.yaml, !include {i + 1}.yaml]\n")
    (folder / "a.yaml").write_text(text)
    with pytest.raises(ConfigError, match=problem) as caught:
        read(folder / "a.yaml")
    assert len(str(caught.value).splitlines()) == 1


def test_an_include_may_lead_beside_the_folder_and_into_the_repository(tmp_path: Path) -> None:
    for name in ("pipelines", "translators"):
        (tmp_path / name).mkdir()
    (tmp_path / "translators" / "b.yaml").write_text(
        f"!include {Path('configs/pipelines/smoke.yaml').resolve()}#name\n"
    )
    (tmp_path / "pipelines" / "a.yaml").write_text("a: !include ../translators/b.yaml\n")
    assert read(tmp_path / "pipelines" / "a.yaml").values == {"a": "smoke"}
