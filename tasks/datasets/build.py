"""Making the ``dataset`` artifact: the table of a data set's split, and the list of what was left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks.datasets.config import CityscapesDataset, Dataset, DatasetsConfig, MoraiDataset, SampleDataset
from tasks.datasets.items import DatasetError
from tasks.datasets.read import REJECTED, ReadResult, absolute, check_share, read_dataset, reader_of, write_rejected
from tasks.datasets.table import Sample, SampleTable
from tasks.datasets.taxonomy import Taxonomy
from tasks.store import Artifact, Store, code_version, content_digest


def build_dataset(config: Dataset, datasets: DatasetsConfig, store: Store) -> Artifact:
    """Return the ``dataset`` artifact of a split: ``samples.parquet`` and ``rejected.csv``.

    It is found again as long as the configuration, the taxonomy's content, the code of this room, and the split's
    files (names, sizes, times of change) stay the same.

    Raises:
        DatasetError: the data set cannot be read, or too much of it was rejected.
        TaxonomyError: the taxonomy is wrong, or has no map for the data set.
    """
    taxonomy = Taxonomy.load(datasets.taxonomy)
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
        result = read_dataset(located, taxonomy)
        write_rejected(folder / REJECTED, result.rejected)
        try:
            check_share(result, datasets.max_rejected)
        except DatasetError as error:
            raise DatasetError(f"{error}\nall of them: {folder / REJECTED}") from None
        table = result.table if sample is None else _relative(result.table, folder, config)
        table.write(folder)
        return _summary(result, table, config.split, taxonomy)

    inputs = {} if sample is None else {"sample": sample}
    return store.build("dataset", config=key, inputs=inputs, code=code_version("tasks.datasets"), make=make)


def fingerprint(places: Iterable[Path]) -> str:
    """Digest of the names, sizes and times of change of all files in these folders (or of these files)."""
    entries = []
    for place in places:
        paths = place.rglob("*") if place.is_dir() else [place]
        for path in sorted(p for p in paths if p.is_file()):
            stat = path.stat()
            entries.append([str(path.relative_to(place)), stat.st_size, stat.st_mtime_ns])
    return content_digest(entries)


def _build_sample(config: SampleDataset, store: Store) -> Artifact:
    from tasks.datasets.sample import write_sample

    drawn = config.model_dump(include={"side", "split", "count", "width", "height"})
    code = code_version("tasks.datasets.sample", "tasks.datasets.images", "tasks.datasets.readers.cityscapes")
    return store.build("sample", config=drawn, inputs={}, code=code, make=lambda folder: write_sample(folder, **drawn))


def _locate(config: Dataset, sample: Artifact | None) -> Any:
    """The configuration that a reader takes, with an absolute root."""
    if sample is None:
        return absolute(config)
    assert isinstance(config, SampleDataset)
    common = config.model_dump(include={"split", "include", "images", "seed"})
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
    counts = Counter(box.category for sample in table for box in sample.boxes)
    return {
        "dataset": table.info.dataset,
        "split": split,
        "taxonomy": taxonomy.name,
        "images": len(table),
        "boxes": {name: counts[i] for i, name in enumerate(table.info.detection)} if table.info.has_boxes else None,
        "hidden_boxes": result.hidden,
        "rejected": len(result.rejected),
    }
