"""Why a file could not be read: in either language, and without what a library says or where the store lies."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pytest
from pydantic import ValidationError

from tasks.catalogue.language import say, speaking
from tasks.contracts.artifact import Artifact
from tasks.contracts.filed import Filed
from tasks.contracts.finding import Finding
from tasks.report.reading import Reader
from tasks.report.reasons import reason
from tasks.store.manifest import StoreError


class Form(Filed):
    FILE: ClassVar[str] = "card.json"

    count: int


def invalid(content: str) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Form.model_validate_json(content)
    return caught.value


@pytest.mark.parametrize(
    ("error", "english"),
    [
        (FileNotFoundError(2, "No such file or directory", "/store/a/b"), "no such file"),
        (PermissionError(13, "Permission denied"), "the system refuses it (EACCES)"),
        (OSError("odd"), "the system refuses it (OSError)"),
        (invalid("{}"), "count is missing, or of another form"),
        (invalid("{"), "its content is damaged, or of another form"),
        (pa.ArrowInvalid("Parquet magic bytes not found"), "its content is damaged, or of another form"),
        (ValueError("/store/a/b is wrong"), "its content is damaged, or of another form"),
        (StoreError("/store/a/b is damaged"), "it is no longer in the store, or not whole"),
        (Finding.of("tables.unknown"), "unknown"),
    ],
)
def test_a_reason_is_of_the_catalogue(error: Exception | Finding, english: str) -> None:
    assert say(reason(error)) == english
    with speaking("ko"):
        korean = say(reason(error))
    assert re.search("[가-힣]", korean)
    assert not {*re.findall("[A-Za-z]{4,}", korean)} - {"EACCES", "OSError", "count"}


def test_a_problem_is_told_once_and_names_no_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    reader, path = Reader(), tmp_path / "model" / "k1" / "card.json"
    artifact = Artifact(kind="model", key="k1", digest="d", path=path.parent, seconds=0, cached=False)
    assert reader.json(path) is None
    assert reader.filed(artifact, Form) is None
    assert reader.problems == ["model/k1/card.json could not be read: no such file"]
    path.parent.mkdir(parents=True)
    path.write_text('{"count": "many"}')
    assert reader.filed(artifact, Form) is None
    assert reader.problems[1:] == ["model/k1/card.json could not be read: count is missing, or of another form"]
    assert "unable to parse string as an integer" in caplog.text  # the log has what the report leaves out
