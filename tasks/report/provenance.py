"""Where every score comes from: evaluation <- model <- training tables <- translated set <- translator <- data sets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tasks.compute import device_kind
from tasks.contracts import TASKS, Artifact, RunRecord
from tasks.report.lineage import Node, Provenance, ScoreRef
from tasks.report.reading import Reader
from tasks.report.tables import Loaded
from tasks.store import Manifest


def provenance(record: RunRecord, scored: Sequence[Loaded], reader: Reader) -> Provenance:
    """Follow the inputs of the run's artifacts through the store."""
    walk = _Walk(reader)
    for artifact in record.artifacts().values():
        walk.follow(artifact)
    return Provenance(
        scores=tuple(_score(s) for s in scored), nodes=walk.nodes, environments=tuple(walk.environments.values())
    )


def chain(graph: Provenance, reference: str, role: str = "", depth: int = 0) -> Iterator[tuple[int, str, Node]]:
    """Walk from an artifact to what it was made from: (depth, role, node), inputs after what needs them."""
    node = graph.nodes[reference]
    yield depth, role, node
    for name, below in node.inputs.items():
        yield from chain(graph, below, name, depth + 1)


def reference(entry: Any) -> str:
    """``kind/key`` of an artifact or of a manifest's input."""
    return f"{entry.kind}/{entry.key}"


def _score(scored: Loaded) -> ScoreRef:
    metric = TASKS[scored.result.task].metrics[0]
    fraction = scored.scores.metrics.get(metric)
    return ScoreRef(
        task=scored.result.task,
        arm=scored.result.arm,
        seed=scored.result.seed,
        metric=metric,
        value=None if fraction is None else round(100 * fraction, 4),
        evaluation=reference(scored.result.evaluation),
    )


def _device(manifest: Manifest) -> str | None:
    device = manifest.summary.get("device")
    precision = manifest.summary.get("precision")
    return ", ".join(filter(None, (device_kind(device), precision))) if isinstance(device, str) else None


class _Walk:
    """Collects nodes; environments that are equal become one."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.nodes: dict[str, Node] = {}
        self.environments: dict[str, dict[str, Any]] = {}

    def follow(self, artifact: Artifact) -> None:
        root = artifact.path.parent.parent
        todo: list[Any] = [artifact]
        while todo:
            entry = todo.pop()
            if reference(entry) in self.nodes:
                continue
            manifest = self.reader.manifest(root / entry.kind / entry.key)
            if manifest is None:
                self.nodes[reference(entry)] = Node(kind=entry.kind, key=entry.key, digest=entry.digest)
                continue
            self.nodes[reference(entry)] = Node(
                kind=entry.kind,
                key=entry.key,
                digest=manifest.digest,
                config=manifest.config,
                device=_device(manifest),
                code=manifest.code,
                created=manifest.created,
                environment=self._environment(manifest.environment),
                inputs={role: reference(i) for role, i in manifest.inputs.items()},
            )
            todo += manifest.inputs.values()

    def _environment(self, values: dict[str, Any]) -> int:
        text = json.dumps(values, sort_keys=True)
        self.environments.setdefault(text, values)
        return list(self.environments).index(text)
