"""A run whose translation is known to the pixel, with the judges' evaluations: what the pictures' tests choose from.

Every image has a road, a tree, a building, two signs and a pole. Translation flips part of the tree of image 2 to
building, and flattens the left sign of image 1; of image 3 it flips specks alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image

from tasks.catalogue.language import speaking
from tasks.contracts.artifact import Artifact
from tasks.contracts.audit import Audit
from tasks.contracts.audit_check import AuditCheck, Subject
from tasks.contracts.finding import Finding
from tasks.contracts.record import RunRecord
from tasks.datasets.table import Sample, SampleTable
from tasks.report.audits import read_audits
from tasks.report.config import ReportConfig
from tasks.report.gallery.build import galleries
from tasks.report.gallery.grid import Grid
from tasks.report.reading import Reader
from tasks.store.files import write_json
from tasks.store.manifest import Manifest
from tests.report.conftest import Fake
from tests.report.findings import audit

ROAD, TREE, BUILDING, SIGN, POLE, NOWHERE = range(6)
NAMES = ("road", "Tree", "Building", "SignSymbol", "Pole", "nowhere")
WIDTH, HEIGHT = 160, 120
LEFT_SIGN, RIGHT_SIGN = (slice(20, 34), slice(24, 40)), (slice(20, 34), slice(110, 126))
FLIPPED = slice(36, 58), slice(10, 60)  # of the tree of image 2: 1100 pixels
FLIPPED_SHARES = {"0": 0.0, "1": None, "2": 0.3, "3": 0.4}
ARMS = {("segmentation", "source", 0): 0.2, ("segmentation", "translated(cut)", 0): 0.3}
Pixels = NDArray[np.uint8]


def label() -> Pixels:
    """The label of every image, ``[H, W]``."""
    mask = np.full((HEIGHT, WIDTH), ROAD, np.uint8)
    mask[:60, :80], mask[:60, 80:] = TREE, BUILDING
    for sign in (LEFT_SIGN, RIGHT_SIGN):
        mask[sign] = SIGN
    mask[10:70, 70:73] = POLE
    return mask


def street() -> Pixels:
    """An image of the source: noise that is the same in all, and signs of stripes."""
    image = np.random.default_rng(0).integers(60, 90, (HEIGHT, WIDTH, 3), np.uint8)
    for sign in (LEFT_SIGN, RIGHT_SIGN):
        image[sign] = 230
        image[sign][::4] = 20
    image[10:70, 70:73] = 160
    return image


def translated(index: int) -> Pixels:
    """What is made of it."""
    image = np.clip(street().astype(int) + 20, 0, 255).astype(np.uint8)
    if index == 1:
        image[17:37, 21:43] = 95
    return image


def read_after(index: int) -> Pixels:
    """What the judge reads in it."""
    read = label()
    if index == 2:
        read[FLIPPED] = BUILDING
    if index == 3:
        read[2:4, 2:4], read[2:4, 20:22] = BUILDING, BUILDING
    return read


def detail_check(name: str | None, listed: Sequence[str]) -> AuditCheck:
    return AuditCheck(
        measure="detail",
        subject=Subject(class_name=name, part="gradient"),
        severity="warning",
        passed=False,
        measured=0.6,
        threshold=0.5,
        unit="share",
        found=Finding.of("audits.found_gradient", share=0.6, name=name),
        listed=tuple(listed),
    )


@dataclass
class World(Fake):
    """The run, and its galleries.

    ``sequences``: of every image, or None. ``judges``: the roles that the audit had evaluations of. ``suffix``: of the
    translated images' ids, as of variants.
    """

    sequences: Sequence[str | None] = ("drive",) * 4
    suffix: str = ""
    judges: Sequence[str] = ("source", "translated", "real", "benchmark")
    real_features: Sequence[Sequence[float]] = ((0, 0), (1, 0), (0, 1000), (1, 1000))
    source_features: Sequence[Sequence[float]] = ((0, 0),)
    features: Sequence[Sequence[float]] = ((0.9, 10), (0, 990), (1, 1010), (0.1, 0))
    found: Audit = field(
        default_factory=lambda: audit(
            classes=NAMES, checks=[detail_check("Pole", ("0", "1")), detail_check("SignSymbol", ("1", "0", "2"))]
        )
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.classes = dict.fromkeys(NAMES, 0.5)

    def record(self, name: str = "trial") -> RunRecord:
        made = super().record(name)
        audits = {name: self.audited(name, a, made.benchmark) for name, a in made.translated.items()}
        return made.model_copy(update={"audits": audits})

    def table(self, name: str, folder: Path, hue: int) -> None:
        info, samples = self.info(name), []
        pixels = tuple(np.bincount(label().ravel(), minlength=len(NAMES)).tolist())
        made = "translated" in name
        for i in range(self.images):
            image, mask = Path(f"images/{i}.png"), Path(f"masks/{i}.png")
            for path in (image, mask):
                (folder / path).parent.mkdir(exist_ok=True)
            Image.fromarray(translated(i) if made else street()).save(folder / image)
            Image.fromarray(label()).save(folder / mask)
            known: dict[str, Any] = {"sequence": self.sequences[i % len(self.sequences)], "class_pixels": pixels}
            extra = {"of": f"{i}"} if made and self.suffix else {}
            own = f"{i}{self.suffix if made else ''}"
            samples.append(Sample(own, image, mask, WIDTH, HEIGHT, "train", own, own, (), extra, **known))
        SampleTable.from_samples(samples, info, folder).write(folder)

    def named(self, role: str, index: int) -> str:
        return f"{index}{self.suffix if role == 'translated' else ''}"

    def judged(self, role: str, rows: Sequence[Sequence[float]]) -> Artifact:
        def make(folder: Path) -> None:
            (folder / "predictions").mkdir()
            for i in range(self.images):
                read = read_after(i) if role == "translated" else label()
                Image.fromarray(read).save(folder / f"predictions/{self.named(role, i)}.png")
            ids = [self.named(role, i) for i in range(self.images)]
            features = [list(map(float, rows[i % len(rows)])) for i in range(self.images)]
            pq.write_table(pa.table({"id": ids, "feature": features}), folder / "features.parquet")

        return self.build("evaluation", {"judge": role, "rows": [list(r) for r in rows]}, {}, make)

    def audited(self, name: str, translated: Artifact, benchmark: Artifact) -> Artifact:
        def make(folder: Path) -> None:
            write_json(
                folder / "audit.json", self.found.model_copy(update={"translator": name}).model_dump(mode="json")
            )
            ids = [self.named("translated", i) for i in range(self.images)]
            shares = pa.array([FLIPPED_SHARES.get(str(i)) for i in range(self.images)], pa.float64())
            pq.write_table(pa.table({"id": ids, "flipped": shares}), folder / "images.parquet")

        rows = {"real": self.real_features, "translated": self.features, "source": self.source_features}
        inputs = {f"judged_{role}": self.judged(role, rows.get(role, [[0, 0]])) for role in self.judges}
        return self.build("audit", {"name": name}, {"translated": translated, **inputs}, make)

    def drawn(
        self, kind: str | None = None, record: RunRecord | None = None, **config: Any
    ) -> tuple[list[Grid], list[str]]:
        """The grids of a kind, or all of them, and the reader's problems."""
        record, reader = record or self.record(), Reader()
        with speaking(config.get("language", "en")):
            audits = list(read_audits(record, reader))
            grids = galleries(record, audits, ReportConfig(**config), reader)
        return [g for g in grids if kind in (None, g.kind)], reader.problems


def inputs(record: RunRecord, role: str, name: str = "cut") -> Path:
    """The folder of what a translator's audit was made from."""
    entry = Manifest.read(record.audits[name].path).inputs[role]
    return record.audits[name].path.parent.parent / entry.kind / entry.key


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., World]:
    """Makes runs in one store: ``world(sequences=...)``."""

    def make(**changes: Any) -> World:
        return World(tmp_path / "store", ARMS, **changes)

    return make
