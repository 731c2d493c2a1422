"""Defects planted into a drawn world: the audit must find each, rank it first, and list the images that it is in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from tasks.audit.config import AuditConfig
from tasks.audit.gate import AuditFailed, enforce
from tasks.audit.make_audit import Judged, build_audit, training_set
from tasks.contracts.artifact import Artifact
from tasks.contracts.audit import Audit
from tasks.contracts.audit_check import Subject
from tasks.datasets.images import read_image
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.table import Sample, SampleTable, SegmentationClass, TableInfo
from tasks.store.digest import file_sha256
from tasks.store.files import write_json, write_png
from tasks.store.recipe import Recipe
from tasks.store.store import Store
from tests.workers import HERE

Pixels = NDArray[np.uint8]
Change = Callable[[str, Pixels, Pixels], Pixels]

WIDTH, HEIGHT, SOURCES, REALS = 96, 64, 40, 24
NAMES = ("Sky", "Tree", "Road", "SignSymbol", "Car")
SKY, TREE, ROAD, SIGN, CAR = range(5)
REAL = np.array([[120, 165, 215], [45, 100, 45], [95, 92, 98], [205, 185, 60], [175, 40, 40]], float)
SIMULATED = REAL + np.array([[12, -10, 8], [-10, 12, 8], [10, 10, -10], [12, 10, -12], [12, 8, 12]])
TEXTURE = np.array([4, 16, 8, 30, 8])  # standard deviation of each class's fine texture, in grey levels
PURPLE = (175, 30, 130)  # no car of the real set has it, yet it is nearer to theirs than to any other class's colour
INFO = TableInfo(
    dataset="drawn",
    classes=tuple(SegmentationClass(name=n, color=(i, i, i)) for i, n in enumerate(NAMES)),
    detection=("car",),
    encoding=MaskEncoding(kind="index", indices={i: i for i in range(5)}),
    boxes_from=None,
)


def draw_mask(rng: np.random.Generator) -> Pixels:
    """Sky above a road; a tree, a sign before it, and a car on the road."""
    mask = np.full((HEIGHT, WIDTH), SKY, np.uint8)
    mask[rng.integers(34, 40) :] = ROAD
    tree = (int(rng.integers(10, 86)), 30)
    cv2.ellipse(mask, tree, (int(rng.integers(10, 16)), 14), 0, 0, 360, TREE, -1)
    x, y = int(rng.integers(4, 78)), int(rng.integers(12, 20))
    mask[y : y + 14, x : x + 14] = SIGN
    x, y = int(rng.integers(2, 70)), int(rng.integers(42, 50))
    mask[y : y + 12, x : x + 22] = CAR
    return mask


def painted(mask: Pixels, colours: NDArray[np.float64], rng: np.random.Generator) -> Pixels:
    """Each class in its colour and texture, under a light of the image's own."""
    texture = rng.normal(size=(*mask.shape, 1)).clip(-2, 2) * TEXTURE[mask][..., None]
    return np.asarray((colours[mask] + texture + rng.normal(0, 4)).clip(0, 255), np.uint8)


def scores(image: Pixels) -> NDArray[np.float64]:
    """Of each class, how far a pixel's colour is from the real one, after a little smoothing: ``[H, W, C]``."""
    smooth = cv2.GaussianBlur(image, (0, 0), 1).astype(float)
    return np.asarray(((smooth[..., None, :] - REAL) ** 2).sum(-1))


@dataclass
class World:
    """A source and a real set in a store, and a judge that has seen the real colours only."""

    store: Store
    source: Artifact
    target: Artifact

    def judged(self, images: Artifact) -> Artifact:
        def make(work: Path) -> None:
            table, features, right = SampleTable.read(images.path), [], []
            for s in table:
                found = scores(read_image(s.image))
                write_png(work / "predictions" / f"{s.id}.png", (read := found.argmin(-1).astype(np.uint8)))
                features.append(np.exp(-found / 2000).mean((0, 1)))
                right.append((read == cv2.imread(str(s.mask), cv2.IMREAD_UNCHANGED)).mean())
            pq.write_table(pa.table({"id": table.rows["id"], "feature": features}), work / "features.parquet")
            metrics = {"pixel_accuracy": float(np.mean(right)), "mIoU": 0.5}
            write_json(work / "scores.json", {"images": len(right), "classes": [], "metrics": metrics})

        return self.store.build(Recipe("evaluation", config={}, inputs={"set": images}, code="1"), make)

    def translated(self, name: str, change: Change) -> Artifact:
        def make(work: Path) -> None:
            rows = []
            for s in SampleTable.read(self.source.path):
                mask = cv2.imread(str(s.mask), cv2.IMREAD_UNCHANGED)
                write_png(path := work / "images" / f"{s.id}.png", change(s.id, read_image(s.image), mask))
                rows.append(replace(s, image=path.relative_to(work), sha256=file_sha256(path)))
            SampleTable.from_samples(rows, INFO, work).write(work)

        return self.store.build(Recipe("translated", config={"name": name}, inputs={}, code="1"), make)

    def audited(self, name: str, change: Change) -> tuple[Audit, Artifact, Artifact]:
        """Of the source changed so: what the audit says, its artifact, and the translated set."""
        translated = self.translated(name, change)
        judged = Judged(*(self.judged(a) for a in (self.source, translated, self.target, self.target)))
        sets = {"source": self.source, "target": self.target, "benchmark": self.target}
        audit = build_audit(name, sets, translated, judged, AuditConfig(), self.store, HERE)
        return Audit.read(audit.path), audit, translated


@pytest.fixture(scope="module", params=[SIMULATED, REAL], ids=["other colours", "the real colours"])
def world(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> World:
    """Of a source that looks other than the real set, and of one that looks like it, so that it can only get worse."""
    store = Store(tmp_path_factory.mktemp("world"))

    def dataset(side: str, count: int, colours: NDArray[np.float64]) -> Artifact:
        def make(work: Path) -> None:
            rng, rows = np.random.default_rng([count]), []
            for k in range(count):
                mask = draw_mask(rng)
                files = [store.root / side / f"{kind}{k}.png" for kind in ("image", "mask")]
                write_png(files[0], painted(mask, colours, rng))
                write_png(files[1], mask)
                shas = [file_sha256(f) for f in files]
                rows.append(Sample(f"{side}{k:02}", *files, WIDTH, HEIGHT, "train", *shas, None))
            SampleTable.from_samples(rows, INFO, work).write(work)

        return store.build(Recipe("dataset", config={"side": side}, inputs={}, code="1"), make)

    return World(store, dataset("sim", SOURCES, request.param), dataset("real", REALS, REAL))


def some(count: int) -> set[str]:
    """The images that a defect is planted in."""
    return {f"sim{k:02}" for k in np.random.default_rng(5).permutation(SOURCES)[:count]}


def test_identity_is_faultless(world: World) -> None:
    audit, artifact, translated = world.audited("identity", lambda name, image, mask: image)
    assert audit.flips is not None
    assert audit.flips.share.value == 0
    assert all(not c.to and c.rate.value in (0, None) for c in audit.flips.classes)
    assert audit.flips.source_accuracy == audit.flips.translated_accuracy > 0.9  # or nothing could flip
    assert [d.region for d in audit.detail] == ["image", "SignSymbol"]
    for detail in audit.detail:
        assert (detail.gradient.value, detail.edges.value, detail.high_band.value) == (1, 1, 1)
    assert [c.found for c in audit.checks if not c.passed] == []
    assert {c.measure for c in audit.checks} == {"flips", "flipped_images", "detail", "geometry", "colour", "distance"}
    assert all(d.before == d.after for d in audit.distances)
    assert training_set(translated, artifact) == translated
    enforce(audit, artifact, AuditConfig())


def test_sky_that_turns_into_trees(world: World) -> None:
    planted = some(9)

    def change(name: str, image: Pixels, mask: Pixels) -> Pixels:
        rng = np.random.default_rng(int(name[3:]))
        leaves = painted(np.full_like(mask, TREE), REAL, rng)
        return np.where(((mask == SKY) & (name in planted))[..., None], leaves, image)

    audit, artifact, translated = world.audited("leaves", change)
    first = audit.checks[0]
    assert (first.measure, first.subject, first.passed) == ("flips", Subject(class_name="Sky", becomes="Tree"), False)
    assert set(first.listed) == planted
    assert first.measured == pytest.approx(9 / SOURCES, abs=0.05)
    assert {a.id for a in audit.acted} == planted  # their share of sky is over thresholds.flipped_image
    left = SampleTable.read(training_set(translated, artifact).path)
    assert set(left.rows["id"].to_pylist()) == {f"sim{k:02}" for k in range(SOURCES)} - planted
    enforce(audit, artifact, AuditConfig())


def test_blur_inside_signs(world: World) -> None:
    planted = some(30)

    def change(name: str, image: Pixels, mask: Pixels) -> Pixels:
        y, x = np.nonzero(mask == SIGN)
        changed = image.copy()
        if name in planted:
            inside = np.s_[y.min() : y.max() + 1, x.min() : x.max() + 1]
            changed[inside] = cv2.GaussianBlur(image[inside], (0, 0), 3)
        return changed

    audit, _, _ = world.audited("blur", change)
    first = audit.checks[0]
    assert (first.measure, first.subject.class_name, first.passed) == ("detail", "SignSymbol", False)
    assert set(first.listed) <= planted
    assert len(first.listed) >= 10
    assert all(c.passed for c in audit.checks if c.measure == "detail" and c.subject.class_name is None)


def test_cars_of_a_colour_that_no_real_car_has(world: World) -> None:
    planted = some(11)

    def change(name: str, image: Pixels, mask: Pixels) -> Pixels:
        shifted = (image + (np.array(PURPLE) - REAL[CAR])).clip(0, 255).astype(np.uint8)
        return np.where(((mask == CAR) & (name in planted))[..., None], shifted, image)

    audit, _, _ = world.audited("paint", change)
    first = audit.checks[0]
    assert (first.measure, first.subject, first.passed) == ("colour", Subject(class_name="Car"), False)
    assert set(first.listed) == planted
    assert all(c.passed for c in audit.checks if c.measure in ("flips", "detail", "geometry"))


def test_images_that_are_shifted(world: World) -> None:
    planted = some(28)

    def change(name: str, image: Pixels, mask: Pixels) -> Pixels:
        if name not in planted:
            return image
        move = np.array([[1, 0, 8], [0, 1, 0]], float)
        return np.asarray(cv2.warpAffine(image, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE), np.uint8)

    audit, artifact, _ = world.audited("shift", change)
    first = audit.checks[0]
    assert (first.measure, first.severity, first.passed) == ("geometry", "error", False)
    assert first.measured == pytest.approx(8, abs=0.5)
    assert set(first.listed) <= planted
    assert len(first.listed) == 12
    with pytest.raises(AuditFailed, match=r"displaced by (7\.9|8\.0)\d px"):
        enforce(audit, artifact, AuditConfig())
