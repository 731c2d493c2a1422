"""What an artifact is made from: all that its key is the digest of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.contracts import Artifact
from tasks.store.digest import content_digest


@dataclass(frozen=True)
class Recipe:
    """What makes an artifact; the same recipe is the same artifact.

    Attributes:
        kind: what the artifact is; a folder name.
        config: the slice of the configuration that it depends on, and nothing more; JSON-like values.
        inputs: role -> artifact; their content digests enter the key.
        code: ``code_version`` of the modules that make it.
    """

    kind: str
    config: Mapping[str, Any]
    inputs: Mapping[str, Artifact]
    code: str

    @property
    def key(self) -> str:
        """The digest that names the artifact."""
        digests = {role: artifact.digest for role, artifact in self.inputs.items()}
        return content_digest([self.kind, self.config, digests, self.code])
