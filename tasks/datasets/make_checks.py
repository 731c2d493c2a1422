"""The ``checks`` artifact: what was found in data sets before anything is trained on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tasks.catalogue import Language, speaking, spoken
from tasks.contracts import Artifact, Check, Checks, Labels
from tasks.datasets.checks.model import CheckedSet
from tasks.datasets.checks.page import write_page
from tasks.datasets.checks.run import run_checks
from tasks.datasets.config import DatasetsConfig
from tasks.store import Recipe, Store, code_version, write_json

CHECKS_PAGE = "checks.html"
WORDS = ("tasks.catalogue.language", "tasks.catalogue.formats")  # of the page they are a part


def build_checks(
    sets: Mapping[str, Artifact],
    config: DatasetsConfig,
    store: Store,
    needed: Mapping[str, Collection[Labels]] | None = None,
    language: Language | None = None,
) -> Artifact:
    """Return the ``checks`` artifact of data sets by role: ``checks.json``, and ``checks.html`` with examples.

    Args:
        sets: role -> artifact of kind ``dataset``.
        config: the section of the configuration.
        store: where the result goes.
        needed: role -> the labels that are going to be used.
        language: of the page; the spoken one where it is not given.
    """
    language = language or spoken()

    def make(folder: Path) -> dict[str, Any]:
        read = {role: CheckedSet.of(artifact) for role, artifact in sets.items()}
        checks = run_checks(read, config, needed)
        write_json(folder / Checks.FILE, Checks(checks=tuple(checks)).content())
        with speaking(language):
            write_page(folder / CHECKS_PAGE, checks, read, " / ".join(s.table.info.dataset for s in read.values()))
        failed = Counter(c.severity for c in checks if not c.passed)
        return {"checks": len(checks), "errors": failed["error"], "warnings": failed["warning"]}

    return store.build(checks_recipe(sets, config, needed, language), make)


def checks_recipe(
    sets: Mapping[str, Artifact],
    config: DatasetsConfig,
    needed: Mapping[str, Collection[Labels]] | None = None,
    language: Language | None = None,
) -> Recipe:
    """What a ``checks`` artifact is made from; the arguments are those of ``build_checks``."""
    slice_ = config.model_dump(mode="json", include={"checks", "max_rejected"})
    slice_["language"] = language or spoken()
    slice_["needed"] = {role: sorted(labels) for role, labels in (needed or {}).items()}
    return Recipe("checks", config=slice_, inputs=sets, code=code_version(__name__, *WORDS))


def read_checks(artifact: Artifact) -> tuple[Check, ...]:
    """What the checks found.

    Raises:
        OSError, pydantic.ValidationError: the file cannot be read, or is of another form.
    """
    return Checks.read(artifact.path).checks
