"""A published artifact as it travels between tasks."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_serializer, field_validator
from pydantic_core.core_schema import SerializationInfo

STORE = "store"  # in pydantic's context: the store's folder, below which an artifact lies by its kind and key


class Artifact(BaseModel):
    """A published artifact, as it travels between tasks: small, frozen, never the data itself.

    Attributes:
        kind: what it is, such as ``dataset`` or ``translated``; also its folder's name in the store.
        key: digest of what made it (config slice, inputs, code); also its folder's name below ``kind``.
        digest: digest of its content (names and SHA-256 of its files). What depends on this artifact is keyed by
            ``digest``, so rebuilding an input to the same bytes repeats nothing further on.
        path: its folder.
        seconds: what building it took, in seconds.
        cached: whether this run found it finished.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    key: str
    digest: str
    path: Path
    seconds: float
    cached: bool

    @field_serializer("path")
    def _kept(self, path: Path, info: SerializationInfo) -> str:
        return f"{self.kind}/{self.key}" if STORE in (info.context or {}) else path.as_posix()

    @field_validator("path")
    @classmethod
    def _found(cls, path: Path, info: ValidationInfo) -> Path:
        store: Path | None = (info.context or {}).get(STORE)
        return path if store is None else store / info.data["kind"] / info.data["key"]

    def file(self, name: str) -> Path:
        """The path of one of its files."""
        return self.path / name
