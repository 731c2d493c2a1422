"""The ``audit`` section: what a translated set is measured for, and what is tolerated."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from tasks.contracts import Section


class FeatureFile(Section):
    """Weights of the Inception network that FID and KID are defined on."""

    path: Path = Field(description="torch-fidelity's weights-inception-2015-12-05-6726825d.pth.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="The file's SHA-256.")


class Thresholds(Section):
    """The largest values that pass, ``judge`` apart. Those of ``error`` stop the run before retraining."""

    judge: float = Field(
        0.25, ge=0, le=1, description="Least mIoU on the benchmark from which a judge's flips stop, drop or replace."
    )
    flips: float = Field(0.10, ge=0, le=1, description="Flipped share of a class's pixels; warning.")
    flips_error: float = Field(0.50, ge=0, le=1, description="Flipped share of all pixels; error.")
    flipped_image: float = Field(0.30, ge=0, le=1, description="Flipped share of an image from which on_fail acts.")
    flipped_images: float = Field(0.50, ge=0, le=1, description="Share of such images; error.")
    detail: float = Field(0.50, ge=0, le=1, description="Share of detail lost in the image or a thin class; warning.")
    recall: float = Field(0.10, ge=0, le=1, description="Recall lost by the frozen detector, in shares; warning.")
    colour: float = Field(1.25, ge=0, description="Class colour's distance to real, after / before; warning.")
    geometry: float = Field(1.0, ge=0, description="Displacement of an image in pixels; error.")
    distance: float = Field(1.0, ge=0, description="Distance to the real set, after / before; warning.")


class AuditConfig(Section):
    """The audit before retraining, by judges trained on the real set."""

    judge_iterations: int | None = Field(
        None,
        ge=1,
        description="Iterations of the frozen judges; where not given retrain's, so that no training is added.",
    )
    thin: tuple[str, ...] = Field(
        ("pole", "traffic light", "traffic sign", "lane marking", "Pole", "SignSymbol"),
        description="Classes inside whose masks detail is measured, where the taxonomy has them.",
    )
    on_fail: Literal["drop", "keep_source", "stop"] = Field(
        "drop",
        description="What becomes of images over thresholds.flipped_image: left out, the source's, or the run ends.",
    )
    features: Literal["segmenter", "efficientnet_lite0"] = Field(
        "segmenter", description="The frozen features of distances and of the map of domains."
    )
    inception: FeatureFile | None = Field(None, description="Also FID and KID, on this file's weights.")
    images: int | None = Field(
        None,
        ge=2,
        description="Measure all but flips and recall on so many images a set, drawn at random; all if absent.",
    )
    seed: int = Field(0, ge=0, description="Seed of the judges and of every draw.")
    thresholds: Thresholds = Thresholds()

    def absolute(self) -> AuditConfig:
        """The same with absolute paths of files, for processes that may have another working directory."""
        file = self.inception and self.inception.model_copy(update={"path": self.inception.path.absolute()})
        return self.model_copy(update={"inception": file})
