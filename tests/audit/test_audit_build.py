"""The audit's artifact: its files, what it is keyed by, and what it says where something is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.audit import closeness
from tasks.audit.config import AuditConfig, Thresholds
from tasks.audit.extract import FeatureError
from tasks.audit.make_audit import Judged, build_audit, training_set
from tasks.catalogue.language import say
from tasks.contracts.artifact import Artifact
from tasks.contracts.audit import Audit
from tasks.contracts.finding import Finding
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.table import Box, Sample, SampleTable, SegmentationClass, TableInfo
from tasks.evaluate.detection import ground_truth
from tasks.store.digest import file_sha256
from tasks.store.files import write_json, write_png
from tasks.store.manifest import Manifest
from tasks.store.recipe import Recipe
from tasks.store.store import Store
from tests.workers import HERE

SIZE = (48, 32)
SKY, ROAD = 0, 1
INFO = TableInfo(
    dataset="drawn",
    classes=tuple(SegmentationClass(name=n, color=(i, i, i)) for i, n in enumerate(("Sky", "Road"))),
    detection=("car",),
    encoding=MaskEncoding(kind="index", indices={0: 0, 1: 1}),
    boxes_from="annotated",
)
MASK = np.repeat([[SKY], [ROAD]], [16, 16], axis=0).repeat(SIZE[0], axis=1).astype(np.uint8)


@dataclass
class Case:
    """Sets in a store, and judges that read what they are told to."""

    store: Store

    def images(self, name: str, count: int = 8, variants: int = 1, **info: Any) -> Artifact:
        """A set of noise, the same for the same count and so unchanged where translated; variants are named as by the
        translate stage."""

        def make(work: Path) -> None:
            rng, rows = np.random.default_rng(count), []
            for k in range(count):
                for v in range(variants):
                    own = f"i{k}" if variants == 1 else f"i{k}__v{v}"
                    files = [self.store.root / name / f"{own}{end}.png" for end in ("", "_mask")]
                    write_png(files[0], rng.integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8))
                    write_png(files[1], MASK)
                    extra = {} if variants == 1 else {"of": f"i{k}", "variant": v}
                    shas = [file_sha256(f) for f in files]
                    rows.append(Sample(own, *files, *SIZE, "train", *shas, (Box(0, 2, 2, 30, 30),), extra))
            table_info = INFO.model_copy(update=info)
            if table_info.encoding is None:
                rows = [replace(r, mask=None, mask_sha256=None) for r in rows]
            SampleTable.from_samples(rows, table_info, work).write(work)

        key = {"name": name, "count": count, "variants": variants, **{k: str(v) for k, v in info.items()}}
        return self.store.build(Recipe("dataset", config=key, inputs={}, code="1"), make)

    def read(self, images: Artifact, flipped: Mapping[str, float] | None = None, features: bool = True) -> Artifact:
        """What the segmenter reads: the labels, but of some images a share of the sky as road."""
        shares = dict(flipped or {})

        def make(work: Path) -> None:
            ids = SampleTable.read(images.path).rows["id"].to_pylist()
            for i in ids:
                predicted = MASK.copy()
                predicted[:, : round(SIZE[0] * shares.get(i, 0))] = ROAD
                write_png(work / "predictions" / f"{i}.png", predicted)
            if features:
                values = np.random.default_rng(len(ids)).normal(size=(len(ids), 3))
                pq.write_table(pa.table({"id": ids, "feature": list(values)}), work / "features.parquet")
            write_json(
                work / "scores.json",
                {"images": len(ids), "classes": [], "metrics": {"pixel_accuracy": 0.9, "mIoU": 0.7}},
            )

        config = {"flipped": shares, "features": features}
        return self.store.build(Recipe("evaluation", config=config, inputs={"set": images}, code="1"), make)

    def found(self, images: Artifact, share: float) -> Artifact:
        """What the detector finds: of the boxes, a share, exactly."""

        def make(work: Path) -> None:
            truth = ground_truth(SampleTable.read(images.path))
            boxes = truth["annotations"][: round(share * len(truth["annotations"]))]
            kept = ("image_id", "category_id", "bbox")
            write_json(work / "ground_truth.json", truth)
            write_json(work / "predictions.json", [{**{k: b[k] for k in kept}, "score": 0.9} for b in boxes])

        return self.store.build(Recipe("evaluation", config={"share": share}, inputs={"set": images}, code="1"), make)

    def audit(self, translated: Artifact, judged: Judged | None = None, **config: Any) -> Artifact:
        sets = {"source": self.images("sim"), "target": self.images("real", 6)}
        return build_audit("cut", sets, translated, judged or Judged(), AuditConfig(**config), self.store, HERE)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(Store(tmp_path / "store"))


def read_audit(artifact: Artifact) -> Audit:
    return Audit.read(artifact.path)


def segmenter(case: Case, translated: Artifact, flipped: Mapping[str, float], features: bool = True) -> Judged:
    return Judged(
        source=case.read(case.images("sim"), features=features),
        translated=case.read(translated, flipped, features),
        real=case.read(case.images("real", 6), features=features),
        benchmark=case.read(case.images("real", 6), features=features),
    )


def test_files_hold_what_was_measured_by_image(case: Case) -> None:
    translated = case.images("translated")
    artifact = case.audit(translated, segmenter(case, translated, {"i1": 0.25, "i3": 0.75}))
    images = pq.read_table(artifact.file("images.parquet")).to_pydict()
    assert list(images) == ["id", "flipped", "gradient", "edges", "high_band", "shift"]
    assert images["id"] == [f"i{k}" for k in range(8)]
    assert images["flipped"] == [0, 0.125, 0, 0.375, 0, 0, 0, 0]
    assert images["gradient"] == pytest.approx([1] * 8)
    assert images["shift"] == pytest.approx([0] * 8, abs=1e-6)
    flips = pq.read_table(artifact.file("flips.parquet")).to_pylist()
    assert flips == [
        {"id": "i1", "before": SKY, "after": ROAD, "pixels": 12 * 16},
        {"id": "i3", "before": SKY, "after": ROAD, "pixels": 36 * 16},
    ]
    audit = read_audit(artifact)
    assert audit.flips is not None
    assert audit.flips.classes[SKY].to == {"Road": 0.125}
    assert (audit.flips.real_accuracy, audit.flips.real_miou) == (0.9, 0.7)
    assert (audit.translator, audit.images) == ("cut", 8)
    assert {d.name for d in audit.distances} >= {"FD_seg", "KD_seg"}
    assert audit.map is not None
    assert {(p.domain, p.id) for p in audit.map.points} >= {("translated", "i0"), ("source", "i0")}
    assert sum(p.domain == "real" for p in audit.map.points) == 6
    failed = [c.severity for c in audit.checks if not c.passed]
    summary = Manifest.read(artifact.path).summary
    assert (summary["errors"], summary["warnings"]) == (failed.count("error"), failed.count("warning"))


@pytest.mark.parametrize("action", ["drop", "keep_source"])
def test_table_to_train_on(case: Case, action: str) -> None:
    translated = case.images("translated")
    artifact = case.audit(translated, segmenter(case, translated, {"i1": 0.25, "i3": 0.75}), on_fail=action)
    assert training_set(translated, artifact).path == artifact.path
    rows = {s.id: s for s in SampleTable.read(artifact.path)}
    before = {s.id: s for s in SampleTable.read(translated.path)}
    source = {s.id: s for s in SampleTable.read(case.images("sim").path)}
    assert [(a.id, a.flipped, a.action) for a in read_audit(artifact).acted] == [("i3", 0.375, action)]
    assert {i: rows[i] for i in ("i0", "i1", "i2")} == {i: before[i] for i in ("i0", "i1", "i2")}
    if action == "drop":
        assert "i3" not in rows
    else:
        assert rows["i3"] == replace(before["i3"], image=source["i3"].image, sha256=source["i3"].sha256)


def test_what_is_trained_on_goes_by_the_images_alone(case: Case) -> None:
    """Another threshold that leaves out the same images repeats no training; one that leaves out others does."""
    translated = case.images("translated")
    judge = segmenter(case, translated, {"i1": 0.25, "i3": 0.75})
    found = [case.audit(translated, judge, on_fail="drop", thresholds={"flipped_image": at}) for at in (0.2, 0.3, 0.1)]
    assert [len(read_audit(a).acted) for a in found] == [1, 1, 2]
    first, same, other = (training_set(translated, a) for a in found)
    assert found[0].digest != found[1].digest
    assert first.digest == same.digest != other.digest


def test_no_image_to_act_on_leaves_the_translated_set(case: Case) -> None:
    translated = case.images("translated")
    for flipped, action in (({"i1": 0.25}, "drop"), ({"i1": 0.9}, "stop")):
        artifact = case.audit(translated, segmenter(case, translated, flipped), on_fail=action)
        assert training_set(translated, artifact) == translated
        assert read_audit(artifact).acted == ()


def test_key_holds_what_the_audit_depends_on_and_no_more(case: Case) -> None:
    translated = case.images("translated")
    judged = segmenter(case, translated, {"i1": 0.25})
    first = case.audit(translated, judged)
    assert case.audit(translated, judged, judge_iterations=7).cached
    weights = {"path": "/elsewhere", "sha256": "0" * 64}
    with pytest.raises(FeatureError, match="elsewhere"):  # of another key, or it would have been found
        case.audit(translated, judged, inception=weights)
    changed = [
        case.audit(translated, judged, thresholds=Thresholds(flips=0.2)),
        case.audit(translated, judged, seed=1),
        case.audit(translated, segmenter(case, translated, {"i1": 0.5})),
        case.audit(case.images("translated", 3), segmenter(case, case.images("translated", 3), {})),
    ]
    assert len({a.key for a in (first, *changed)}) == 5


def test_without_judges_the_rest_is_measured(case: Case) -> None:
    artifact = case.audit(case.images("translated"))
    audit = read_audit(artifact)
    assert (audit.flips, audit.recall, audit.map, audit.acted) == (None, (), None, ())
    assert [n.code for n in audit.notes] == ["audits.note_flips", "audits.note_recall", "audits.note_features"]
    assert audit.gap is not None
    assert audit.detail
    assert {c.measure for c in audit.checks} >= {"detail", "geometry", "colour"}
    assert not artifact.file("flips.parquet").exists()
    assert pq.read_table(artifact.file("images.parquet"))["flipped"].null_count == 8


def test_few_images_are_measured_and_not_judged(case: Case) -> None:
    translated, sim = case.images("translated", 3), case.images("sim", 3)
    flipped = {f"i{k}": 0.9 for k in range(3)}
    judged = Judged(source=case.read(sim), translated=case.read(translated, flipped))
    sets = {"source": sim, "target": case.images("real", 6)}
    audit = read_audit(build_audit("cut", sets, translated, judged, AuditConfig(), case.store, HERE))
    assert audit.flips is not None
    assert audit.flips.share.value == pytest.approx(0.45, abs=0.01)
    assert audit.detail
    assert audit.checks == ()
    (note,) = (n for n in audit.notes if n.code == "audits.note_few")
    assert say(note) == f"{note.values['n']} measures rest on fewer than 6 images each: they are told and not judged."
    # Of eight images, those that show nothing of a class are no evidence on it.
    eight = case.images("translated")
    checks = read_audit(case.audit(eight, segmenter(case, eight, {"i1": 0.25}))).checks
    assert {c.images for c in checks if c.measure == "flips"} == {8}
    assert {c.images for c in checks if c.measure == "distance"} == {6}


def test_source_without_masks(case: Case) -> None:
    bare = {"encoding": None}
    sets = {"source": case.images("bare", **bare), "target": case.images("real", 6)}
    audit = read_audit(
        build_audit("cut", sets, case.images("bare translated", **bare), Judged(), AuditConfig(), case.store, HERE)
    )
    assert audit.flips is None
    assert [d.region for d in audit.detail] == ["image"]
    assert audit.gap is not None
    assert audit.gap.classes == ()


def test_recall_of_the_detector(case: Case) -> None:
    translated = case.images("translated")
    judged = Judged(boxes_source=case.found(case.images("sim"), 1), boxes_translated=case.found(translated, 0.5))
    audit = read_audit(case.audit(translated, judged))
    every = next(r for r in audit.recall if r.size == "all")
    assert (every.boxes, every.before.value, every.after.value) == (8, 1, 0.5)
    failed = next(c for c in audit.checks if c.measure == "recall" and c.subject.size == "all")
    assert (failed.measured, failed.passed) == (0.5, False)
    assert not any(n.code == "audits.note_recall" for n in audit.notes)


def test_judge_that_left_no_features(case: Case) -> None:
    translated = case.images("translated")
    audit = read_audit(case.audit(translated, segmenter(case, translated, {}, features=False)))
    assert audit.map is None
    assert not any("seg" in d.name for d in audit.distances)
    assert any(say(n).startswith("Distances and map on the segmenter's features were left out: ") for n in audit.notes)


def test_judge_that_reads_little_or_nothing(case: Case) -> None:
    translated, source = case.images("translated"), case.images("sim")
    everywhere = {f"i{k}": 1.0 for k in range(8)}
    half = Judged(source=case.read(source, everywhere), translated=case.read(translated))  # reads the road
    assert not [n for n in read_audit(case.audit(translated, half)).notes if "judge" in say(n)]

    def make(work: Path, value: int) -> None:
        for i in everywhere:
            wrong = 1 - MASK
            wrong[0, :value] = SKY
            write_png(work / "predictions" / f"{i}.png", wrong)

    for value, words in ((0, "reads nothing in the source rightly"), (24, "only 1.6 % of the source's pixels rightly")):
        judge = case.store.build(
            Recipe("evaluation", config={"v": value}, inputs={}, code="1"), lambda work, v=value: make(work, v)
        )
        audit = read_audit(case.audit(translated, Judged(source=judge, translated=case.read(translated))))
        assert any(words in say(n) for n in audit.notes)
    assert audit.flips is not None
    assert audit.flips.recovered.value == 1


def test_a_judge_that_reads_real_images_badly_stops_and_drops_nothing(case: Case) -> None:
    translated = case.images("translated")
    judged = segmenter(case, translated, {"i0": 1.0, "i1": 1.0, "i2": 1.0})
    audits = {
        least: read_audit(case.audit(translated, judged, thresholds={"judge": least, "flips_error": 0.1}))
        for least in (0.0, 1.0)
    }
    assert audits[0.0].flips is not None
    assert (audits[0.0].flips.real_miou or 1) < 1
    errors = {least: [c for c in a.checks if not c.passed and c.severity == "error"] for least, a in audits.items()}
    assert "flips" in {c.measure for c in errors[0.0]}
    assert "flips" not in {c.measure for c in errors[1.0]}
    assert {a.id for a in audits[0.0].acted} == {"i0", "i1", "i2"}
    assert not audits[1.0].acted
    assert any("no image is left out on its word" in say(n) for n in audits[1.0].notes)


def test_variants_are_audited_with_their_source(case: Case) -> None:
    translated = case.images("translated", variants=2)
    artifact = case.audit(translated, segmenter(case, translated, {"i1__v1": 0.75}), on_fail="keep_source")
    rows = {s.id: s for s in SampleTable.read(artifact.path)}
    source = {s.id: s for s in SampleTable.read(case.images("sim").path)}
    assert len(rows) == read_audit(artifact).images == 16
    assert rows["i1__v1"].image == source["i1"].image
    assert rows["i1__v0"].image != source["i1"].image


def test_efficientnet_features_where_they_are_asked_for(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def features(table: SampleTable) -> Any:
        asked.append(len(table))
        ids = tuple(table.rows["id"].to_pylist())
        return ids, np.random.default_rng(len(ids)).normal(size=(len(ids), 4)).astype(np.float32)

    monkeypatch.setattr(closeness, "efficientnet_features", lambda _: features)
    monkeypatch.setattr(closeness, "semantic_kernel_distance", lambda *_, **__: None)
    audit = read_audit(case.audit(case.images("translated"), features="efficientnet_lite0", images=3))
    assert [d.name for d in audit.distances] == ["FD_efflite0", "KD_efflite0"]
    assert audit.map is not None
    assert audit.map.features == "efflite0"
    assert asked == [3, 3, 3]

    def missing(*_: Any, **__: Any) -> Any:
        raise FeatureError(Finding.of("audits.features_no_efficientnet", reason="it is not installed"))

    monkeypatch.setattr(closeness, "efficientnet_features", missing)
    with pytest.raises(FeatureError, match="not installed"):  # asked for by name: no note would do
        case.audit(case.images("translated"), features="efficientnet_lite0", seed=1)


def test_set_of_one_image(case: Case) -> None:
    sets = {"source": case.images("sim", 1), "target": case.images("real", 6)}
    audit = read_audit(
        build_audit("cut", sets, case.images("translated", 1), Judged(), AuditConfig(), case.store, HERE)
    )
    assert (audit.gap, audit.map, audit.distances) == (None, None, ())
    assert any("two images at least" in say(n) for n in audit.notes)
