"""The JSON schema of ``report.json``: ``python -m tasks.report.schema > docs/report.schema.json`` renews the file."""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from tasks.report.model import Report

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Written(GenerateJsonSchema):
    """A field with a default is always written, so that readers can rely on it."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        return True


def schema() -> dict[str, Any]:
    """What ``report.json`` holds, as JSON schema; ``version`` is that of its field ``schema``."""
    found = Report.model_json_schema(by_alias=True, mode="serialization", schema_generator=_Written)
    version = Report.model_fields["schema_version"].default
    return {**found, "$schema": DIALECT, "title": "Report of a run (report.json)", "version": version}


def text() -> str:
    """The schema as the committed file has it."""
    return json.dumps(schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
