"""The ``evaluate`` section: how trained models are run on the real benchmark."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.contracts import Section


class EvaluateConfig(Section):
    """Inference on the benchmark, and how its scores are compared.

    What is scored, and how, is fixed: COCO's AP and the mean IoU.
    """

    classes: Literal["benchmark", "shared"] = Field(
        "benchmark",
        description="The classes that mIoU and mAP are the mean of. benchmark: all that the benchmark has; shared: of "
        "these, only those that source and target can have as well, for a simulator that does not tell some apart.",
    )
    batch: int = Field(
        4,
        ge=1,
        description="Images in a network at once; of one size each, so that it changes scores by rounding alone.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="What networks compute in: bfloat16, where the device has instructions for it (GPUs, CPUs with "
        "avx512_bf16 or amx), takes about half of the time and differs by rounding, on CamVid by less than 0.1 points; "
        "auto: bfloat16 there, float32 elsewhere.",
    )
    resamples: int = Field(2000, ge=100, description="Bootstrap resamples of the benchmark's images for intervals.")
    cluster: Literal["auto", "sequence", "blocks", "image"] = Field(
        "auto",
        description="What a resample draws as one, frames of a drive being alike. sequence: whole drives; blocks: runs "
        "of consecutive frames, as long as their scores stay alike; image: each image alone; auto: drives where there "
        "are enough of them, blocks where there are few, images where each is a drive of its own or drives are not "
        "known.",
    )
    slices: tuple[str, ...] | None = Field(
        None,
        description="What parts of the benchmark are scored apart: attributes of its images (weather), box_size "
        "(COCO's small, medium, large) and sequence (each drive). Without it, box_size, sequence and the attributes "
        "that have 2 to 12 values; [] for none.",
    )
    margin: float = Field(
        0.005, ge=0, lt=1, description="The largest difference in mIoU, mAP or a class's score that does not matter."
    )
