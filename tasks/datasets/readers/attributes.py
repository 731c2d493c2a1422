"""What a table says of the images of a plain folder beside labels, such as the weather: CSV, a row an image."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

from tasks.contracts import Finding
from tasks.datasets.errors import DatasetError, ItemError
from tasks.datasets.files import text_lines
from tasks.datasets.images import SUFFIXES
from tasks.datasets.readers.pairing import label_alone
from tasks.datasets.readers.repeated import contradicting, keyed, merged_rows


class Attributes:
    """A CSV file with a header. The first column names images by their path below the image folder, with or without
    suffix; each other column is an attribute, and an empty cell says nothing.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._rows: dict[str, dict[str, str]] = {}
        self._contradicting: dict[str, Finding] = {}

    def load(self, stems: Collection[str]) -> dict[str, ItemError]:
        """Read the file; returns what in it is of no image, and repeated rows, by stem.

        Raises:
            DatasetError: it cannot be read, or is no such table.
        """
        try:
            lines = [line for _, line in text_lines(self.file)]
        except ItemError as error:
            raise DatasetError(error.finding, self.file) from error
        header, *rows = [[cell.strip() for cell in row] for row in csv.reader(lines)] or [[]]
        wrong = next((i for i, row in enumerate(rows, 2) if len(row) != len(header)), None)
        if len(header) < 2 or len({*header}) < len(header) or not all(header):
            raise DatasetError(Finding.of("data.attributes_header", header=", ".join(header)), self.file)
        if wrong is not None:
            raise DatasetError(Finding.of("data.attributes_row", row=wrong, n=len(header)), self.file)
        found = keyed((_stem(row[0]), tuple(row[1:])) for row in rows)
        self._rows = {
            stem: {name: cell for name, cell in zip(header[1:], cells, strict=True) if cell}
            for stem, cells in found.rows.items()
        }
        self._contradicting = {
            stem: contradicting(stem, len(of)) for stem, of in found.contradicting.items() if stem in stems
        }
        missing = {
            stem: label_alone(self.file, Finding.of("data.no_image_named", name=stem))
            for stem in found.known
            if stem not in stems
        }
        merged = merged_rows(self.file, header[0], found.merged)
        return missing | {f"{self.file} {header[0]}": problem for problem in merged}

    def of(self, stem: str, image: Path) -> dict[str, str]:
        """The attributes of an image; none where it has no row.

        Raises:
            ItemError: its rows contradict each other.
        """
        if stem in self._contradicting:
            raise ItemError(image, self._contradicting[stem], "unique")
        return self._rows.get(stem, {})


def _stem(name: str) -> str:
    suffix = next((s for s in SUFFIXES if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)]
