"""What an export wrote, and what it left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class ExportSummary:
    """What an export wrote.

    Attributes:
        format: the layout.
        folder: where it lies.
        images, masks, boxes: how many of them were written.
        left_out: what the format cannot hold, and why -> how many.
    """

    format: str
    folder: Path
    images: int = 0
    masks: int = 0
    boxes: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def counts(self) -> str:
        """The counts in words."""
        written = f"{self.images} images, {self.masks} masks, {self.boxes} boxes"
        return "; ".join([written, *(f"left out: {n} {what}" for what, n in sorted(self.left_out.items()))])

    def __str__(self) -> str:
        return f"{self.folder} ({self.format}): {self.counts()}"
