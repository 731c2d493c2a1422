"""The room's Prefect tasks."""

from __future__ import annotations

import logging

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.catalogue import Language, say
from tasks.contracts import Artifact, Finding, Labels
from tasks.datasets.checks.model import line_of
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
    language: Language | None = None,
) -> Artifact:
    """Check data sets by role before anything is trained on them; returns an artifact of kind ``checks``.

    Args:
        sets: role -> artifact of kind ``dataset``.
        datasets: the section of the configuration.
        store: where the result goes.
        needed: role -> the labels that are going to be used.
        language: of the page with examples; the spoken one where it is not given.

    Raises:
        ChecksFailed: one of severity ``error`` failed; the message lists them, and where the page with examples is.
    """
    artifact = build_checks(sets, datasets, store, needed, language)
    failed = [c for c in read_checks(artifact) if not c.passed]
    for found in failed:
        log.log(logging.ERROR if found.severity == "error" else logging.WARNING, "%s", say(line_of(found)))
    if errors := tuple(line_of(c) for c in failed if c.severity == "error"):
        raise ChecksFailed(Finding.of("checks.unfit", found=errors, page=artifact.file(CHECKS_PAGE)))
    return artifact
