"""The frozen network whose features a method, or an audit, compares."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.contracts import Section


class Features(Section):
    """The frozen network whose features are compared."""

    network: Literal["vgg19", "efficientnet_lite0", "segmenter", "random"] = Field(
        description="vgg19: its ImageNet weights in a file; efficientnet_lite0: packaged ImageNet weights; "
        "segmenter: the encoder of a model that this pipeline trained; random: for smoke runs only."
    )
    path: Path | None = Field(None, description="vgg19: the weights' file; segmenter: the model artifact's folder.")
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="SHA-256 of the file (checkpoint.pth).")

    @model_validator(mode="after")
    def _file_is_named(self) -> Self:
        if (self.network in ("vgg19", "segmenter")) != (self.path is not None and self.sha256 is not None):
            raise ValueError(f"features {self.network}: path and sha256 are both needed for vgg19 and segmenter alone")
        return self
