"""Where a plain folder has its images, masks and boxes: the settings of the format ``folder`` that would read it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.contracts import Finding
from tasks.datasets.class_names import CLASS_LISTS, class_names, in_order
from tasks.datasets.errors import DatasetError, reason_of
from tasks.datasets.files import files_below, text_of
from tasks.datasets.images import SUFFIXES

_IMAGES = ("images", "image", "imgs", "img", "rgb", "frames", "JPEGImages")
_MASKS = ("masks", "mask", "labels", "label", "semantic", "segmentation", "annotations", "gt", "SegmentationClass")
_LABELS = ("labels", "annotations", "boxes", "bboxes", "yolo")
_SPLITS = ("train", "val", "test")  # what their names begin with, in the order of their use


@dataclass(frozen=True)
class Layout:
    """What was found in a folder.

    Attributes:
        root: the folder.
        splits: the splits' names, two at least and training first; none where the set is not divided.
        images, masks: the folders of images and of masks below the root, ``{split}`` standing for the split's name.
        image_suffix, mask_suffix: what the base names of images and of masks have beyond what they have in common.
        boxes: a COCO file or a folder of YOLO's text files, likewise.
        yolo_names: the YAML file of YOLO's class names, or the names themselves.
        objects: the names of the boxes' classes.
        classes: the names of the mask's ids, by position, from a list beside the data.
    """

    root: Path
    splits: tuple[str, ...]
    images: str
    masks: str | None
    image_suffix: str
    mask_suffix: str
    boxes: str | None
    yolo_names: str | tuple[str, ...] | None
    objects: tuple[str, ...]
    classes: tuple[str, ...]

    def mask_files(self) -> list[Path]:
        """All masks, of every split."""
        files = [] if self.masks is None else _pictures(self.root, self.masks, self.splits)
        return [path for path in files if path.stem.endswith(self.mask_suffix)]


def look_at(root: Path, classes: Path | None = None) -> Layout:
    """Look for images, masks and boxes below a folder, under the names that such folders usually have.

    Args:
        root: the folder.
        classes: a text file of the names of the masks' ids, one a line; looked for in the folder where not given.

    Raises:
        DatasetError: there is no such folder, no image where one was looked for, or a list of names cannot be read.
    """
    if not root.is_dir():
        raise DatasetError(Finding.of("data.no_such_folder"), root)
    images, splits = _placed(root, (*_IMAGES, "."))
    if images is None:
        raise DatasetError(Finding.of("data.no_pictures", suffixes=SUFFIXES, folders=_IMAGES), root)
    masks, labelled = _placed(root, _MASKS, splits)
    splits = labelled or splits  # a split that is published without labels is no use here
    pictures = _pictures(root, images, splits)
    ends = _suffixes(pictures, _pictures(root, masks, splits)) if masks is not None else ("", _own_suffix(pictures))
    masks = images if masks is None and ends[1] else masks
    boxes, objects = _coco(root, splits)
    names: str | tuple[str, ...] | None = None
    listed = in_order(class_names(classes)) if classes is not None else _listed(root)
    if boxes is None and (boxes := _yolo(root, splits)) is not None:
        names, objects = _yolo_names(root, root / boxes.replace("{split}", splits[0] if splits else ""))
    found = Layout(root, splits, images, masks, *ends, boxes, names, objects, listed)
    return found if len(splits) != 1 else _undivided(found)


def _undivided(layout: Layout) -> Layout:
    """A set with a single split, as one that is not divided."""
    (split,) = layout.splits

    def named(place: str | None) -> str | None:
        return place and place.replace("{split}", split)

    images = layout.images.replace("{split}", split)
    return replace(layout, splits=(), images=images, masks=named(layout.masks), boxes=named(layout.boxes))


def _placed(
    root: Path, names: Iterable[str], known: tuple[str, ...] | None = None
) -> tuple[str | None, tuple[str, ...]]:
    """The folder of pictures of one of these names, divided or not: ``N/{split}``, ``N`` or ``{split}/N``.

    ``known`` are the splits of the images, which masks have all of, or some.
    """
    for name in names:
        folder = root / name
        inner = [p.name for p in _folders(folder) if _is_split(p.name) and _has_picture(p)]
        divided = bool(inner) and not _has_own_picture(folder)
        if divided and (known is None or set(inner) <= set(known)):
            return "{split}" if name == "." else f"{name}/{{split}}", _ordered(inner)
        if not divided and not known and (_has_own_picture(folder) if name == "." else _has_picture(folder)):
            return name, ()
        outer = [p.name for p in _folders(root) if name != "." and _has_picture(p / name)]
        if outer and (known is None or set(outer) <= set(known)):
            return f"{{split}}/{name}", _ordered(outer)
    return None, ()


def _is_split(name: str) -> bool:
    return name.lower().startswith(_SPLITS)


def _ordered(splits: Iterable[str]) -> tuple[str, ...]:
    def rank(name: str) -> int:
        return next((n for n, start in enumerate(_SPLITS) if name.lower().startswith(start)), len(_SPLITS))

    return tuple(sorted(splits, key=lambda name: (rank(name), name)))


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def _has_own_picture(folder: Path) -> bool:
    return folder.is_dir() and any(p.suffix.lower() in SUFFIXES for p in folder.iterdir())


def _has_picture(folder: Path) -> bool:
    """Whether one lies in the folder or somewhere below it, such as in a city's folder."""
    return any(p.suffix.lower() in SUFFIXES for p in folder.rglob("*"))


def _pictures(root: Path, place: str, splits: tuple[str, ...]) -> list[Path]:
    folders = [root / place.replace("{split}", split) for split in splits or ("",)]
    wanted = Finding.of("data.wanted_masks")
    files = (p for f in folders if f.is_dir() for p in files_below(f, wanted).files)
    return sorted(p for p in files if p.suffix.lower() in SUFFIXES)


def _suffixes(images: list[Path], masks: list[Path]) -> tuple[str, str]:
    """What the base names of images and of masks have beyond each other: that of the first pair."""
    for end in ("", _common_end(images)):
        stems = {p.stem.removesuffix(end) for p in images}
        ends = {m for p in masks if (m := _beyond(p.stem, stems)) is not None}
        if ends:
            return ("", "") if "" in ends else (end, min(ends, key=lambda m: (len(m), m)))
    return "", ""


def _beyond(stem: str, stems: set[str]) -> str | None:
    """What a mask's base name has beyond the longest of the images' that it begins with."""
    return next((stem[n:] for n in range(len(stem), 0, -1) if stem[:n] in stems), None)


def _common_end(images: list[Path]) -> str:
    """The word that all images' base names end with, such as ``_image``."""
    match = re.search(r"[_-][A-Za-z]\w*$", images[0].stem) if images else None
    return match[0] if match and all(p.stem.endswith(match[0]) for p in images) else ""


def _own_suffix(pictures: list[Path]) -> str:
    """What a mask's base name has beyond its image's where both lie in one folder: half of the pictures end so."""
    stems = {p.stem for p in pictures}
    ends = Counter(m[2] for stem in stems if (m := re.fullmatch(r"(.+)([_-][A-Za-z]+)", stem)) and m[1] in stems)
    end, count = ends.most_common(1)[0] if ends else ("", 0)
    return end if 2 * count == len(stems) else ""


def _coco(root: Path, splits: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """A COCO file, of one a split or of one for all, and its categories."""
    for path in sorted([*root.glob("*.json"), *root.glob("*/*.json")]):
        try:
            content = json.loads(text_of(path))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(content, dict) and {"images", "annotations", "categories"} <= content.keys():
            place = path.relative_to(root).as_posix()
            objects = tuple(str(c["name"]) for c in content["categories"])
            return next(
                (p for s in splits if _for_splits(root, p := place.replace(s, "{split}"), splits)), place
            ), objects
    return None, ()


def _for_splits(root: Path, place: str, splits: tuple[str, ...]) -> bool:
    """Whether a file's name names a split: then another split has such a file."""
    return sum((root / place.replace("{split}", split)).is_file() for split in splits) > 1


def _yolo(root: Path, splits: tuple[str, ...]) -> str | None:
    for name in _LABELS:
        for place in (f"{name}/{{split}}", f"{{split}}/{name}") if splits else (name,):
            texts = (root / place.replace("{split}", splits[0] if splits else "")).rglob("*.txt")
            if any(_numbers(p) for p in texts if p.name not in CLASS_LISTS):
                return place
    return None


def _numbers(path: Path) -> list[int]:
    """The classes' numbers in a text file of YOLO's; none where it is another kind of text."""
    firsts = [line.split()[0] for line in _lines(path)]
    return [int(float(n)) for n in firsts] if all(re.fullmatch(r"\d+(\.0*)?", n) for n in firsts) else []


def _yolo_names(root: Path, labels: Path) -> tuple[str | tuple[str, ...], tuple[str, ...]]:
    for path in (root / "data.yaml", root / "dataset.yaml"):
        if path.is_file():
            return path.name, in_order(class_names(path))
    listed = _listed(labels) or _listed(root)
    if not listed:
        used = (n for p in labels.rglob("*.txt") if p.name not in CLASS_LISTS for n in _numbers(p))
        listed = tuple(f"class {n}" for n in range(1 + max(used, default=0)))
    return listed, listed


def _listed(folder: Path) -> tuple[str, ...]:
    return next((in_order(class_names(folder / n)) for n in CLASS_LISTS if (folder / n).is_file()), ())


def _lines(path: Path) -> tuple[str, ...]:
    try:
        text = text_of(path)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(Finding.of("data.not_readable", problem=reason_of(error)), path) from error
    return tuple(line.strip() for line in text.splitlines() if line.strip())
