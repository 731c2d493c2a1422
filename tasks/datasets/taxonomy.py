"""The taxonomy: the classes of a run, and how every data set's own labels become them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from tasks.datasets.masks import IGNORE, MaskEncoding
from tasks.datasets.table import SegmentationClass
from tasks.store import Section

_Byte = Annotated[int, Field(ge=0, le=255)]
_Value = Annotated[int, Field(ge=0, le=65535)] | tuple[_Byte, _Byte, _Byte]


class TaxonomyError(Exception):
    """A taxonomy that cannot be used; the message names the file and the key."""


class MaskMap(Section):
    """The values of a data set's label images: ids (``kind: index``) or RGB colours (``kind: color``)."""

    kind: Literal["index", "color"]
    values: dict[str, list[_Value]] = Field(description="Class -> the values that mean it.")
    ignore: list[_Value] = Field(default=[], description="Values that are defined, but none of the classes.")

    @model_validator(mode="after")
    def _values_are_distinct(self) -> Self:
        seen: dict[_Value, str] = {}
        for name, value in self.pairs():
            if isinstance(value, tuple) != (self.kind == "color"):
                raise ValueError(f"{name}: {_text(value)} is no value of kind {self.kind}")
            if value in seen:
                raise ValueError(f"{_text(value)} stands under {seen[value]} and under {name}")
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


class Taxonomy(Section):
    """The classes of a run; a mask's index and a box's category are positions in its lists."""

    name: str
    classes: tuple[SegmentationClass, ...] = Field(min_length=1, max_length=IGNORE)
    detection: tuple[str, ...] = Field(min_length=1)
    maps: dict[str, DatasetMap]

    @classmethod
    def load(cls, path: Path) -> Taxonomy:
        """Read a taxonomy's YAML file.

        Raises:
            TaxonomyError: no such file, no YAML, or a key that is missing, unknown or wrong.
        """
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise TaxonomyError(f"{path}: cannot be read ({error.strerror})") from error
        except yaml.YAMLError as error:
            raise TaxonomyError(f"{path}: is not YAML: {error}") from error
        except ValidationError as error:
            problems = "\n".join(f"  {_key(e['loc'])}: {e['msg']}" for e in error.errors())
            raise TaxonomyError(f"{path}: is not a taxonomy:\n{problems}") from error

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        names = [c.name for c in self.classes]
        for key, list_ in (("classes", names), ("detection", list(self.detection))):
            if twice := sorted({n for n in list_ if list_.count(n) > 1}):
                raise ValueError(f"{key}: {', '.join(twice)} stands there twice")
        for dataset, m in self.maps.items():
            key = f"maps.{dataset}"
            _known(f"{key}.masks.values", m.masks.values if m.masks else [], names)
            _known(f"{key}.boxes", [v for v in m.boxes.values() if v is not None], self.detection)
            if m.boxes_by_mask and m.masks is None:
                raise ValueError(f"{key}.boxes_by_mask: needs {key}.masks")
            for name, by_class in m.boxes_by_mask.items():
                _known(f"{key}.boxes_by_mask.{name}", by_class, names)
                _known(f"{key}.boxes_by_mask.{name}", by_class.values(), self.detection)
        return self

    def map(self, dataset: str) -> DatasetMap:
        """The map of a data set.

        Raises:
            TaxonomyError: the taxonomy has none of that name.
        """
        if dataset not in self.maps:
            raise TaxonomyError(f"taxonomy {self.name} has no maps.{dataset}; it has {', '.join(sorted(self.maps))}")
        return self.maps[dataset]

    def encoding(self, dataset: str) -> MaskEncoding | None:
        """How a data set's masks are decoded to class indices; None where its map has no masks."""
        masks = self.map(dataset).masks
        if masks is None:
            return None
        index = {c.name: i for i, c in enumerate(self.classes)} | {"ignore": IGNORE}
        return MaskEncoding(kind=masks.kind, indices={_packed(v): index[name] for name, v in masks.pairs()})

    def categories(self, dataset: str) -> dict[str, int | None]:
        """A data set's name of an object -> position in ``detection``; None where it is none of these classes."""
        names = self.map(dataset).boxes
        return {name: None if to is None else self.detection.index(to) for name, to in names.items()}

    def categories_by_mask(self, dataset: str) -> dict[str, dict[int, int]]:
        """A data set's name of an object -> {class index of its visible pixels: position in ``detection``}."""
        index = {c.name: i for i, c in enumerate(self.classes)}
        by_name = self.map(dataset).boxes_by_mask
        return {n: {index[c]: self.detection.index(d) for c, d in m.items()} for n, m in by_name.items()}


def _known(key: str, names: Iterable[str], known: Iterable[str]) -> None:
    if unknown := sorted(set(names) - set(known)):
        raise ValueError(f"{key}: {', '.join(unknown)} is no class of this taxonomy")


def _packed(value: _Value) -> int:
    return value if isinstance(value, int) else value[0] << 16 | value[1] << 8 | value[2]


def _text(value: _Value) -> str:
    return str(value) if isinstance(value, int) else str(list(value))


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"
