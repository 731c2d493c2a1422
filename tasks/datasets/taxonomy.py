"""The taxonomy: the classes of a run, and how every data set's own labels become them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from tasks.contracts import Finding, Section
from tasks.datasets.errors import MalformedError, TaxonomyError, reason_of
from tasks.datasets.masks import IGNORE, MAX_CLASSES, MaskEncoding
from tasks.datasets.table import SegmentationClass
from tasks.settings import ConfigError, packaged, read

_LONGEST = 100  # letters of a name
_Byte = Annotated[int, Field(ge=0, le=255)]
_Value = Annotated[int, Field(ge=0, le=65535)] | tuple[_Byte, _Byte, _Byte] | str


class MaskMap(Section):
    """The values of a data set's label images: ids (``kind: index``), RGB colours (``color``) or, where the reader
    draws them, the data set's own names (``name``)."""

    kind: Literal["index", "color", "name"]
    first_channel: bool = Field(
        False,
        description="Of images of several channels, the first holds the id and the others something else, as CARLA "
        "writes them. Without it, channels that differ are a colour picture's, and rejected.",
    )
    values: dict[str, list[_Value]] = Field(description="Class -> the values that mean it.")
    ignore: list[_Value] = Field(default=[], description="Values that are defined, but none of the classes.")

    @model_validator(mode="after")
    def _values_are_distinct(self) -> Self:
        if self.first_channel and self.kind != "index":
            raise MalformedError("data.first_channel_of_ids", kind=self.kind)
        seen: dict[_Value, str] = {}
        for name, value in self.pairs():
            if type(value) is not {"index": int, "color": tuple, "name": str}[self.kind]:
                raise MalformedError("data.no_value", name=name, value=_text(value), kind=self.kind)
            if value in seen:
                raise MalformedError("data.value_twice", value=_text(value), one=seen[value], other=name)
            seen[value] = name
        return self

    def pairs(self) -> Iterable[tuple[str, _Value]]:
        """Every (class, value); the class of ignored values is ``ignore``."""
        return [(name, v) for name, values in [*self.values.items(), ("ignore", self.ignore)] for v in values]


class DatasetMap(Section):
    """How one data set's labels become the taxonomy's classes."""

    masks: MaskMap | None = None
    boxes: dict[str, str | None] = Field(
        default={}, description="Object's name -> detection class, null: none of them."
    )
    boxes_by_mask: dict[str, dict[str, str]] = Field(
        default={}, description="Object's name -> {class of its visible pixels: detection class}."
    )


def is_name(text: str) -> bool:
    """Whether a text can be a name in tables, pages and figures: one line of letters that are seen, not too long."""
    return bool(text) and text.isprintable() and text == text.strip() and len(text) <= _LONGEST


class Taxonomy(Section):
    """The classes of a run; a mask's index and a box's category are positions in its lists."""

    name: str
    classes: tuple[SegmentationClass, ...] = Field(min_length=1, max_length=MAX_CLASSES)
    detection: tuple[str, ...] = Field(min_length=1, description="The classes of boxes, unless a run names others.")
    more_detection: tuple[str, ...] = Field((), description="Further classes of boxes that a run may name.")
    maps: dict[str, DatasetMap]

    @classmethod
    def load(cls, path: Path, detection: tuple[str, ...] | None = None) -> Taxonomy:
        """Read a taxonomy's YAML file, and the maps of the folder beside it that has its name without ``.yaml``.

        Args:
            path: the file; this repository's where there is none from the working directory.
            detection: the detection classes to use, of those the taxonomy has; objects of others give no box.

        Raises:
            TaxonomyError: no such file, no YAML, or a key that is missing, unknown or wrong.
        """
        path = packaged(path)
        content = _load(path)
        if isinstance(content, dict):
            maps = content.setdefault("maps", {})
            for file in sorted(path.with_suffix("").glob("*.yaml")):
                if file.stem in maps:
                    raise TaxonomyError(Finding.of("data.map_twice", file=path), file)
                maps[file.stem] = _load(file)
        try:
            taxonomy = cls.model_validate(content)
        except ValidationError as error:
            raise TaxonomyError(Finding.of("data.no_taxonomy", problems=_problems(error)), path) from error
        return taxonomy if detection is None else taxonomy.narrowed(detection)

    def narrowed(self, detection: tuple[str, ...]) -> Taxonomy:
        """The taxonomy with these detection classes, in this order.

        Raises:
            TaxonomyError: it does not have one of them, or one stands there twice.
        """
        known = (*self.detection, *self.more_detection)
        if unknown := [name for name in detection if name not in known]:
            finding = Finding.of("data.no_detection_class", names=tuple(unknown), taxonomy=self.name, known=known)
            raise TaxonomyError(finding)
        if len(set(detection)) != len(detection) or not detection:
            raise TaxonomyError(Finding.of("data.detection_twice"))
        others = tuple(name for name in known if name not in detection)
        return self.model_copy(update={"detection": detection, "more_detection": others})

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        names = [c.name for c in self.classes]
        boxes = [*self.detection, *self.more_detection]
        for key, list_ in (("name", [self.name]), ("classes", names), ("detection", boxes)):
            if odd := [n for n in list_ if not is_name(n)]:  # told as Python writes them, so that nothing acts
                raise MalformedError("data.odd_name", key=key, names=tuple(map(ascii, odd)))
            if twice := sorted({n for n in list_ if list_.count(n) > 1}):
                raise MalformedError("data.stands_twice", key=key, names=tuple(twice))
        for dataset, m in self.maps.items():
            key = f"maps.{dataset}"
            _known(f"{key}.masks.values", m.masks.values if m.masks else [], names)
            _known(f"{key}.boxes", [v for v in m.boxes.values() if v is not None], boxes)
            if m.boxes_by_mask and m.masks is None:
                raise MalformedError("data.needs_masks", key=key)
            for name, by_class in m.boxes_by_mask.items():
                _known(f"{key}.boxes_by_mask.{name}", by_class, names)
                _known(f"{key}.boxes_by_mask.{name}", by_class.values(), boxes)
        return self

    def map(self, dataset: str) -> DatasetMap:
        """The map of a data set.

        Raises:
            TaxonomyError: the taxonomy has none of that name.
        """
        if dataset not in self.maps:
            there = tuple(sorted(self.maps))
            raise TaxonomyError(Finding.of("data.no_map", taxonomy=self.name, dataset=dataset, there=there))
        return self.maps[dataset]

    def encoding(self, dataset: str) -> MaskEncoding | None:
        """How a data set's masks are decoded to class indices; None where its map has no masks.

        Masks that the reader draws hold class indices already.
        """
        masks = self.map(dataset).masks
        if masks is None:
            return None
        if masks.kind == "name":
            return MaskEncoding(kind="index", indices={i: i for i in (*range(len(self.classes)), IGNORE)})
        indices = {_packed(v): i for v, i in self._indices(masks)}
        return MaskEncoding(kind=masks.kind, first_channel=masks.first_channel, indices=indices)

    def indices_by_name(self, dataset: str) -> dict[str, int]:
        """A data set's name of a thing or surface -> class index, 255 for ignore: its map of kind ``name``."""
        masks = self.map(dataset).masks
        return {} if masks is None else {str(v): i for v, i in self._indices(masks)}

    def _indices(self, masks: MaskMap) -> Iterable[tuple[_Value, int]]:
        index = {c.name: i for i, c in enumerate(self.classes)} | {"ignore": IGNORE}
        return ((value, index[name]) for name, value in masks.pairs())

    def categories(self, dataset: str) -> dict[str, int | None]:
        """A data set's name of an object -> position in ``detection``; None where it is none of these classes."""
        return {name: self._category(to) for name, to in self.map(dataset).boxes.items()}

    def categories_by_mask(self, dataset: str) -> dict[str, dict[int, int]]:
        """A data set's name of an object -> {class index of its visible pixels: position in ``detection``}.

        An object of a class that is not asked for has no entry for it; one without any entry gives no box.
        """
        index = {c.name: i for i, c in enumerate(self.classes)}
        by_name = self.map(dataset).boxes_by_mask
        return {
            n: {index[c]: found for c, d in m.items() if (found := self._category(d)) is not None}
            for n, m in by_name.items()
        }

    def categories_by_class(self, dataset: str) -> dict[int, int]:
        """Class index of a pixel -> position in ``detection``: its map's ``boxes`` under the classes' own names."""
        found = {i: self._category(self.map(dataset).boxes.get(c.name)) for i, c in enumerate(self.classes)}
        return {i: category for i, category in found.items() if category is not None}

    def impossible(self, dataset: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The segmentation classes, and the detection classes, that no label of a data set becomes."""
        m = self.map(dataset)
        masks = set(m.masks.values) if m.masks is not None else set()
        boxes = {*m.boxes.values(), *(d for by_class in m.boxes_by_mask.values() for d in by_class.values())}
        return (
            tuple(c.name for c in self.classes if c.name not in masks),
            tuple(name for name in self.detection if name not in boxes),
        )

    def _category(self, name: str | None) -> int | None:
        return self.detection.index(name) if name in self.detection else None


def _load(path: Path) -> Any:
    try:
        return read(path).values
    except ConfigError as error:
        raise TaxonomyError(Finding.of("data.no_yaml", problem=str(error)), path) from error


def _known(key: str, names: Iterable[str], known: Iterable[str]) -> None:
    if unknown := sorted(set(names) - set(known)):
        raise MalformedError("data.no_class", key=key, names=tuple(unknown))


def _packed(value: _Value) -> int:
    if isinstance(value, str):
        raise TypeError(f"{value} has no number")
    return value if isinstance(value, int) else value[0] << 16 | value[1] << 8 | value[2]


def _text(value: _Value) -> str:
    return str(list(value) if isinstance(value, tuple) else value)


def _problems(error: ValidationError) -> tuple[Finding, ...]:
    """Each key that is missing, unknown or wrong, and how."""
    return tuple(Finding.of("data.at_key", key=_key(e["loc"]), why=_why(e)) for e in error.errors())


def _why(problem: ErrorDetails) -> Finding | str:
    raised = problem.get("ctx", {}).get("error")
    return reason_of(raised) if isinstance(raised, MalformedError) else problem["msg"]


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "."
