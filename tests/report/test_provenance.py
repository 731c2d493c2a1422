"""The provenance of a report: what the store's manifests say of every artifact that a score descends from."""

from __future__ import annotations

from typing import Any

from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.provenance import chain
from tasks.store.manifest import Manifest

CUT = "translated(cut)"


def test_every_node_has_the_slice_of_its_key_and_its_device(fake: Any) -> None:
    made = fake({("segmentation", CUT, 0): 0.4})
    graph = build_report(made.record(), ReportConfig(), {}).provenance
    found = [node for _, _, node in chain(graph, graph.scores[0].evaluation)]
    assert {n.kind for n in found} >= {"evaluation", "model", "translated", "translator", "dataset"}
    for node in found:
        manifest = Manifest.read(made.root / node.kind / node.key)
        assert node.config == manifest.config
        assert node.device == {"model": "cpu", "evaluation": "cpu"}.get(node.kind)


def test_an_artifact_that_is_gone_has_no_slice(fake: Any) -> None:
    made = fake({("segmentation", CUT, 0): 0.4})
    record = made.record()
    (record.results[0].model.path / "artifact.json").unlink()
    nodes = build_report(record, ReportConfig(), {}).provenance.nodes
    assert nodes[f"model/{record.results[0].model.key}"].config is None
