"""What an export wrote, and what it left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tasks.catalogue import t


@dataclass
class ExportSummary:
    """What an export wrote.

    Attributes:
        format: the layout.
        folder: where it lies.
        images, masks, boxes: how many of them were written.
        left_out: key of what the format cannot hold (of the catalogue's ``export``) -> how many.
    """

    format: str
    folder: Path
    images: int = 0
    masks: int = 0
    boxes: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def counts(self) -> str:
        """The counts in words."""
        written = t("export.written", images=self.images, masks=self.masks, boxes=self.boxes)
        told = (t("export.left_out", what=t(f"export.{what}", n=n)) for what, n in sorted(self.left_out.items()))
        return "; ".join([written, *told])

    def __str__(self) -> str:
        return f"{self.folder} ({self.format}): {self.counts()}"
