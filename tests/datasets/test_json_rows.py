"""JSON files as readers take them."""

from pathlib import Path
from typing import Any

import pytest

from tasks.datasets.errors import MalformedError
from tasks.datasets.readers.json_rows import is_number, parsed_json


def parse(folder: Path, text: str) -> Any:
    (folder / "a.json").write_text(text)
    return parsed_json(folder / "a.json", lambda row: row)


def test_characters_beyond_the_first_plane_are_two_escapes(tmp_path: Path) -> None:
    assert parse(tmp_path, r'["\ud83d\ude97", "\\ud83d"]') == ["\U0001f697", r"\ud83d"]
    for half in (r'["\ud83d"]', r'["\ude97\ud83d"]', r'["\ud83d\\ude97"]'):
        with pytest.raises(MalformedError, match="is half a character"):
            parse(tmp_path, half)


def test_a_key_that_stands_twice_is_one_where_it_says_the_same(tmp_path: Path) -> None:
    assert parse(tmp_path, '{"a": [1], "b": 2, "a": [1]}') == {"a": [1], "b": 2}
    with pytest.raises(MalformedError, match="the key 'a' stands in one object twice"):
        parse(tmp_path, '{"a": [1], "a": [2]}')


def test_objects_are_reduced_from_the_innermost_on(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"a": {"b": 1}}]')
    seen: list[dict[str, Any]] = []
    assert parsed_json(tmp_path / "a.json", lambda row: seen.append(row) or len(seen)) == [2]  # type: ignore[func-returns-value]
    assert seen == [{"b": 1}, {"a": 1}]


def test_true_is_no_number() -> None:
    assert [is_number(value) for value in (1, 1.5, True, "1", None)] == [True, True, False, False, False]
