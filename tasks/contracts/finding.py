"""What a room has to tell people, before it is words."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Value = bool | int | float | str | tuple[str, ...] | None


class Finding(BaseModel):
    """A code and its values; the catalogue makes a sentence of it, in any language. No code ever reads the sentence.

    Attributes:
        code: the text's key in the catalogue, as ``area.name``.
        values: what the text's placeholders stand for, by name.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    values: dict[str, Value] = {}

    @classmethod
    def of(cls, code: str, **values: Value) -> Finding:
        """A finding with its values as keywords."""
        return cls(code=code, values=values)
