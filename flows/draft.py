"""A first configuration for data that is there: the pipeline's YAML and, for plain folders, classes and maps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tasks.datasets import Layout, Taxonomy, draft_map, format_of, look_at
from tasks.settings import ConfigError, packaged

PIPELINE, TAXONOMY = "pipeline.yaml", "taxonomy.yaml"
FORMATS = ("folder", "morai", "gta5", "shift", "virtual_kitti", "cityscapes", "nuimages", "bdd100k", "kitti", "camvid")
_DIVIDED = ("shift", "cityscapes", "nuimages", "bdd100k")  # formats whose owners divide them into train and val
_SHARES = "shares: {train: 0.7, val: 0.3}"


@dataclass(frozen=True)
class Place:
    """A data set: its format and folder, and what was found there where it is a plain one."""

    format: str
    root: Path
    layout: Layout | None

    @property
    def name(self) -> str:
        """What the taxonomy's map of a plain folder is called."""
        return re.sub(r"[^\w.-]+", "-", self.root.name).strip("-.").lower() or "data"

    @property
    def splits(self) -> tuple[str, ...]:
        """Its splits, two at least and training first; none where it is not divided."""
        if self.layout is not None:
            return self.layout.splits
        return ("train", "val") if self.format in _DIVIDED else ()

    @property
    def has_masks(self) -> bool:
        """Whether masks are there, as far as can be seen."""
        return self.layout is None or self.layout.masks is not None

    @property
    def has_boxes(self) -> bool:
        """Whether boxes are there, as far as can be seen."""
        return self.layout is None or self.layout.boxes is not None


def place_of(text: str, classes: Path | None = None) -> Place:
    """Read ``FORMAT:FOLDER``, or a folder whose format is looked up.

    Raises:
        ConfigError: there is no such format.
        DatasetError: there is no such folder, or nothing in it that could be read.
    """
    format_, colon, path = text.partition(":")
    root = Path(path if colon else text).expanduser().absolute()
    format_ = format_ if colon else format_of(root)
    if format_ not in FORMATS:
        raise ConfigError(f"{text}: {format_} is no format; there is {', '.join(FORMATS)}")
    plain = format_ == "folder" or not root.is_dir()  # of what is not there, the look tells so
    return Place(format_, root, look_at(root, classes) if plain else None)


def drafted(to: Path, source: Place, target: Place, benchmark: Place | None, taxonomy: Path) -> dict[Path, str]:
    """The files of a first configuration: path -> text.

    Args:
        to: the folder that they shall lie in.
        source, target: the data sets.
        benchmark: the real images to score on; a part of the target's that is not trained on, where None.
        taxonomy: the classes; where a data set is a plain folder, it is copied and the new map lies beside the copy.

    Raises:
        ConfigError: two different folders have the same name.
        ImageError: a mask cannot be read.
        TaxonomyError: the taxonomy is wrong.
    """
    to, taxonomy = to.expanduser().absolute(), packaged(taxonomy)
    places = {place.root: place for place in (source, target, *([benchmark] if benchmark else []))}
    plain = [place for place in places.values() if place.layout is not None]
    if len({place.name for place in plain}) < len(plain):
        raise ConfigError(
            f"{' and '.join(str(p.root) for p in plain)}: name the folders differently, maps are named so"
        )
    files = {}
    used = taxonomy.absolute()
    if plain:
        used, known = to / TAXONOMY, Taxonomy.load(taxonomy)
        files[used] = taxonomy.read_text(encoding="utf-8")
        for map_ in sorted(taxonomy.with_suffix("").glob("*.yaml")):
            files[used.with_suffix("") / map_.name] = map_.read_text(encoding="utf-8")
        for place in plain:
            assert place.layout is not None
            files[used.with_suffix("") / f"{place.name}.yaml"] = draft_map(place.layout, known)
    return {to / PIPELINE: _pipeline(source, target, benchmark, used), **files}


def _pipeline(source: Place, target: Place, benchmark: Place | None, taxonomy: Path) -> str:
    scored = benchmark or target
    roles = {"source": source, "target": target, "benchmark": scored}
    shared = benchmark is None and not target.splits  # one undivided set gives images to train on and others to score
    lines = [
        "# What is translated, trained and scored: `sim2real data check` looks at the data, `sim2real plan` tells what",
        "# a run would do, `sim2real run` does it.",
        f"name: {source.name}2{target.name}",
        "datasets:",
        "  # The classes; the folder beside it that has its name holds each data set's map to them.",
        f'  taxonomy: "{taxonomy}"',
    ]
    for role, told in (
        ("source", "the simulator's images, which are translated"),
        ("target", "real images: what translations shall look like, and what the arm `real` is trained on"),
        ("benchmark", "real images that every model is scored on, and that none may be trained on"),
    ):
        place = roles[role]
        split = place.splits[role == "benchmark"] if place.splits else None
        lines += [f"  {role}:  # {told}", *_dataset(place, role, split, shared and role != "source")]
    return "\n".join([*lines, *_work(roles)]) + "\n"


def _dataset(place: Place, role: str, split: str | None, shared: bool) -> list[str]:
    lines = [f"format: {place.format}", f'root: "{place.root}"']
    if split is not None:
        lines.append(f"split: {split}  # there is {', '.join(place.splits)}")
    if shared:
        lines += [f"split: {'val' if role == 'benchmark' else 'train'}", f"{_SHARES}  # of the same images: never both"]
    if (found := place.layout) is not None:
        lines += [f"name: {place.name}", f'image_folder: "{found.images}"']
        lines.append(f'mask_folder: "{found.masks}"' if found.masks is not None else "mask_folder: null  # none found")
        for key, end in (("image_suffix", found.image_suffix), ("mask_suffix", found.mask_suffix)):
            lines += [f'{key}: "{end}"'] if end else []
        lines.append(f'boxes: "{found.boxes}"' if found.boxes is not None else "boxes: null  # none found")
        if isinstance(found.yolo_names, str):
            lines.append(f"yolo_names: {found.yolo_names}")
        elif found.yolo_names is not None:
            lines.append("yolo_names: [" + ", ".join(f'"{n}"' for n in found.yolo_names) + "]")
    return [f"    {line}" for line in lines]


def _work(roles: dict[str, Place]) -> list[str]:
    lines = [
        "translate:",
        "  translators:  # each is an arm; learned ones (cut, cyclegan, vsait, ...) are trained first",
        "    - {method: reinhard}",
        "    - {method: fda}",
        "retrain:",
        "  arms: [real, source, translated, real+translated]",
        "  seeds: [0]  # three or more, and differences can be told from chance",
    ]
    if all(place.has_boxes for place in roles.values()):
        lines += _training("detection", "configs/networks/detection/efficientnet_lite0_atss.py")
    if all(place.has_masks for place in roles.values()):
        lines += _training("segmentation", "configs/networks/segmentation/efficientnet_lite0_fpn.py")
        lines.append("    class_weights: real  # rare classes count for more, by how rare they are in the target")
    return [
        *lines,
        "# Results go to runs/NAME below the working directory, what stages make to .store; see also:",
        "# output: runs",
        "# store: .store",
    ]


def _training(task: str, network: str) -> list[str]:
    return [
        f"  {task}:",
        f"    config: {network}  # small, for CPUs; others lie beside it",
        "    init: packaged  # ImageNet weights",
        "    iterations: 500",
        "    batch: 4",
    ]
