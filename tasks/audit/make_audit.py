"""The ``audit`` artifact: a translated set measured against source and real set, and the table that is trained on."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.audit import checks
from tasks.audit.closeness import Closeness, measure_closeness
from tasks.audit.colours import worst_colours
from tasks.audit.config import AuditConfig
from tasks.audit.detail import DetailFound, measure_detail
from tasks.audit.flips import FlipsFound, measure_flips
from tasks.audit.gap import measure_gap
from tasks.audit.gate import gate
from tasks.audit.job import AuditJob, Judged
from tasks.audit.recall import recall_by_size
from tasks.compute import LOG, Machine
from tasks.contracts import (
    AUDIT_FLIPS,
    AUDIT_FLIPS_SCHEMA,
    AUDIT_IMAGES,
    AUDIT_IMAGES_SCHEMA,
    Acted,
    Artifact,
    Audit,
    AuditCheck,
    Finding,
    Gap,
    Recall,
)
from tasks.datasets import TABLE, SampleTable
from tasks.evaluate import LEAST_IMAGES
from tasks.store import Manifest, Recipe, Store, code_version, content_digest, write_json

log = logging.getLogger(__name__)

_SHOWN = re.compile(r"^error|features of|crops of|layouts of|left out")
_POOR = 0.5  # share of the source's pixels that a judge must read rightly for its flips to say much


@dataclass(frozen=True)
class _Measured:
    """All that was measured; None where it could not be, for a reason in ``notes``."""

    flips: FlipsFound | None
    detail: DetailFound
    recall: tuple[Recall, ...]
    gap: Gap | None
    closeness: Closeness
    notes: tuple[Finding, ...]


def build_audit(
    name: str,
    sets: Mapping[str, Artifact],
    translated: Artifact,
    judged: Judged,
    config: AuditConfig,
    store: Store,
    machine: Machine,
) -> Artifact:
    """Return the ``audit`` artifact of a translated set, whatever it says: ``gate.enforce`` is what stops a run.

    Its files: ``audit.json`` (``Audit``); ``images.parquet`` (id, flipped, gradient, edges, high_band, shift; a row a
    translated image, null where it was not measured); with a segmenter ``flips.parquet`` (id, before, after, pixels:
    class indices, and how many pixels were read rightly as the one and then as the other); and ``samples.parquet``
    where images were acted on: the table to train on.

    Args:
        name: the translator's.
        sets: ``source`` and ``target``; others do not count.
        translated: artifact of kind ``translated``.
        judged: what the judges read; what there is none of is not measured, with a note.
        config: the section of the configuration.
        store: where the result goes.
        machine: what it runs on; a GPU is held where a network describes the images.

    Raises:
        ProcessError: an image, a label or a prediction cannot be read, the features that the configuration asks for
            cannot be had, or the sets do not belong together; the message says which.
        GpuError: this machine has not the GPUs that the configuration asks for.
    """

    def make(folder: Path) -> dict[str, Any]:
        with machine.lease(gpu=config.features == "efficientnet_lite0" or config.inception is not None) as lease:
            job = AuditJob(
                name=name,
                source=sets["source"].path,
                target=sets["target"].path,
                translated=translated.path,
                judged=judged,
                config=config.absolute(),
                work=folder,
                device=lease.device,
            )
            write_json(folder / "job.json", job.model_dump(mode="json"))
            machine.run(lease, "tasks.audit.worker", folder / "job.json", f"audit {name}", _SHOWN)
        (folder / LOG).unlink(missing_ok=True)  # nothing but progress
        audit = Audit.read(folder)
        failed = [c.severity for c in audit.checks if not c.passed]
        counts = {"errors": failed.count("error"), "warnings": failed.count("warning"), "acted": len(audit.acted)}
        return {"translator": name, "images": audit.images, **counts}

    return store.build(audit_recipe(name, sets, translated, judged, config), make)


def audit_recipe(
    name: str, sets: Mapping[str, Artifact], translated: Artifact, judged: Judged, config: AuditConfig
) -> Recipe:
    """What an ``audit`` artifact is made from; the arguments are those of ``build_audit``."""
    # The judges' budget is in the digests of what they read; where a file of weights lies changes nothing.
    left_out: dict[str, Any] = {"judge_iterations": True, "inception": {"path"}}
    slice_ = {"name": name, **config.model_dump(mode="json", exclude=left_out)}
    inputs = {"source": sets["source"], "target": sets["target"], "translated": translated, **judged.inputs()}
    return Recipe("audit", config=slice_, inputs=inputs, code=code_version(__name__))


def training_set(translated: Artifact, audit: Artifact) -> Artifact:
    """The artifact whose table is trained on: the audit, where it acted on images, else the translated set.

    Of an audit, its digest here is the table's alone: another threshold that leaves out the same images, or a further
    measure, repeats no training.
    """
    table = next((f for f in Manifest.read(audit.path).files if f.path == TABLE), None)
    if table is None:
        return translated
    return audit.model_copy(update={"digest": content_digest([table.path, table.sha256])})


@dataclass(frozen=True)
class _Tables:
    source: SampleTable
    real: SampleTable
    translated: SampleTable


def audit_set(job: AuditJob) -> None:
    """Measure a translated set, and write all files of its audit.

    Raises:
        ImageError: an image, a label or a prediction cannot be read.
        FeatureError: the features that the configuration asks for cannot be had.
        ValueError: the sets do not belong together.
    """
    tables = _Tables(*(SampleTable.read(path) for path in (job.source, job.target, job.translated)))
    audit, found = _audit(job, tables)
    write_json(job.work / Audit.FILE, audit.content())
    _write_images(tables.translated, found, job.work)


def _audit(job: AuditJob, tables: _Tables) -> tuple[Audit, _Measured]:
    config, found = job.config, _measure(tables, job.judged, job.config, job.device)
    gated: SampleTable | None = None
    acted: tuple[Acted, ...] = ()
    trusted = _trusted(found.flips, config)
    measured, few = checks.decidable(_checks(tables, found, config), len(tables.translated))
    notes = (*found.notes, *([Finding.of("audits.note_few", n=few, least=LEAST_IMAGES)] if few else []))
    if found.flips is not None and trusted:
        gated, acted = gate(tables.translated, tables.source, found.flips.ids, found.flips.share, config)
    if gated is not None:
        gated.write(job.work)
    audit = Audit(
        translator=job.name,
        images=len(tables.translated),
        checks=checks.rank(measured if trusted else checks.doubted(measured)),
        flips=found.flips.flips if found.flips is not None else None,
        detail=found.detail.details,
        recall=found.recall,
        distances=found.closeness.distances,
        gap=found.gap,
        map=found.closeness.map,
        acted=acted,
        notes=notes,
    )
    return audit, found


def _trusted(flips: FlipsFound | None, config: AuditConfig) -> bool:
    """Whether the judge reads real images well enough for what it says to stop a run, or to leave images out."""
    miou = None if flips is None else flips.flips.real_miou
    return miou is None or miou >= config.thresholds.judge


def _measure(tables: _Tables, judged: Judged, config: AuditConfig, device: str) -> _Measured:
    flips, notes = _flips(tables, judged, config)
    recall: tuple[Recall, ...] = ()
    if judged.boxes_source is not None and judged.boxes_translated is not None:
        recall = recall_by_size(judged.boxes_source.path, judged.boxes_translated.path, config.seed)
    else:
        notes.append(Finding.of("audits.note_recall"))
    sets = (tables.source, tables.real, tables.translated)
    gap = None
    if min(len(t) for t in sets) >= 2:
        gap = measure_gap(*sets, config.seed, config.images)
    else:
        notes.append(Finding.of("audits.note_gap"))
    closeness = measure_closeness(*sets, (judged.source, judged.real, judged.translated), config, device)
    detail = measure_detail(tables.source, tables.translated, config.thin, config.seed, config.images)
    return _Measured(flips, detail, recall, gap, closeness, (*notes, *closeness.notes))


def _flips(tables: _Tables, judged: Judged, config: AuditConfig) -> tuple[FlipsFound | None, list[Finding]]:
    if judged.source is None or judged.translated is None:
        return None, [Finding.of("audits.note_flips")]
    benchmark = judged.benchmark.path if judged.benchmark is not None else None
    folders = judged.source.path, judged.translated.path
    found = measure_flips(tables.source, folders[0], tables.translated, folders[1], benchmark, config.seed)
    if not _trusted(found, config):
        return found, [Finding.of("audits.note_doubted", share=found.flips.real_accuracy or 0.0)]
    accuracy = found.flips.source_accuracy
    if found.flips.share.value is None or accuracy is None:
        return found, [Finding.of("audits.note_nothing")]
    if accuracy < _POOR:
        return found, [Finding.of("audits.note_poor", share=accuracy)]
    return found, []


def _checks(tables: _Tables, found: _Measured, config: AuditConfig) -> list[AuditCheck]:
    limits = config.thresholds
    result = [
        *checks.detail_checks(found.detail.details, found.detail.worst, limits),
        *checks.recall_checks(found.recall, limits),
        *checks.geometry_checks(found.detail.ids, found.detail.per_image["shift"], limits),
        *checks.distance_checks(found.closeness.distances, limits),
    ]
    if found.flips is not None:
        result += checks.flips_checks(found.flips, config)
    if found.gap is not None:
        sets = (tables.source, tables.real, tables.translated)
        result += checks.colour_checks(
            found.gap, lambda names: worst_colours(*sets, names, config.seed, config.images), limits
        )
    return result


def _write_images(table: SampleTable, found: _Measured, folder: Path) -> None:
    """``images.parquet``, and ``flips.parquet`` where flips were measured."""
    columns = {n: dict(zip(found.detail.ids, v.tolist(), strict=True)) for n, v in found.detail.per_image.items()}
    flips = found.flips
    columns["flipped"] = {} if flips is None else dict(zip(flips.ids, flips.share.tolist(), strict=True))
    ids = table.rows["id"].to_pylist()
    values = {n: pa.array([c.get(i) for i in ids], pa.float64(), from_pandas=True) for n, c in columns.items()}
    pq.write_table(pa.table({"id": ids, **values}, AUDIT_IMAGES_SCHEMA), folder / AUDIT_IMAGES)
    if found.flips is not None:
        image, before, after = np.nonzero(found.flips.per_class)
        rows = before != after
        image, before, after = image[rows], before[rows], after[rows]
        pixels = found.flips.per_class[image, before, after]
        names = [found.flips.ids[i] for i in image.tolist()]
        whole = {"id": names, "before": before, "after": after, "pixels": pixels}
        pq.write_table(pa.table(whole, AUDIT_FLIPS_SCHEMA), folder / AUDIT_FLIPS)
