"""The room's Prefect task."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.datasets.build import build_dataset
from tasks.datasets.config import Dataset, DatasetsConfig
from tasks.store import Artifact, Store


@task(task_run_name="read {role}", cache_policy=NO_CACHE)
def read(role: str, config: Dataset, datasets: DatasetsConfig, store: Store) -> Artifact:
    """Read a data set's split into a ``dataset`` artifact; ``role`` (source, target, benchmark) names the task run."""
    return build_dataset(config, datasets, store)
