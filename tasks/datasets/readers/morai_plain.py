"""MORAI SIM's plain save: which camera's folder holds the labels of which, and which image goes with which label.

A folder with ``<time>.txt`` is a ground-truth camera's. Its labels are right only for a camera in the same place, which
the files do not say: of the cameras beside it, it is the one whose times match, and where those of two cameras do, that
is an error. Image and label of a frame may differ a little in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tasks.contracts import Finding
from tasks.datasets.errors import DatasetError, ItemError
from tasks.datasets.readers.morai_times import Times
from tasks.datasets.readers.pairing import Part, image_alone, label_alone, unpaired

IMAGE, TEXT = "image", "text"
Frames = dict[str, dict[str, Path]]  # time of capture -> kind of file -> file
_CLEAR = 2  # the right camera matches so many times as often as any other


@dataclass(frozen=True, slots=True)
class Pair:
    """A frame: an image with its label, or one of them with the reason why the other is missing."""

    name: str
    image: Path | None
    mask: Path | None
    text: Path | None
    problem: ItemError | None


def camera_pairs(
    cameras: Mapping[Path, Frames], tolerance: timedelta
) -> tuple[list[tuple[Path, Path]], list[ItemError]]:
    """Find the camera of each ground truth, among the folders beside it.

    Args:
        cameras: folder -> its frames.
        tolerance: the largest difference in time of an image and its label.

    Returns:
        The folders of images with those of their labels, and a problem for each folder without a partner.

    Raises:
        DatasetError: a ground truth fits two cameras, or a camera two ground truths.
    """
    pairs: list[tuple[Path, Path]] = []
    problems: list[ItemError] = []
    for place in sorted({folder.parent for folder in cameras}):
        beside = {folder: frames for folder, frames in cameras.items() if folder.parent == place}
        truths = [folder for folder, frames in beside.items() if any(TEXT in kinds for kinds in frames.values())]
        images = [folder for folder in beside if folder not in truths]
        # A single pair is one whatever its times: then each frame is listed with how far off it is.
        found = (
            [(images[0], truths[0])] if len(images) == len(truths) == 1 else _best(images, truths, beside, tolerance)
        )
        pairs += found
        used = {folder for pair in found for folder in pair}
        problems += [_lonely(folder, len(beside[folder]), folder in truths) for folder in beside if folder not in used]
    return pairs, problems


def _best(
    images: list[Path], truths: list[Path], cameras: Mapping[Path, Frames], tolerance: timedelta
) -> list[tuple[Path, Path]]:
    times = {folder: Times(frames) for folder, frames in cameras.items()}
    matches = {(i, t): len(times[i].pairs(times[t], tolerance)) for i in images for t in truths}
    found: list[tuple[Path, Path]] = []
    while open_ := {pair: n for pair, n in matches.items() if n and not any(set(pair) & set(f) for f in found)}:
        best = max(open_, key=lambda pair: open_[pair])
        for pair, count in open_.items():
            if pair != best and set(pair) & set(best) and count * _CLEAR > open_[best]:
                raise _ambiguous(best, open_[best], pair, count)
        found.append(best)
    return found


def _ambiguous(best: tuple[Path, Path], matches: int, other: tuple[Path, Path], count: int) -> DatasetError:
    (camera, truth), (other_camera, other_truth) = ((pair[0].name, pair[1].name) for pair in (best, other))
    finding = Finding.of(
        "data.morai_ambiguous",
        camera=camera,
        truth=truth,
        frames=matches,
        other_camera=other_camera,
        other_truth=other_truth,
        other_frames=count,
    )
    return DatasetError(finding, best[0].parent)


def _lonely(folder: Path, frames: int, truth: bool) -> ItemError:
    code = "data.morai_labels_alone" if truth else "data.morai_images_alone"
    return ItemError(folder, Finding.of(code, n=frames), "paired")


def frame_pairs(images: Frames, labels: Frames, tolerance: timedelta) -> list[Pair]:
    """Match the frames of a camera with those of its ground truth; labels without image stand at the end."""
    image_times, label_times = Times(images), Times(labels)
    partner = image_times.pairs(label_times, tolerance)
    pairs = []
    for name, kinds in images.items():
        image, label = kinds[IMAGE], partner.get(name)
        if label is None:
            far = _far(name, label_times, tolerance)
            pairs.append(Pair(name, image, None, None, image_alone(image, far)))
        else:
            pairs.append(_complete(name, image, label, labels[label]))
    for name in labels.keys() - partner.values():
        file = next(iter(labels[name].values()))
        far = _far(name, image_times, tolerance)
        pairs.append(Pair(name, None, file, None, label_alone(file, far)))
    return pairs


def _complete(name: str, image: Path, label: str, files: dict[str, Path]) -> Pair:
    mask, text = files.get(IMAGE), files.get(TEXT)
    folder = next(iter(files.values())).parent
    problem = unpaired(image, Part(mask, folder / f"{label}.png"), Part(text, folder / f"{label}.txt"))
    if problem is None and mask is not None and mask.suffix.lower() != ".png":
        problem = ItemError(mask, Finding.of("data.label_no_png"), "named")
    return Pair(name, image, mask, text, problem)


def _far(name: str, others: Times, tolerance: timedelta) -> Finding:
    nearest, later = others.nearest(name)
    seconds = later.total_seconds()
    code = "data.nearest_later" if seconds > 0 else "data.nearest_earlier"
    far = abs(later) > tolerance
    why = Finding.of("data.over_tolerance", seconds=tolerance.total_seconds()) if far else Finding.of("data.taken")
    return Finding.of(code, nearest=nearest, seconds=abs(seconds), why=why)
