"""Reading configurations: what is composed, overridden and refused, and where the errors point."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from tasks.contracts.finding import Finding
from tasks.settings.loading import load, parse_sets
from tasks.settings.problems import Problem, below
from tasks.settings.reading import ConfigError, parse, read


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int = 1
    names: list[str] = []


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    inner: Inner = Inner()
    items: list[Inner] = []


def write(folder: Path, text: str, name: str = "a.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_values_and_overrides(tmp_path: Path) -> None:
    path = write(tmp_path, "name: x\ninner: {size: 2}\nitems: [{size: 3}, {size: 4}]\n")
    config = load(path, Outer, ["inner.size=5", "items.1.size=6", "inner.names=[a, b]", "name=y"])
    assert config == Outer(name="y", inner=Inner(size=5, names=["a", "b"]), items=[Inner(size=3), Inner(size=6)])


def test_override_of_a_section_that_is_not_in_the_file(tmp_path: Path) -> None:
    assert load(write(tmp_path, "name: x\n"), Outer, ["inner.size=7"]).inner.size == 7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: x\ninner:\n  sise: 2\n", r"a\.yaml:3: inner\.sise: unknown key"),
        ("name: x\ninner:\n  names: []\n  size: big\n", r"a\.yaml:4: inner\.size: .*integer.*'big'"),
        ("inner: {}\n", r"a\.yaml:1: name: required"),
        ("name: x\nitems:\n  - size: 1\n  - size: x\n", r"a\.yaml:4: items\.1\.size"),
        ("name: x\nname: y\n", r"a\.yaml:2: 'name' is given twice"),
        ("name: [\n", r"a\.yaml:2: no valid YAML: .*expected the node content"),
        ("", r"a\.yaml: is empty"),
        ("name: ${SIM2REAL_NOT_SET}\n", r"a\.yaml:1: environment variable SIM2REAL_NOT_SET is not set"),
        ("name: x\ninner: !include none.yaml\n", r"a\.yaml:2: .*none\.yaml: cannot be read"),
        ("name: x\ninner: !include a.yaml#inner\n", r"includes itself"),
        ("name: x\ninner: !include a.yaml#name.size\n", r"a\.yaml:2: .*no key 'size'"),
    ],
)
def test_errors_name_file_line_and_key(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        load(write(tmp_path, text), Outer)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, "inner: {size: x, other: 1}\n"), Outer)
    assert len(str(caught.value).splitlines()) == 3


def test_missing_file() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read"):
        read(Path("nowhere.yaml"))


@pytest.mark.parametrize("text", ["inner.size", "=3", "a=[1"])
def test_malformed_set(text: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        parse_sets([text])


def test_override_that_leads_nowhere(tmp_path: Path) -> None:
    path = write(tmp_path, "name: x\nitems: [{size: 3}]\n")
    with pytest.raises(ConfigError, match=r"override items\.4\.size"):
        load(path, Outer, ["items.4.size=1"])
    with pytest.raises(ConfigError, match=r"override inner\.sise.*unknown key"):
        load(path, Outer, ["inner.sise=1"])


def test_includes_and_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIM2REAL_TEST", "4")
    write(tmp_path, "part:\n  size: ${SIM2REAL_TEST}\n  names: ['${SIM2REAL_NOT_SET:-n}']\n", "b.yaml")
    path = write(tmp_path, "name: x\ninner: !include b.yaml#part\nitems: [!include b.yaml#part]\n")
    expected = Inner(size=4, names=["n"])
    assert load(path, Outer) == Outer(name="x", inner=expected, items=[expected])


def test_error_inside_an_include_points_into_the_included_file(tmp_path: Path) -> None:
    write(tmp_path, "# a comment\npart:\n  sise: 1\n", "b.yaml")
    with pytest.raises(ConfigError, match=r"b\.yaml:3: inner\.sise: unknown key"):
        load(write(tmp_path, "name: x\ninner: !include b.yaml#part\n"), Outer)


def test_two_files_may_include_parts_of_each_other(tmp_path: Path) -> None:
    write(tmp_path, "part: {size: 2}\nback: !include a.yaml#name\n", "b.yaml")
    path = write(tmp_path, "name: x\ninner: !include b.yaml#part\n")
    assert load(path, Outer).inner.size == 2
    assert read(tmp_path / "b.yaml").values["back"] == "x"


def test_merge_keys(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: *a, x: 5}\nd: {<<: [*a, *b]}\n")
    values = read(path).values
    assert values["c"] == {"x": 5, "y": 2}
    assert values["d"] == {"x": 1, "y": 2, "z": 4}
    path.write_text("a: {<<: 5}\n")
    with pytest.raises(ConfigError, match=r"c\.yaml:1: << takes a mapping"):
        read(path)


class Foresight(Outer):
    """A configuration that finds problems in what is well-formed."""

    def problems(self) -> Iterator[Problem]:
        for i, item in enumerate(self.items):
            if item.size > 9:
                yield Problem(("items", i, "size"), Finding.of("settings.no_file", path=Path("x")))
            if item.size > 99:
                yield Problem(("inner", "names"), Finding.of("settings.override_of_a_value", key="a.b", above="a"))


def test_problems_are_told_with_the_line_of_their_key(tmp_path: Path) -> None:
    path = write(tmp_path, "name: x\ninner:\n  size: 1\nitems:\n  - size: 3\n  -\n    size: 100\n")
    with pytest.raises(ConfigError) as caught:
        load(path, Foresight, ["items.0.size=10"])
    overridden, first, second = str(caught.value).splitlines()
    assert overridden.startswith("override items.0.size:1: items.0.size: there is no file x;")
    assert first.startswith(f"{path}:7: items.1.size: there is no file x;")
    assert second == f"{path}:3: inner.names: the network has no a.b: a is a single value"  # the nearest around it
    assert load(path, Foresight, ["items.1.size=4"]).items[1].size == 4


def test_problems_of_a_section_are_those_of_what_holds_it() -> None:
    finding = Finding.of("settings.homeless")
    assert list(below(("a", 1), [Problem(("b",), finding)])) == [Problem(("a", 1, "b"), finding)]


def test_a_key_that_yaml_takes_for_a_switch_is_text() -> None:
    assert parse("{on: target, yes: 1, nested: {off: true}}", "--set") == {
        "on": "target",
        "yes": 1,
        "nested": {"off": True},
    }
