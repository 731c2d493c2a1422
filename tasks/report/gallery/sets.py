"""What the pictures are chosen from: the run's tables, each read once, and what the frozen judges read in them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.audit import judged_inputs, source_id
from tasks.contracts import Artifact, Finding, RunRecord
from tasks.datasets import Sample, SampleTable
from tasks.report.config import ReportConfig
from tasks.report.reading import Reader


class Images:
    """The images of a table, by id and by the source's image that they were made of."""

    def __init__(self, table: SampleTable) -> None:
        self.table = table
        self.info = table.info
        self.ids: list[str] = [str(i) for i in table.rows["id"].to_pylist()]
        self._at = {name: i for i, name in enumerate(self.ids)}

    def get(self, sample_id: str) -> Sample | None:
        """The image of an id, or None."""
        at = self._at.get(sample_id)
        return None if at is None else self.table[at]

    def of_source(self, sample_id: str) -> Sample | None:
        """What was made of an image of the source, of several variants the first; None where nothing was."""
        return self.get(self.by_source[sample_id]) if sample_id in self.by_source else None

    @functools.cached_property
    def by_source(self) -> dict[str, str]:
        """Id of the source's image -> id of what was made of it, of several variants the first."""
        extras = self.table.rows["extra"].to_pylist()
        found: dict[str, str] = {}
        for i, (name, extra) in enumerate(zip(self.ids, extras, strict=True)):
            found.setdefault(source_id(self.table[i]) if '"of"' in extra else name, name)
        return found


@dataclass(frozen=True)
class Sets:
    """The run as the pictures need it.

    Attributes:
        source, target, benchmark: None where the table cannot be read.
        translated: translator -> its images. changed: the same without controls, which change nothing.
    """

    record: RunRecord
    config: ReportConfig
    reader: Reader
    source: Images | None
    target: Images | None
    benchmark: Images | None
    translated: dict[str, Images]
    changed: dict[str, Images]

    @classmethod
    def read(cls, record: RunRecord, config: ReportConfig, reader: Reader) -> Sets:
        """Read the tables; one that cannot be read is one of the reader's problems."""
        source, target, benchmark = (_images(a, reader) for a in (record.source, record.target, record.benchmark))
        translated = {name: i for name, a in record.translated.items() if (i := _images(a, reader)) is not None}
        changed = {name: i for name, i in translated.items() if not _control(record.translated[name], reader)}
        return cls(record, config, reader, source, target, benchmark, translated, changed)

    def judged(self, translator: str) -> dict[str, Path]:
        """What the judges of a translator's audit read, as role -> folder: ``source``, ``translated``, ``real``, ...

        Those that are no longer in the store are left out.
        """
        audit = self.record.audits.get(translator)
        manifest = self.reader.manifest(audit.path) if audit is not None else None
        if audit is None or manifest is None:
            return {}
        root = audit.path.parent.parent
        found = judged_inputs(manifest.inputs)
        folders = {role: root / entry.kind / entry.key for role, entry in found.items()}
        for folder in folders.values():
            if not folder.is_dir():
                self.reader.skip(folder, Finding.of("words.reason_artifact"))
        return {role: folder for role, folder in folders.items() if folder.is_dir()}


def _images(artifact: Artifact, reader: Reader) -> Images | None:
    table = reader.table(artifact)
    return Images(table) if table is not None else None


def _control(artifact: Artifact, reader: Reader) -> bool:
    manifest = reader.manifest(artifact.path)
    return manifest is not None and manifest.summary.get("translator") == "identity"


def everywhere(source: Images, translated: Iterable[Images]) -> list[str]:
    """The source's images, in its order, that every one of the translated sets has."""
    common = set(source.ids).intersection(*(images.by_source for images in translated))
    return [i for i in source.ids if i in common]


def spread(items: Sequence[str], number: int) -> list[str]:
    """``number`` of the items, evenly spaced; all where there are fewer."""
    if len(items) <= number:
        return list(items)
    return [items[(2 * i + 1) * len(items) // (2 * number)] for i in range(number)]
