"""The room's Prefect task."""

from __future__ import annotations

import logging

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.audit.config import AuditConfig
from tasks.audit.gate import enforce
from tasks.audit.job import Judged
from tasks.audit.make_audit import build_audit
from tasks.audit.telling import check_sentence, measure_label
from tasks.compute import ComputeConfig
from tasks.compute.stage import this_machine
from tasks.contracts import Artifact, Audit
from tasks.store import Store

log = logging.getLogger(__name__)


@task(task_run_name="audit {name}", cache_policy=NO_CACHE)
def audit_translation(
    name: str,
    sets: dict[str, Artifact],
    translated: Artifact,
    judged: Judged,
    config: AuditConfig,
    compute: ComputeConfig,
    store: Store,
) -> Artifact:
    """Audit a translated set; returns an artifact of kind ``audit``.

    Args:
        name: the translator's.
        sets: ``source``, ``target`` and ``benchmark``.
        translated: artifact of kind ``translated``.
        judged: what the frozen judges read in the sets.
        config: the section of the configuration.
        compute: what it may run on.
        store: where the result goes.

    Raises:
        AuditFailed: a check of severity ``error`` failed, or an image did where ``on_fail`` is ``stop``.
        ProcessError, GpuError: see ``build_audit``.
    """
    artifact = build_audit(name, sets, translated, judged, config, store, this_machine(compute, store.root))
    found = Audit.read(artifact.path)
    for failed in (c for c in found.checks if not c.passed):
        level = logging.ERROR if failed.severity == "error" else logging.WARNING
        log.log(level, "%s, %s: %s", name, measure_label(failed.measure), check_sentence(failed))
    enforce(found, artifact, config)
    return artifact
