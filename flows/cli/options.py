"""What several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

Config = Annotated[Path, Parameter(help="The YAML file.")]
Sets = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        negative="",
        show_default=False,
        help="Override a value as KEY=VALUE, such as retrain.seeds=[0,1]; may be given again.",
    ),
]
Role = Literal["source", "target", "benchmark"]
ROLES: tuple[Role, ...] = ("source", "target", "benchmark")
Roles = Annotated[
    tuple[Role, ...],
    Parameter(name="--role", negative="", show_default=False, help="Only this data set; may be given again."),
]
Root = Annotated[Path, Parameter(name="--root", help="The store's folder.")]
Texts = Annotated[
    Literal["en", "ko"] | None,
    Parameter(name="--language", help="Of the texts; the configuration's report.language if absent."),
]
