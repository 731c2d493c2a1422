"""The room's Prefect tasks."""

from __future__ import annotations

import logging

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.contracts import Artifact, Labels
from tasks.datasets.config import Dataset, DatasetsConfig
from tasks.datasets.errors import ChecksFailed
from tasks.datasets.make_checks import CHECKS_PAGE, build_checks, read_checks
from tasks.datasets.make_dataset import build_dataset
from tasks.store import Store

log = logging.getLogger(__name__)


@task(task_run_name="read {role}", cache_policy=NO_CACHE)
def read(role: str, config: Dataset, datasets: DatasetsConfig, store: Store) -> Artifact:
    """Read a data set's split into a ``dataset`` artifact; ``role`` (source, target, benchmark) names the task run."""
    return build_dataset(config, datasets, store)


@task(name="check data sets", cache_policy=NO_CACHE)
def check(
    sets: dict[str, Artifact],
    datasets: DatasetsConfig,
    store: Store,
    needed: dict[str, tuple[Labels, ...]] | None = None,
) -> Artifact:
    """Check data sets by role before anything is trained on them; returns an artifact of kind ``checks``.

    Args:
        sets: role -> artifact of kind ``dataset``.
        datasets: the section of the configuration.
        store: where the result goes.
        needed: role -> the labels that are going to be used.

    Raises:
        ChecksFailed: one of severity ``error`` failed; the message lists them, and where the page with examples is.
    """
    artifact = build_checks(sets, datasets, store, needed)
    failed = [c for c in read_checks(artifact) if not c.passed]
    for found in failed:
        log.log(logging.ERROR if found.severity == "error" else logging.WARNING, "%s", found.text())
    if errors := [c.text() for c in failed if c.severity == "error"]:
        page = f"with examples: {artifact.file(CHECKS_PAGE)}"
        raise ChecksFailed("\n".join(["the data sets are not fit to be trained on:", *errors, page]))
    return artifact
