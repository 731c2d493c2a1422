"""The committed JSON schema: it is that of the code, and takes every report that the code writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.model import Report
from tasks.report.schema import schema, text
from tests.report.findings import audit, compared, difference

COMMITTED = Path(__file__).parents[2] / "docs" / "report.schema.json"
CUT = "translated(cut)"
ARMS = {
    (task, arm, seed): 0.2 + 0.01 * seed
    for task in ("segmentation", "detection")
    for arm in ("real", "source", CUT)
    for seed in (0, 1)
}
Content = dict[str, Any]


@pytest.fixture
def content(fake: Any) -> Content:
    comparison = compared(ARMS, {(CUT, "source"): difference(4.1, 2.9, 5.2, "improves")}, {"road": 0.6})
    record = fake(ARMS, comparison=comparison, audits={"cut": audit()}).record()
    found: Content = build_report(record, ReportConfig(), {"name": "trial", "report": {"language": "en"}}).to_json()
    return found


@pytest.fixture(scope="module")
def validator() -> Any:
    found = json.loads(COMMITTED.read_bytes())
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found, format_checker=jsonschema.FormatChecker())


def test_committed_schema_is_that_of_the_code() -> None:
    renew = "renew it: .venv/bin/python -m tasks.report.schema > docs/report.schema.json"
    assert COMMITTED.read_text(encoding="utf-8") == text(), renew


def test_version_is_the_reports() -> None:
    found = schema()
    assert found["version"] == found["properties"]["schema"]["const"] == Report.model_fields["schema_version"].default
    assert "schema" in found["required"]


def test_full_report_is_valid(content: Content, validator: Any) -> None:
    validator.validate(content)
    for part in ("verdicts", "gates", "tables", "audits", "galleries", "datasets", "checks", "translators", "costs"):
        assert content[part], part


def test_pictures_stay_out(content: Content) -> None:
    (picture, *_) = (p for g in content["galleries"] for r in g["rows"] for p in r["pictures"])
    assert set(schema()["$defs"]["Picture"]["properties"]) == set(picture)
    assert not {"image", "label", "pixels", "frames"} & set(picture)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("schema",), 2),
        (("language",), "tlh"),
        (("finished",), 12),
        (("tables", 0, "rows", 0, "cells", 0, "value"), "37.1"),
        (("tables", 0, "rows", 0, "role"), "winner"),
        (("verdicts", 0, "outcome"), "maybe"),
        (("audits", 0, "audit", "flips", "share", "value"), [0.1]),
        (("costs", 0, "seconds"), None),
        (("provenance", "nodes"), []),
    ],
)
def test_broken_field_is_refused(content: Content, validator: Any, place: tuple[Any, ...], value: Any) -> None:
    at = content
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(content)


@pytest.mark.parametrize("field", ["schema", "tables", "verdicts", "finished", "gates"])
def test_missing_field_is_refused(content: Content, validator: Any, field: str) -> None:
    del content[field]
    with pytest.raises(jsonschema.ValidationError, match=field):
        validator.validate(content)
