"""Making the room's artifacts: the table of a data set's split with the list of what was left out, and the checks."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from pydantic import TypeAdapter

from tasks.datasets.checks import Check, CheckedSet, run_checks
from tasks.datasets.checks.page import write_page
from tasks.datasets.config import CityscapesDataset, Dataset, DatasetsConfig, MoraiDataset, SampleDataset, Stored
from tasks.datasets.errors import DatasetError
from tasks.datasets.files import fingerprint
from tasks.datasets.read import REJECTED, ReadResult, absolute, check_share, read_dataset, reader_of, write_rejected
from tasks.datasets.table import Labels, Sample, SampleTable
from tasks.datasets.taxonomy import Taxonomy
from tasks.store import Artifact, Store, code_version, write_json

CHECKS, CHECKS_PAGE = "checks.json", "checks.html"
_READING = ("config", "errors", "files", "images", "items", "masks", "objects", "phash", "read", "readers", "select")
_CODE = tuple(f"tasks.datasets.{name}" for name in (*_READING, "table", "taxonomy", "build"))


def build_dataset(config: Dataset, datasets: DatasetsConfig, store: Store) -> Artifact:
    """Return the ``dataset`` artifact of a split: ``samples.parquet`` and ``rejected.csv``.

    It is found again as long as the configuration, the taxonomy's content, the code of this room, and the split's
    files (names, sizes, times of change) stay the same.

    Raises:
        DatasetError: the data set cannot be read, or too much of it was rejected.
        TaxonomyError: the taxonomy is wrong, or has no map for the data set.
    """
    taxonomy = Taxonomy.load(datasets.taxonomy, datasets.detection)
    sample = _build_sample(config, store) if isinstance(config, SampleDataset) else None
    located = _locate(config, sample)
    key: dict[str, Any] = {
        "dataset": config.model_dump(mode="json"),
        "taxonomy": taxonomy.model_dump(mode="json"),
        "max_rejected": datasets.max_rejected,
    }
    if sample is None:
        key["dataset"]["root"] = str(located.root)
        key["files"] = fingerprint(reader_of(located, taxonomy).places)

    def make(folder: Path) -> dict[str, Any]:
        result = read_dataset(located, taxonomy, folder)
        write_rejected(folder / REJECTED, result.rejected)
        try:
            check_share(result, datasets.max_rejected)
        except DatasetError as error:
            raise DatasetError(f"{error}\nall of them: {folder / REJECTED}") from None
        table = result.table if sample is None else _relative(result.table, folder, config)
        table.write(folder)
        return _summary(result, table, config.split, taxonomy)

    inputs = {} if sample is None else {"sample": sample}
    return store.build("dataset", config=key, inputs=inputs, code=code_version(*_CODE), make=make)


def build_checks(
    sets: Mapping[str, Artifact],
    config: DatasetsConfig,
    store: Store,
    needed: Mapping[str, Collection[Labels]] | None = None,
) -> Artifact:
    """Return the ``checks`` artifact of data sets by role: ``checks.json``, and ``checks.html`` with examples.

    ``needed`` says, by role, which labels are going to be used.
    """

    def make(folder: Path) -> dict[str, Any]:
        read = {role: CheckedSet.of(artifact) for role, artifact in sets.items()}
        checks = run_checks(read, config, needed)
        write_json(folder / CHECKS, [c.model_dump(mode="json") for c in checks])
        write_page(folder / CHECKS_PAGE, checks, read, " / ".join(s.table.info.dataset for s in read.values()))
        failed = Counter(c.severity for c in checks if not c.passed)
        return {"checks": len(checks), "errors": failed["error"], "warnings": failed["warning"]}

    code = code_version("tasks.datasets.checks", "tasks.datasets.table", "tasks.datasets.phash")
    slice_ = config.model_dump(mode="json", include={"checks", "max_rejected"})
    slice_["needed"] = {role: sorted(labels) for role, labels in (needed or {}).items()}
    return store.build("checks", config=slice_, inputs=sets, code=code, make=make)


def read_checks(artifact: Artifact) -> list[Check]:
    """What the checks found."""
    return TypeAdapter(list[Check]).validate_json(artifact.file(CHECKS).read_bytes())


def _build_sample(config: SampleDataset, store: Store) -> Artifact:
    from tasks.datasets.sample import write_sample

    drawn = config.model_dump(include={"side", "split", "count", "drive", "width", "height"})
    code = code_version("tasks.datasets.sample", "tasks.datasets.images", "tasks.datasets.readers.cityscapes")
    return store.build("sample", config=drawn, inputs={}, code=code, make=lambda folder: write_sample(folder, **drawn))


def _locate(config: Dataset, sample: Artifact | None) -> Stored:
    """The configuration that a reader takes, with an absolute root."""
    if not isinstance(config, SampleDataset):
        return absolute(config)
    assert sample is not None
    common = config.model_dump(include={"split", "include", "images", "draw", "seed"})
    if config.side == "simulated":
        return MoraiDataset(format="morai", root=sample.path, **common)
    return CityscapesDataset(format="cityscapes", root=sample.path, **common)


def _relative(table: SampleTable, folder: Path, config: Dataset) -> SampleTable:
    """The table with paths relative to the artifact's folder: a store that is moved stays whole."""

    def moved(s: Sample) -> Sample:
        image, mask = (Path(os.path.relpath(p, folder)) if p is not None else None for p in (s.image, s.mask))
        assert image is not None
        return replace(s, image=image, mask=mask)

    assert isinstance(config, SampleDataset)
    info = table.info.model_copy(update={"dataset": f"sample, {config.side}"})
    return SampleTable.from_samples([moved(s) for s in table], info, folder)


def _summary(result: ReadResult, table: SampleTable, split: str, taxonomy: Taxonomy) -> dict[str, Any]:
    categories = pc.struct_field(pc.list_flatten(table.rows["boxes"]), "category")
    counts = Counter({row["values"]: row["counts"] for row in pc.value_counts(categories).to_pylist()})
    return {
        "dataset": table.info.dataset,
        "split": split,
        "taxonomy": taxonomy.name,
        "images": len(table),
        "seen_images": result.images,
        "seen_boxes": result.boxes,
        "boxes": {name: counts[i] for i, name in enumerate(table.info.detection)} if table.info.has_boxes else None,
        "hidden_boxes": result.hidden,
        "rejected": len(result.rejected),
    }
