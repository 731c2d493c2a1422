"""Boxes of YOLO's text files (https://docs.ultralytics.com/datasets/detect, and .../segment for polygons).

``<name>.txt`` holds an object a line: ``class xc yc w h``, or a polygon ``class x1 y1 x2 y2 x3 y3 ...``, whose bounding
box is taken. Classes count from 0; all else is a share of the image's width or height. An image without a text file,
or with an empty one, has no objects; one with labels of another suffix (``<name>.json``) is rejected.

Six decimals hold a pixel's edge in an image of side ``s`` only to within ``1e-6 * s``: an edge as near as that to a
whole pixel was one, and becomes it again; any other is left where it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.contracts import Finding
from tasks.datasets.class_names import CLASS_LISTS, class_names
from tasks.datasets.errors import DatasetError, ItemError, MalformedError
from tasks.datasets.files import files_below, text_lines
from tasks.datasets.items import Boxes, Item
from tasks.datasets.naming import spelt_alike
from tasks.datasets.readers.pairing import label_alone
from tasks.datasets.table import Box

_OUTSIDE = 0.01  # by so much a value may leave 0..1, and is clipped; further out, it is none of a share
_RESOLUTION = 1e-6


class YoloBoxes:
    """The boxes of a folder of images that stand in a folder of text files of the same base names.

    Args:
        folder: the folder of text files.
        names: the classes' names in order, or the file that has them (``class_names``).
        categories: class's name -> index into the detection classes; None where it is none of them.
        key: where these names stand, for errors.
    """

    def __init__(
        self, folder: Path, names: Path | tuple[str, ...], categories: Mapping[str, int | None], key: str
    ) -> None:
        self.places = [folder, *([names] if isinstance(names, Path) else [])]
        self._folder, self._source = folder, names
        self._categories, self._key = categories, key
        self._names: dict[int, str] = {}
        self._there: set[Path] = set()  # the text files that were listed, readable or not
        self._texts: dict[str, Path] = {}  # by an image's path below its folder, without suffix
        self._others: dict[Path, ItemError] = {}  # images whose labels are there in another form

    def load(self, images: Mapping[str, Sequence[Path]]) -> dict[str, ItemError]:
        """Read the classes' names, and list the text files.

        Args:
            images: the images by their paths below their folder, without suffix.

        Returns:
            What cannot be used, by such a path: text files without image, folders that cannot be listed.

        Raises:
            DatasetError: the classes' names or the folder cannot be read, or none of its files is an image's.
        """
        self._names = class_names(self._source) if isinstance(self._source, Path) else dict(enumerate(self._source))
        listed = files_below(self._folder, Finding.of("data.wanted_yolo"))
        found, twice = _by_stem(self._folder, listed.files)
        wanted, alike = set(images), spelt_alike(found, images)
        self._there = set(found.values())
        self._texts = texts = {alike.get(stem, stem): path for stem, path in found.items()}
        if wanted and not wanted & texts.keys():
            raise DatasetError(Finding.of("data.no_yolo", name=min(wanted), n=len(wanted)), self._folder)
        self._others = _in_other_forms(self._folder, listed.files, images, texts)
        problems = {str(p.file): p for p in listed.problems + twice}
        for stem in texts.keys() - wanted:
            if texts[stem].name not in CLASS_LISTS:
                problems[stem] = label_alone(texts[stem], Finding.of("data.none_named", name=stem))
        return problems

    def file(self, stem: str) -> Path:
        """The file that holds an image's boxes, which is missing where it has none."""
        return self._texts.get(stem, self._folder / f"{stem}.txt")

    def extra(self, image: Path) -> dict[str, Any]:
        """The format says nothing else of an image.

        Raises:
            ItemError: its labels are there, but in another form.
        """
        if image in self._others:
            raise self._others[image]
        return {}

    def boxes(self, item: Item, size: tuple[int, int]) -> Boxes:
        """The boxes of an image of this size (width, height).

        Raises:
            ItemError: the text file cannot be read.
        """
        assert item.labels is not None
        found = Boxes()
        for number, line in text_lines(item.labels) if item.labels in self._there else ():
            found.listed += 1
            try:
                found.take(self._box(line, size), size)
            except MalformedError as error:
                found.reject(item.labels, Finding.of("data.in_line", line=number, why=error.finding))
        return found

    def _box(self, line: str, size: tuple[int, int]) -> Box | None:
        """The line's box in pixels; None where it is none of the detection classes."""
        number, x1, y1, x2, y2 = _parse(line)
        if number not in self._names:
            raise MalformedError("data.unknown_number", number=f"{number:g}", n=len(self._names))
        name = self._names[int(number)]
        if name not in self._categories:
            raise MalformedError("data.unknown_class", name=name, key=self._key)
        category = self._categories[name]
        if category is None:
            return None
        width, height = size
        return Box(category, _pixels(x1, width), _pixels(y1, height), _pixels(x2, width), _pixels(y2, height))


def _by_stem(folder: Path, files: list[Path]) -> tuple[dict[str, Path], list[ItemError]]:
    """The text files by their paths below the folder without suffix, and those of a name that another has."""
    found: dict[str, Path] = {}
    twice = []
    for path in files:
        if path.suffix.lower() == ".txt":
            stem = path.relative_to(folder).as_posix()[: -len(path.suffix)]
            if found.setdefault(stem, path) is not path:
                twice.append(ItemError(path, Finding.of("data.same_name", other=found[stem]), "unique"))
    return found, twice


def _in_other_forms(
    folder: Path, files: list[Path], images: Mapping[str, Sequence[Path]], texts: Mapping[str, Path]
) -> dict[Path, ItemError]:
    """The images without a text file, but with a file of their name that is none: they would read as empty."""
    own = {path for paths in images.values() for path in paths}
    others: dict[Path, ItemError] = {}
    for path in files:
        stem = path.relative_to(folder).with_suffix("").as_posix()
        if stem not in texts and stem in images and path not in own:
            form = Finding.of("data.other_name", form=f"{path.stem}.txt")
            others |= {image: ItemError(path, form, "named") for image in images[stem]}
    return others


def _parse(line: str) -> tuple[float, float, float, float, float]:
    """Class, x1, y1, x2, y2 of a line, in shares of the image."""
    fields = line.split()
    if len(fields) < 5 or len(fields) % 2 == 0:
        raise MalformedError("data.yolo_fields", n=len(fields), line=line[:80])
    try:
        number, *values = (float(f) for f in fields)
    except ValueError:
        raise MalformedError("data.no_numbers", line=line[:80]) from None
    if not all(-_OUTSIDE <= v <= 1 + _OUTSIDE for v in values):
        raise MalformedError("data.no_shares", line=line[:80])
    values = [min(max(v, 0.0), 1.0) for v in values]
    if len(values) == 4:
        x, y, w, h = values
        return number, x - w / 2, y - h / 2, x + w / 2, y + h / 2
    return number, min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])


def _pixels(share: float, side: int) -> float:
    """Where in an image of this side a share of it lies."""
    pixels = share * side
    return float(round(pixels)) if abs(pixels - round(pixels)) <= _RESOLUTION * side else pixels
