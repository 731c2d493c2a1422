"""The ``dataset`` artifact: the table of a data set's split, and the list of what was left out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from tasks.contracts import Artifact, DatasetCounts, Finding
from tasks.datasets.config import CityscapesDataset, Dataset, DatasetsConfig, MoraiDataset, SampleDataset, Stored
from tasks.datasets.errors import DatasetError
from tasks.datasets.files import fingerprint
from tasks.datasets.opening import confined
from tasks.datasets.read import ReadResult, absolute, check_share, read_dataset, reader_of
from tasks.datasets.rejected import REJECTED, write_rejected
from tasks.datasets.table import SampleTable
from tasks.datasets.taxonomy import Taxonomy
from tasks.sample import build_sample, sample_recipe
from tasks.store import Manifest, Recipe, Store, code_version, remember_place

_DRAWN = {"side", "split", "count", "drive", "width", "height"}


def build_dataset(config: Dataset, datasets: DatasetsConfig, store: Store) -> Artifact:
    """Return the ``dataset`` artifact of a split: ``samples.parquet`` and ``rejected.csv``.

    It is found again as long as the configuration, the taxonomy's content, the code of this room, and the split's
    files (names, sizes, times of change) stay the same.

    Raises:
        DatasetError: the data set cannot be read, or too much of it was rejected.
        TaxonomyError: the taxonomy is wrong, or has no map for the data set.
    """
    taxonomy = Taxonomy.load(datasets.taxonomy, datasets.detection)
    sample = _sample(config, store) if isinstance(config, SampleDataset) else None
    located = _locate(config, sample)

    def make(folder: Path) -> dict[str, Any]:
        result = read_dataset(located, taxonomy, folder)
        write_rejected(folder / REJECTED, result.rejected, located.root)
        try:
            check_share(result, datasets.max_rejected)
        except DatasetError as error:
            raise DatasetError(Finding.of("data.all_rejected", why=error.finding, file=folder / REJECTED)) from None
        table = result.table if sample is None else _drawn(result.table, config)
        table.write(folder)
        return _summary(result, table, config.split, taxonomy)

    artifact = store.build(dataset_recipe(config, datasets, sample), make)
    if name := SampleTable.read_info(artifact.path).root:
        remember_place(artifact.path, name, located.root)  # it may have been moved since the artifact was made
    return artifact


def dataset_recipe(config: Dataset, datasets: DatasetsConfig, sample: Artifact | None) -> Recipe:
    """What a ``dataset`` artifact is made from; ``sample`` is the drawn one where the configuration asks for it.

    Raises:
        DatasetError: the data set's folders are not what the format says.
        TaxonomyError: the taxonomy is wrong, or has no map for the data set.
    """
    taxonomy = Taxonomy.load(datasets.taxonomy, datasets.detection)
    located = _locate(config, sample)
    key: dict[str, Any] = {
        "dataset": config.model_dump(mode="json"),
        "taxonomy": taxonomy.model_dump(mode="json"),
        "max_rejected": datasets.max_rejected,
    }
    if sample is None:
        del key["dataset"]["root"]  # where it lies changes nothing
        with confined(located.confined_to):
            key["files"] = fingerprint(reader_of(located, taxonomy).places, located.root)
    inputs = {} if sample is None else {"sample": sample}
    return Recipe("dataset", config=key, inputs=inputs, code=code_version(__name__, _reader(located)))


def read_counts(artifact: Artifact) -> DatasetCounts | None:
    """What became of everything that a ``dataset`` artifact's set was found to have; None where it does not say so."""
    found = Manifest.read(artifact.path).summary.get("counts")
    return DatasetCounts.model_validate(found) if found is not None else None


def drawn_recipe(config: SampleDataset) -> Recipe:
    """What the ``sample`` artifact is made from that a configuration asks for."""
    return sample_recipe(**config.model_dump(include=_DRAWN))


def _reader(located: Stored) -> str:
    """The module of the format's reader, which is imported by the name in the configuration."""
    return f"tasks.datasets.readers.{located.format}"


def _sample(config: SampleDataset, store: Store) -> Artifact:
    return build_sample(store, **config.model_dump(include=_DRAWN))


def _locate(config: Dataset, sample: Artifact | None) -> Stored:
    """The configuration that a reader takes, with an absolute root."""
    if not isinstance(config, SampleDataset):
        return absolute(config)
    assert sample is not None
    common = config.model_dump(include={"split", "include", "images", "draw", "seed"})
    if config.side == "simulated":
        return MoraiDataset(format="morai", root=sample.path, **common)
    return CityscapesDataset(format="cityscapes", root=sample.path, **common)


def _drawn(table: SampleTable, config: Dataset) -> SampleTable:
    """The table of the embedded sample: its files lie in the store, and in no place of their own."""
    assert isinstance(config, SampleDataset)
    info = table.info.model_copy(update={"dataset": f"sample, {config.side}"})
    return SampleTable(table.rows, info, table.folder)


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
        "counts": result.counts.model_dump(),
    }
