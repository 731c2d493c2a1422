"""What a room has to tell people, before it is words."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator

from tasks.contracts.names import readable


class Finding(BaseModel):
    """A code and its values; the catalogue makes a sentence of it, in any language. No code ever reads the sentence.

    Attributes:
        code: the text's key in the catalogue, as ``area.name``.
        values: what the text's placeholders stand for, by name. A part of the sentence that has a code of its own is a
            finding again: what is wrong with a box, in a line of a file. A path read back from JSON is a string.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    values: dict[str, Value] = {}

    @field_validator("values", mode="before")
    @classmethod
    def _readable(cls, values: dict[str, Value]) -> dict[str, Value]:
        """Whatever a file's name is: what is said of it can be written."""
        return {name: _writable(value) for name, value in values.items()}

    @classmethod
    def of(cls, code: str, /, **values: Value) -> Finding:
        """A finding with its values as keywords."""
        return cls(code=code, values=values)

    def below(self, root: Path) -> Finding:
        """The same with the paths in a folder from there on, so that it holds wherever the folder is moved."""
        return Finding(code=self.code, values={name: _below(value, root) for name, value in self.values.items()})


Value = bool | int | float | str | Path | Finding | tuple[str, ...] | tuple[Finding, ...] | None


def _writable(value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(map(_writable, value))  # type: ignore[arg-type, return-value]
    if isinstance(value, Path):
        return value if (text := readable(str(value))) == str(value) else Path(text)
    return readable(value) if isinstance(value, str) else value


def _below(value: Value, root: Path) -> Value:
    if isinstance(value, Finding):
        return value.below(root)
    if isinstance(value, tuple):
        return tuple(_below(part, root) for part in value)  # type: ignore[return-value]
    return value.relative_to(root) if isinstance(value, Path) and value.is_relative_to(root) else value


Finding.model_rebuild()
