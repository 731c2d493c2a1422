"""The ``datasets`` section: where the simulator's images, the real images and the benchmark are."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from tasks.contracts import Section
from tasks.datasets.table import BoxSource

_LONGEST = 200  # bytes of a name that folders and files are named by
_MIN_PIXELS = Field(16, ge=1, description="Objects with fewer visible pixels give no box.")


class _Dataset(Section):
    format: str
    named_by: ClassVar[str | None] = None  # the key that names the taxonomy's map, where the format does not
    split: str = Field("train", description="Name of the split, as the format calls it.")
    include: str | None = Field(None, description="Keep only images whose id matches this glob, such as 'Seq05VD_*'.")
    images: int | None = Field(None, ge=1, description="Keep so many images; all where not given.")
    draw: Literal["random", "stratified"] = Field(
        "random",
        description="How these are drawn. random: before anything is decoded; stratified: the whole set is read, then "
        "images are chosen so that each class is shown about equally often, rare classes first.",
    )
    seed: int = Field(0, ge=0, description="Seed of that draw, and of shares.")
    min_side: int = Field(
        16, ge=1, description="Leave out images with fewer pixels a side; 16 is the least that translators take."
    )
    follow_links: bool = Field(False, description="Also read what links that lead out of the set's root point to.")

    @property
    def confined_to(self) -> Path | None:
        """The folder out of which no link may lead; None where any may."""
        return None if self.follow_links else getattr(self, "root", None)

    @property
    def map_name(self) -> str:
        """Which of the taxonomy's maps applies."""
        return self.format if self.named_by is None else str(getattr(self, self.named_by))


class _Undivided(_Dataset):
    """A format that knows no splits of its own."""

    shares: dict[str, Annotated[float, Field(gt=0)]] | None = Field(
        None,
        description="Divide the set into splits of these shares, such as {train: 0.8, val: 0.2}: whole sequences at a "
        "time where the format has sequences. Without it, every split is the whole set.",
    )

    @field_validator("shares")
    @classmethod
    def _add_up(cls, shares: dict[str, float] | None) -> dict[str, float] | None:
        if shares is not None and not math.isclose(sum(shares.values()), 1, abs_tol=1e-6):
            raise ValueError(f"shares add up to {sum(shares.values()):g} instead of 1")
        return shares

    @model_validator(mode="after")
    def _split_is_a_share(self) -> Self:
        if self.shares is not None and self.split not in self.shares:
            raise ValueError(f"split {self.split!r} is none of shares: {', '.join(self.shares)}")
        return self


class MoraiDataset(_Undivided):
    """MORAI SIM's saved camera data.

    Capture mode: one camera folder with ``<time>_Intensity.png``, ``_Semantic.png``, ``_Instance.txt`` (and
    ``_Instance.png`` where saved). Plain save: one camera's folder with ``<time>.png``, and a second one's, in
    ground-truth mode, with ``<time>.png`` and ``<time>.txt``.
    """

    format: Literal["morai"]
    named_by: ClassVar[str | None] = "palette"
    root: Path = Field(description="The folder that holds SensorData, or any folder below it.")
    palette: str = Field("morai", description="The taxonomy's map that applies: versions differ in their colours.")
    layout: Literal["auto", "capture", "plain"] = Field("auto", description="How it was saved; auto: by the names.")
    tolerance: float = Field(
        0.05, ge=0, description="Plain save: largest difference in time between image and label, in seconds."
    )
    gap: float = Field(10.0, gt=0, description="Seconds without a frame after which another sequence begins.")
    min_box_pixels: int = _MIN_PIXELS


class Gta5Dataset(_Undivided):
    """GTA5 (Playing for Data): ``images/*.png``, ``labels/*.png``; boxes from connected pixels of a class."""

    format: Literal["gta5"]
    root: Path = Field(description="The folder that holds images and labels.")
    min_box_pixels: int = _MIN_PIXELS


class ShiftDataset(_Dataset):
    """SHIFT: ``<kind>/<media>/[<rate>/]<split>/<view>/`` with ``img`` and ``semseg`` (folders or zip archives) and
    ``det_2d.json``."""

    format: Literal["shift"]
    named_by: ClassVar[str | None] = "labels"
    root: Path = Field(description="The folder that holds discrete or continuous.")
    kind: Literal["discrete", "continuous"] = "discrete"
    media: Literal["images", "videos"] = Field("images", description="videos: only as decompressed frames.")
    rate: str | None = Field(None, description="Frame rate's folder, such as 1x; where not given, the only one.")
    view: str = Field("front", description="The camera.")
    labels: str = Field("shift", description="The taxonomy's map that applies: CARLA's ids changed between versions.")


class VirtualKittiDataset(_Undivided):
    """Virtual KITTI 2: ``Scene*/<variation>/frames/``, in one folder or one folder an archive."""

    format: Literal["virtual_kitti"]
    root: Path = Field(description="The folder that holds Scene01 and so on, or the unpacked archives' folders.")
    variations: tuple[str, ...] | None = Field(None, description="Such as [clone, fog]; all where not given.")
    camera: Literal[0, 1] = 0
    min_box_pixels: int = _MIN_PIXELS


class CityscapesDataset(_Dataset):
    """Cityscapes: ``leftImg8bit/<split>/<city>/`` and ``gtFine/<split>/<city>/``; boxes from ``instanceIds``."""

    format: Literal["cityscapes"]
    root: Path = Field(description="The folder that holds leftImg8bit and gtFine.")
    min_box_pixels: int = _MIN_PIXELS


class NuImagesDataset(_Dataset):
    """nuImages: ``v1.0-<split>/*.json`` and ``samples/CAM_*/*.jpg``; masks are drawn from the tables."""

    format: Literal["nuimages"]
    root: Path = Field(description="The folder that holds v1.0-train and samples.")
    cameras: tuple[str, ...] | None = Field(None, description="Such as [CAM_FRONT]; all where not given.")


class Bdd100kDataset(_Dataset):
    """BDD100K: ``images/{100k,10k}/<split>/`` with ``labels/det_20`` and ``labels/sem_seg``.

    The sets with boxes and with masks share few images: each task uses the images that have its labels.
    """

    format: Literal["bdd100k"]
    root: Path = Field(description="The folder that holds images and labels.")
    labels: tuple[Literal["boxes", "masks"], ...] = Field(("boxes", "masks"), min_length=1)


class KittiDataset(_Undivided):
    """KITTI: ``training/image_2`` with ``semantic`` and ``instance``, or with ``label_2``."""

    format: Literal["kitti"]
    root: Path = Field(description="The folder that holds training.")
    labels: Literal["semantic", "object"] = Field("semantic", description="The benchmark that the folder is of.")
    min_box_pixels: int = _MIN_PIXELS

    @property
    def map_name(self) -> str:
        """The two benchmarks have different classes."""
        return "kitti" if self.labels == "semantic" else "kitti_object"


class CamvidDataset(_Undivided):
    """CamVid as published: images, and colour labels ``<name>_L.png`` of 32 classes; boxes from connected pixels."""

    format: Literal["camvid"]
    root: Path
    image_folder: str = "701_StillsRaw_full"
    mask_folder: str = "LabeledApproved_full"
    list: str | None = Field(None, description="Text file of the split's names, such as '{split}.txt'; else all.")
    min_box_pixels: int = _MIN_PIXELS

    @property
    def map_name(self) -> str:
        """Not ``camvid``: that is its usual excerpt of 11 classes."""
        return "camvid32"


class FolderDataset(_Undivided):
    """A plain folder of images, masks of the same base names, and boxes as one COCO file or as YOLO's text files.

    ``{split}`` in the paths is replaced by the split's name.
    """

    format: Literal["folder"]
    named_by: ClassVar[str | None] = "name"
    name: str = Field(
        pattern=r"^\w[\w .()+-]{0,99}$",  # what Python, too, takes for an expression: Prefect checks the schema with it
        description="The data set's name: which of the taxonomy's maps applies.",
    )
    root: Path
    image_folder: str = "images/{split}"
    mask_folder: str | None = "masks/{split}"
    image_suffix: str = Field(
        "", description="What an image's base name has that its mask's has not, such as '_image': no part of its id."
    )
    mask_suffix: str = Field("", description="What a mask's base name has that its image's has not, such as '_L'.")
    boxes: str | None = Field(
        "boxes_{split}.json", description="COCO instances file, or a folder of YOLO's <name>.txt; relative to root."
    )
    boxes_from: BoxSource = Field(
        "annotated", description="How the boxes came about; said in reports, and compared by the checks."
    )
    yolo_names: str | tuple[str, ...] = Field(
        "data.yaml",
        description="YOLO's class names in order, or the file under root that has them: YAML, or a name a line.",
    )
    attributes: str | None = Field(
        None,
        description="CSV file, relative to root: the first column names images, each other is an attribute of theirs "
        "(weather), by which evaluate.slices divides a benchmark.",
    )
    sequence: str | None = Field(
        None, description="Regular expression whose first group, in an image's id, names its sequence."
    )


class SampleDataset(_Dataset):
    """The embedded sample: a small street world drawn in code, as a simulator and as a real camera would see it."""

    format: Literal["sample"]
    side: Literal["simulated", "real"]
    count: int = Field(64, ge=1, description="Images drawn for the split, before any subset.")
    drive: int = Field(0, ge=0, description="How many of the first simulated images are frames of one drive.")
    width: int = Field(256, ge=64)
    height: int = Field(128, ge=64)

    @property
    def map_name(self) -> str:
        """It is written as a simulator and a data set would publish it."""
        return "morai" if self.side == "simulated" else "cityscapes"


Stored = (
    MoraiDataset
    | Gta5Dataset
    | ShiftDataset
    | VirtualKittiDataset
    | CityscapesDataset
    | NuImagesDataset
    | Bdd100kDataset
    | KittiDataset
    | CamvidDataset
    | FolderDataset
)
Dataset = Annotated[Stored | SampleDataset, Field(discriminator="format")]


class ChecksConfig(Section):
    """What the checks before training tolerate. Shares are from 0 to 1."""

    duplicates: float = Field(
        0.01, ge=0, le=1, description="Warn above this share of images that stand twice in a set."
    )
    near_duplicate_bits: int = Field(
        4, ge=0, le=7, description="Perceptual hashes (64 bits) that differ in no more are near-duplicates."
    )
    near_leak: float = Field(
        0.01, ge=0, le=1, description="Warn above this share of benchmark images with a near-duplicate in training."
    )
    class_ratio: float = Field(
        20,
        gt=1,
        description="Warn where a class has so many times fewer pixels in a training set than in the benchmark.",
    )
    class_images: int = Field(5, ge=1, description="Warn where fewer images of a training set show a class.")


class DatasetsConfig(Section):
    """Which data sets take part."""

    taxonomy: Path = Field(description="YAML file of the classes; beside it, a folder of the data sets' maps to them.")
    detection: tuple[str, ...] | None = Field(
        None, description="The detection classes, of those the taxonomy has; its default where not given."
    )
    source: Dataset = Field(description="The simulator's data set, which is translated.")
    target: Dataset = Field(description="Real training images: the look to translate to, and the arm 'real'.")
    benchmark: Dataset = Field(description="Real images every model is scored on; never trained on.")
    max_rejected: float = Field(0.05, ge=0, le=1, description="Largest share of rejected items before the run stops.")
    checks: ChecksConfig = ChecksConfig()


class RunConfig(Section):
    """What every run's configuration has: a name, places, and data sets."""

    name: str = Field(description="The run's name; its results go to <output>/<name>/.")
    store: Path = Field(Path(".store"), description="Where every stage's output is kept, by digest.")
    output: Path = Field(Path("runs"), description="Where reports, timings and records of runs go.")
    datasets: DatasetsConfig

    @field_validator("name")
    @classmethod
    def _folder_name(cls, name: str) -> str:
        if not re.fullmatch(r"[\w][\w.-]*", name) or len(name.encode()) > _LONGEST:
            raise ValueError(f"{name!r} is no folder name: letters, digits, '_', '-' and '.', {_LONGEST} bytes at most")
        return name

    @property
    def folder(self) -> Path:
        """Where this run's results go."""
        return self.output / self.name
