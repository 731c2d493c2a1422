"""From the record of a run to its report."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tasks.catalogue import speaking, t
from tasks.contracts import Artifact, Checks, RunRecord, Task, TranslatorCard
from tasks.report.audits import read_audits
from tasks.report.config import ReportConfig
from tasks.report.gallery.build import galleries
from tasks.report.gates import broken, gates
from tasks.report.glance_rows import Known, glance
from tasks.report.intervals import read_comparison, with_intervals
from tasks.report.model import Cost, DatasetRow, Report, TranslatorRow
from tasks.report.provenance import provenance, reference
from tasks.report.reading import Reader
from tasks.report.slices import with_slices
from tasks.report.tables import Loaded, read_results, task_table
from tasks.report.verdict import verdict
from tasks.store import Manifest, describe_environment
from tasks.translate import OUTSIDE

_COMMANDS = {"augment": "run", "reevaluate": "reevaluate"}  # flow -> what starts it


def build_report(record: RunRecord, config: ReportConfig, resolved: Mapping[str, Any] | None = None) -> Report:
    """Read the artifacts of a run and say what it found, in the language of the configuration.

    A file that cannot be read is one of the report's ``problems``; the rest of the report is made without it.

    Args:
        record: the run.
        config: the section of the configuration.
        resolved: the whole resolved configuration of the run, as plain data.
    """
    with speaking(config.language):
        return _build(record, config, dict(resolved or {}))


def _build(record: RunRecord, config: ReportConfig, resolved: dict[str, Any]) -> Report:
    reader = Reader()
    manifests = {reference(a): m for a in record.artifacts().values() if (m := reader.manifest(a.path)) is not None}
    scored = read_results(record.results, reader)
    benchmark = str(_summary(manifests, record.benchmark).get("dataset", "benchmark"))
    tasks = list(dict.fromkeys([*(r.task for r in record.results), *(f.task for f in record.failures)]))
    comparison = read_comparison(record, reader)
    compared = {t.task: t for t in comparison.tasks} if comparison else {}
    tables = {t: task_table(t, mine, config, benchmark, reader) for t in tasks if (mine := _of(t, scored))}
    tables |= {
        t: with_slices(with_intervals(tables[t], c, config.baseline), c) for t, c in compared.items() if t in tables
    }
    translators = tuple(_translators(record, manifests, reader))
    controls = frozenset(t.name for t in translators if t.method == "identity")
    verdicts = [
        verdict(t, tables.get(t), [f for f in record.failures if f.task == t], config, controls, compared.get(t))
        for t in tasks
    ]
    costs = list(_costs(record, manifests))
    audits = tuple(read_audits(record, reader))
    known = Known(
        translators=sorted(translators, key=lambda row: _place(row.name, controls, record)),
        audits={part.name: part.audit for part in audits},
        controls=controls,
        imported=frozenset(n for n, a in record.translated.items() if _imported(manifests.get(reference(a)))),
        tables=tables,
        compared=compared,
        failures=record.failures,
        baseline=config.baseline,
        oracle=config.oracle,
    )
    # What passed, too, to be counted; the pictures are on a page of their own.
    found = reader.filed(record.checks, Checks) if record.checks is not None else None
    checks = found.checks if found is not None else ()
    return Report(
        language=config.language,
        title=config.title or t("words.title"),
        name=record.name,
        flow=record.flow,
        command=_command(record),
        config=resolved,
        finished=max((m.created for m in manifests.values()), default=datetime.fromtimestamp(0, UTC)),
        verdicts=tuple(verdicts),
        glance=glance(known),
        gates=tuple(gates(checks, audits)),
        broken=tuple(broken(tables.values(), audits)),
        failures=record.failures,
        tables=tuple(tables.values()),
        audits=audits,
        galleries=tuple(galleries(record, audits, config, reader)),
        datasets=tuple(_datasets(record, manifests, config, reader)),
        checks=checks,
        translators=translators,
        costs=tuple(costs),
        total_seconds=sum({c.artifact: c.seconds for c in costs}.values()),
        provenance=provenance(record, scored, reader),
        problems=tuple(reader.problems),
    )


def _command(record: RunRecord) -> str:
    """What repeats the run, in a checkout of the code that made this report."""
    commit = describe_environment()["git"]
    lines = [f"git checkout {commit.removesuffix('+changes')}"] if commit else []
    lines += ["make install", f".venv/bin/sim2real {_COMMANDS[record.flow]} config.yaml"]
    note = "  # and the changes that were not committed then" if commit and commit.endswith("+changes") else ""
    return "\n".join([lines[0] + note, *lines[1:]])


def _of(task: Task, scored: Iterable[Loaded]) -> list[Loaded]:
    return [s for s in scored if s.result.task == task]


def _summary(manifests: dict[str, Manifest], artifact: Artifact) -> dict[str, Any]:
    manifest = manifests.get(reference(artifact))
    return manifest.summary if manifest else {}


def _place(name: str, controls: Collection[str], record: RunRecord) -> tuple[bool, int]:
    """Controls first, as what the others are measured by, then in the order of the configuration."""
    order = [*record.translated, *record.translators]
    return name not in controls, order.index(name)


def _imported(manifest: Manifest | None) -> bool:
    """Whether the images were made with a generator's file that the configuration gives, or by another program."""
    if manifest is None:
        return False
    return manifest.config.get("weights") is not None or manifest.config.get("method") in OUTSIDE


def _costs(record: RunRecord, manifests: dict[str, Manifest]) -> Iterable[Cost]:
    """What each artifact took when it was built, which may have been in an earlier run."""
    for stage, artifact in record.artifacts().items():
        manifest = manifests.get(reference(artifact))
        yield Cost(
            stage=stage,
            kind=artifact.kind,
            seconds=artifact.seconds,
            images_per_second=_speed(manifest) if manifest else None,
            peak_memory=manifest.peak_memory if manifest else None,
            peak_gpu_memory=manifest.peak_gpu_memory if manifest else None,
            cached=artifact.cached,
            artifact=reference(artifact),
        )


def _speed(manifest: Manifest) -> float | None:
    """Images a second: as the stage measured it, or else those that it says it went through, by its whole time."""
    images, speed = manifest.summary.get("images"), manifest.summary.get("images_per_second")
    if speed is None and images and manifest.seconds:
        return round(float(images) / manifest.seconds, 2)
    return speed


def _datasets(
    record: RunRecord, manifests: dict[str, Manifest], config: ReportConfig, reader: Reader
) -> Iterable[DatasetRow]:
    for role, artifact in (("source", record.source), ("target", record.target), ("benchmark", record.benchmark)):
        summary = _summary(manifests, artifact)
        rejected = reader.rejected(artifact)
        yield DatasetRow(
            role=role,  # type: ignore[arg-type]
            dataset=str(summary.get("dataset", "unknown")),
            split=str(summary.get("split", "")),
            images=int(summary.get("images", 0)),
            boxes=summary.get("boxes") or {},
            rejected=max(int(summary.get("rejected", 0)), len(rejected)),
            first_rejected=tuple(rejected[: config.rejected_rows]),
            key=artifact.key,
            digest=artifact.digest,
            counts=summary.get("counts"),
        )


def _translators(record: RunRecord, manifests: dict[str, Manifest], reader: Reader) -> Iterable[TranslatorRow]:
    """Every translator that was trained or applied; one without training has no card."""
    for name in dict.fromkeys((*record.translators, *record.translated)):
        trained, applied = record.translators.get(name), record.translated.get(name)
        card = (reader.filed(trained, TranslatorCard) if trained else None) or TranslatorCard()
        summary = _summary(manifests, applied) if applied else {}
        yield TranslatorRow(
            name=name,
            method=str(card.method or summary.get("translator") or name),
            iterations=card.iterations,
            parameters=(card.parameters or {}).get("generator"),
            train_seconds=trained.seconds if trained else None,
            images=summary.get("images"),
            images_per_second=summary.get("images_per_second"),
        )
