"""The ``datasets`` section: where the simulator's images, the real images and the benchmark are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from tasks.store import Section


class _Dataset(Section):
    split: str = Field("train", description="Name of the split, as the format calls it.")
    include: str | None = Field(None, description="Keep only images whose id matches this glob, such as 'Seq05VD_*'.")
    images: int | None = Field(None, ge=1, description="Keep so many images, drawn at random; all where not given.")
    seed: int = Field(0, description="Seed of that draw.")


class MoraiDataset(_Dataset):
    """MORAI SIM's saved camera data, capture mode: one folder with ``<time>_Intensity.png``, ``_Semantic.png`` and
    ``_Instance.txt`` (and ``_Instance.png`` where saved)."""

    format: Literal["morai"]
    root: Path = Field(description="The folder that holds SensorData, or any folder below it.")
    palette: str = Field("morai", description="The taxonomy's map that applies: versions differ in their colours.")
    min_box_pixels: int = Field(16, ge=1, description="Boxes with fewer visible pixels of their class are dropped.")


class CityscapesDataset(_Dataset):
    """Cityscapes: ``leftImg8bit/<split>/<city>/`` and ``gtFine/<split>/<city>/``; boxes from ``instanceIds``."""

    format: Literal["cityscapes"]
    root: Path = Field(description="The folder that holds leftImg8bit and gtFine.")
    min_box_pixels: int = Field(16, ge=1, description="Instances with fewer pixels give no box.")


class FolderDataset(_Dataset):
    """A plain folder of images, index masks of the same base names, and one COCO file of boxes.

    ``{split}`` in the paths is replaced by the split's name.
    """

    format: Literal["folder"]
    name: str = Field(description="The data set's name: which of the taxonomy's maps applies.")
    root: Path
    image_folder: str = "images/{split}"
    mask_folder: str | None = "masks/{split}"
    boxes: str | None = Field("boxes_{split}.json", description="COCO instances file, relative to root.")


class SampleDataset(_Dataset):
    """The embedded sample: a small street world drawn in code, as a simulator and as a real camera would see it."""

    format: Literal["sample"]
    side: Literal["simulated", "real"]
    count: int = Field(64, ge=1, description="Images drawn for the split, before any subset.")
    width: int = Field(256, ge=64)
    height: int = Field(128, ge=64)


Dataset = Annotated[
    MoraiDataset | CityscapesDataset | FolderDataset | SampleDataset,
    Field(discriminator="format"),
]


class DatasetsConfig(Section):
    """Which data sets take part."""

    taxonomy: Path = Field(description="YAML file of the classes and of every data set's map to them.")
    source: Dataset = Field(description="The simulator's data set, which is translated.")
    target: Dataset = Field(description="Real training images: the look to translate to, and the arm 'real'.")
    benchmark: Dataset = Field(description="Real images every model is scored on; never trained on.")
    max_rejected: float = Field(0.05, ge=0, le=1, description="Largest share of rejected items before the run stops.")
