"""Boxes of a COCO instances file (https://cocodataset.org/#format-data).

Rows that say the same are one: categories of one id, images of one id or of one file, annotations of one id. Where they
contradict each other, the category's boxes or the image are rejected; annotations are not: nothing refers to their ids.

A ``file_name`` may start at the folder of the images, at the data set's root, or at the file itself, and may be written
as Windows does. It has to lie in the folder of the images: what is elsewhere is rejected by name, and never opened.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.contracts import Finding
from tasks.datasets.errors import ItemError, MalformedError
from tasks.datasets.files import is_file
from tasks.datasets.items import Boxes, Item
from tasks.datasets.naming import spelt_alike
from tasks.datasets.readers.coco_file import CocoAnnotation, CocoFile, CocoId, CocoImage
from tasks.datasets.readers.pairing import image_alone, label_alone, listed_only, not_listed
from tasks.datasets.readers.repeated import contradicting, keyed, merged_rows
from tasks.datasets.table import Box


class CocoBoxes:
    """The boxes of a folder of images that stand in one COCO instances file.

    Args:
        file: the file.
        root: where its ``file_name`` may start, instead of at ``images``.
        images: the folder of the images.
        categories: category's name -> index into the detection classes; None where it is none of them.
        key: where these names stand, for errors.
    """

    def __init__(self, file: Path, root: Path, images: Path, categories: Mapping[str, int | None], key: str) -> None:
        self.places = [file]
        self._file, self._root, self._images = file, root, images
        self._categories, self._key = categories, key
        self._names: dict[CocoId, str] = {}  # COCO category id -> name
        self._unsure: dict[CocoId, list[str]] = {}  # COCO category id -> the names that rows of it have
        self._listed: dict[Path, tuple[CocoImage, list[CocoAnnotation]]] = {}
        self._merged: Counter[Path] = Counter()  # annotations that repeat another of their image
        self._contradicting: dict[Path, Finding] = {}

    def load(self, images: Mapping[str, Sequence[Path]]) -> dict[str, ItemError]:
        """Read the file; returns what in it means no image, by the image's path below its folder without suffix.

        Repeated rows are among it, by their table's name.
        """
        content = CocoFile.load(self._file)
        categories = keyed((c.id, c.name) for c in content.categories)
        self._names, self._unsure = categories.rows, categories.contradicting
        by_image = dict(content.annotations)
        problems = {f"{self._file} {number}": problem for number, problem in enumerate(content.problems)}
        tables: dict[str, Sequence[object]] = {
            "images": self._list(content.images, by_image, Counter(i for _, i in content.repeated), problems),
            "categories": categories.merged,
            "annotations": [id_ for id_, _ in content.repeated],
        }
        there = {path for paths in images.values() for path in paths}
        self._spell(there)
        problems |= self._without_image(there)
        for table, keys in tables.items():
            problems |= {f"{self._file} {table}": problem for problem in merged_rows(self._file, table, keys)}
        for image_id, alone in by_image.items():
            finding = Finding.of("data.annotations_alone", n=len(alone), id=image_id)
            problems[f"image {image_id}"] = ItemError(self._file, finding, "paired")
        return problems

    def _spell(self, images: set[Path]) -> None:
        """Name what is listed as the images are named, which macOS spells otherwise."""
        alike = spelt_alike(map(str, self._listed), map(str, images))
        for old, new in ((Path(old), Path(new)) for old, new in alike.items()):
            self._listed[new] = self._listed.pop(old)
            self._merged[new] = self._merged.pop(old, 0)
            if old in self._contradicting:
                self._contradicting[new] = self._contradicting.pop(old)

    def _without_image(self, images: set[Path]) -> dict[str, ItemError]:
        """What is listed, but is not there, or is none of the images that the folder was found to have."""
        problems = {}
        for path in self._listed.keys() - images:
            name = path.relative_to(self._images)
            if is_file(path):
                problems[name.as_posix()] = ItemError(path, Finding.of("data.listed_unread", file=self._file), "named")
            else:
                problems[name.with_suffix("").as_posix()] = label_alone(path, listed_only(self._file))
        return problems

    def _list(
        self,
        rows: list[CocoImage],
        by_image: dict[CocoId | None, list[CocoAnnotation]],
        repeated: Counter[CocoId | None],
        problems: dict[str, ItemError],
    ) -> list[object]:
        """Take in the images with their annotations out of ``by_image``; returns the repeated rows' ids."""
        images = keyed((row.id, row) for row in rows)
        for id_, unsure in images.contradicting.items():
            for row in unsure:
                if (path := self._place(row, problems)) is not None:
                    self._contradicting[path] = contradicting(f"image id {id_}", len(unsure))
                    self._listed[path] = (row, by_image.get(id_, []))
            by_image.pop(id_, None)
        merged: list[object] = [*images.merged]
        for id_, row in images.rows.items():
            path, annotations = self._place(row, problems), by_image.pop(id_, [])
            if path is None:
                continue
            if path in self._listed:
                first, others = self._listed[path]
                if first.model_copy(update={"id": id_, "file_name": row.file_name}) != row:
                    self._contradicting[path] = contradicting(row.file_name, 2)
                merged += [id_] if path not in self._contradicting else []
                new = _unknown_to(others, annotations)
                self._merged[path] += len(annotations) - len(new)
                annotations = others + new
            self._listed[path] = (row, annotations)
            self._merged[path] += repeated[id_]
        return merged

    def _place(self, row: CocoImage, problems: dict[str, ItemError]) -> Path | None:
        """The image that a row means; None with a problem where it means none of the folder."""
        try:
            return self._locate(row.file_name)
        except MalformedError as error:
            finding = Finding.of("data.image_row", row=f"id {row.id}", why=error.finding)
            problems[f"{self._file} image {row.id}"] = ItemError(self._file, finding, "named")
            return None

    def _locate(self, name: str) -> Path:
        """The image that a ``file_name`` means.

        Raises:
            MalformedError: it leads out of the folder of the images.
        """
        if not name.strip("/\\ "):
            raise MalformedError("data.name_empty")
        folder = Path(os.path.normpath(self._images))
        for form in dict.fromkeys((name, name.replace("\\", "/"))):
            for base in (self._root, self._images, self._file.parent):
                path = Path(os.path.normpath(base / form))
                inside = path.is_relative_to(folder) and path != folder
                # A file may have a back-slash in its name; where there is none, it is Windows' for a folder.
                if inside and (form == name.replace("\\", "/") or is_file(path)):
                    return self._images / path.relative_to(folder)
        raise MalformedError("data.name_outside", name=name, folder=self._images)

    def file(self, stem: str) -> Path:
        """The file that holds an image's boxes."""
        return self._file

    def extra(self, image: Path) -> dict[str, Any]:
        """What else the file says of an image.

        Raises:
            ItemError: the image is not listed, or by rows that contradict each other.
        """
        if image in self._contradicting:
            raise ItemError(image, self._contradicting[image], "unique")
        if image not in self._listed:
            raise image_alone(image, not_listed(self._file))
        return dict(self._listed[image][0].model_extra or {})

    def boxes(self, item: Item, size: tuple[int, int]) -> Boxes:
        """The image's annotations.

        Raises:
            ItemError: the file says that the image is of another size.
        """
        merged = self._merged[item.image]
        row, annotations = self._listed[item.image]
        listed = (row.width or size[0], row.height or size[1])
        if listed != size:
            finding = Finding.of("data.size_listed", size=_x(size), file=self._file, listed=_x(listed))
            raise ItemError(item.image, finding, "size")
        found = Boxes(listed=len(annotations) + merged, merged=merged)
        for annotation in annotations:
            try:
                found.take(self._box(annotation), size)
            except MalformedError as error:
                label = Finding.of("data.annotation", id=str(annotation.id))
                found.reject(
                    self._file, Finding.of("data.in_image", label=label, image=row.file_name, why=error.finding)
                )
        return found

    def _box(self, annotation: CocoAnnotation) -> Box | None:
        """The annotation's box; None where it is none of the detection classes."""
        a = annotation.box()
        if a.category_id in self._unsure:
            names = ", ".join(self._unsure[a.category_id])
            raise MalformedError("data.category_contradicts", id=a.category_id, names=names)
        if a.category_id not in self._names:
            raise MalformedError("data.unknown_category_id", id=a.category_id)
        name = self._names[a.category_id]
        if name not in self._categories:
            raise MalformedError("data.unknown_category", name=name, key=self._key)
        category = self._categories[name]
        x, y, w, h = a.bbox
        return None if category is None else Box(category, x, y, x + w, y + h, a.iscrowd)


def _unknown_to(others: list[CocoAnnotation], annotations: list[CocoAnnotation]) -> list[CocoAnnotation]:
    """The annotations that the others, of the same image under another id, do not have."""
    known = [annotation.says() for annotation in others]
    return [annotation for annotation in annotations if annotation.says() not in known]


def _x(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
