"""Images and labels that lack each other, told alike by every reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tasks.contracts import Finding
from tasks.datasets.errors import ItemError


@dataclass(frozen=True, slots=True)
class Part:
    """An image, or one of its labels.

    Attributes:
        file: it, or the file that holds it among others; None where there is none.
        missing: what is to be told where there is none: the path it would have, or a finding.
    """

    file: Path | None
    missing: Path | Finding


def unpaired(image: Part | Path, *labels: Part) -> ItemError | None:
    """What an image (a path: one that is there) and its labels lack of each other; None where nothing is missing.

    That is the image, or else the first label that is not there. The file to blame is the one that is there: the first
    label without its image, or the image without its label.
    """
    image = Part(image, image) if isinstance(image, Path) else image
    if image.file is None:
        return label_alone(next(label.file for label in labels if label.file is not None), image.missing)
    missing = next((label.missing for label in labels if label.file is None), None)
    return image_alone(image.file, missing) if missing is not None else None


def label_alone(file: Path, missing: Path | Finding) -> ItemError:
    """A label whose image is missing; ``file`` is to blame."""
    return ItemError(file, Finding.of("data.label_without_image", missing=_told(missing)), "paired")


def image_alone(image: Path, missing: Path | Finding) -> ItemError:
    """An image one of whose labels is missing."""
    return ItemError(image, Finding.of("data.image_without_label", missing=_told(missing)), "paired")


def not_listed(file: Path) -> Finding:
    """That a file which lists all labels does not list this image."""
    return Finding.of("data.not_listed", file=file)


def listed_only(file: Path) -> Finding:
    """That a file lists an image which is not there."""
    return Finding.of("data.listed_only", file=file)


def _told(missing: Path | Finding) -> Finding:
    return Finding.of("data.no_file", file=missing) if isinstance(missing, Path) else missing
