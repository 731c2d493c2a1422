"""The base of every section of the YAML configuration."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of the configuration: immutable, and an unknown key is an error rather than a silent no-op."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
