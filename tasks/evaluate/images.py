"""What an evaluation says of the benchmark's images themselves: the drive, the place in it, and attributes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.contracts import Finding
from tasks.datasets import SampleTable
from tasks.evaluate.errors import EvidenceError, unreadable

IMAGES = "images.parquet"  # id; sequence, or null; attributes: JSON
_DATASET = b"dataset"
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class ImageFacts:
    """What is known of N images, in the order of an evidence's ``ids``.

    Attributes:
        benchmark: the data set's name.
        sequences: the drive of each; None where the data set does not say.
        places: of each, its place among all images by drive and frame: frames of one drive ascend by time.
        attributes: of each, name -> value, such as weather: rain.
    """

    benchmark: str
    sequences: tuple[str | None, ...]
    places: tuple[int, ...]
    attributes: tuple[dict[str, str], ...]

    @property
    def has_drives(self) -> bool:
        """Whether the data set says of any image which drive it is of."""
        return any(s is not None for s in self.sequences)


def write_images(folder: Path, table: SampleTable) -> None:
    """Write the drives and attributes of a benchmark's images, frames of a drive in their order."""
    rows = table.rows.select(["id", "sequence", "extra"]).to_pylist()
    rows.sort(key=lambda row: (row["sequence"] or "", _frame(row["id"])))
    content = {
        "id": [row["id"] for row in rows],
        "sequence": pa.array([row["sequence"] for row in rows], pa.string()),
        "attributes": [json.dumps(_plain(json.loads(row["extra"])), sort_keys=True) for row in rows],
    }
    pq.write_table(pa.table(content).replace_schema_metadata({_DATASET: table.info.dataset.encode()}), folder / IMAGES)


def read_images(folder: Path, ids: Sequence[str]) -> ImageFacts | None:
    """What an evaluation says of these images; None where it is an older one, which does not.

    Raises:
        EvidenceError: the file cannot be read, or lacks one of the images.
    """
    if not (folder / IMAGES).is_file():
        return None
    try:
        table = pq.read_table(folder / IMAGES)
        found = {row["id"]: (place, row) for place, row in enumerate(table.to_pylist())}
        rows = [found[i] for i in ids]
        return ImageFacts(
            (table.schema.metadata or {}).get(_DATASET, b"").decode(),
            tuple(row["sequence"] for _, row in rows),
            tuple(place for place, _ in rows),
            tuple(json.loads(row["attributes"]) for _, row in rows),
        )
    except KeyError as error:
        raise EvidenceError(Finding.of("evidence.no_image", file=folder / IMAGES, id=error.args[0])) from error
    except (OSError, pa.ArrowException, ValueError, TypeError) as error:
        raise unreadable(folder / IMAGES, error) from error


def _frame(name: str) -> list[tuple[int, str]]:
    """An order of names in which frame 9 comes before frame 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(name)]


def _plain(extra: dict[str, Any]) -> dict[str, str]:
    """The attributes that are one word or whole number each; those of a group by ``group.name``."""
    found: dict[str, str] = {}
    for name, value in extra.items():
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": text for inner, text in _plain(value).items()}
        elif isinstance(value, bool):
            found[name] = "true" if value else "false"
        elif isinstance(value, str | int):
            found[name] = str(value)
    return found
