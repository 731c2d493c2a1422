"""The ``checks`` artifact: what was found in data sets before anything is trained on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from tasks.contracts import Artifact, Labels
from tasks.datasets.checks.model import Check, CheckedSet
from tasks.datasets.checks.page import write_page
from tasks.datasets.checks.run import run_checks
from tasks.datasets.config import DatasetsConfig
from tasks.store import Recipe, Store, code_version, write_json

CHECKS, CHECKS_PAGE = "checks.json", "checks.html"


def build_checks(
    sets: Mapping[str, Artifact],
    config: DatasetsConfig,
    store: Store,
    needed: Mapping[str, Collection[Labels]] | None = None,
) -> Artifact:
    """Return the ``checks`` artifact of data sets by role: ``checks.json``, and ``checks.html`` with examples.

    ``needed`` says, by role, which labels are going to be used.
    """

    def make(folder: Path) -> dict[str, Any]:
        read = {role: CheckedSet.of(artifact) for role, artifact in sets.items()}
        checks = run_checks(read, config, needed)
        write_json(folder / CHECKS, [c.model_dump(mode="json") for c in checks])
        write_page(folder / CHECKS_PAGE, checks, read, " / ".join(s.table.info.dataset for s in read.values()))
        failed = Counter(c.severity for c in checks if not c.passed)
        return {"checks": len(checks), "errors": failed["error"], "warnings": failed["warning"]}

    return store.build(checks_recipe(sets, config, needed), make)


def checks_recipe(
    sets: Mapping[str, Artifact], config: DatasetsConfig, needed: Mapping[str, Collection[Labels]] | None = None
) -> Recipe:
    """What a ``checks`` artifact is made from; the arguments are those of ``build_checks``."""
    slice_ = config.model_dump(mode="json", include={"checks", "max_rejected"})
    slice_["needed"] = {role: sorted(labels) for role, labels in (needed or {}).items()}
    return Recipe("checks", config=slice_, inputs=sets, code=code_version(__name__))


def read_checks(artifact: Artifact) -> list[Check]:
    """What the checks found."""
    return TypeAdapter(list[Check]).validate_json(artifact.file(CHECKS).read_bytes())
