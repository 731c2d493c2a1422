"""The whole chain on a tiny subset: the embedded sample, or any other pipeline, shrunk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow

from flows import SMOKE
from flows.augment import augment
from flows.config import PipelineConfig, overridden
from tasks.contracts import RunRecord

_IMAGES = 8
_ITERATIONS = 4


@flow(name="smoke")
def smoke(config: PipelineConfig | Path = SMOKE, overrides: dict[str, Any] = {}) -> RunRecord:  # noqa: B006 - never changed
    """Run the chain quickly, to see that every step of it works.

    Args:
        config: the embedded sample's pipeline, which is small already, or another, which is shrunk.
        overrides: changes by dotted key, made before shrinking.
    """
    settings = overridden(config, overrides, PipelineConfig)
    return augment(settings if config == SMOKE else shrunk(settings))


def shrunk(settings: PipelineConfig) -> PipelineConfig:
    """The same pipeline on a few images and for a few iterations, one seed, under the name ``smoke-<name>``.

    Arms that name more images than that are left out, where there are others.
    """
    values = settings.model_dump(mode="json")
    values["name"] = f"smoke-{settings.name}"
    for role in ("source", "target", "benchmark"):
        dataset = values["datasets"][role]
        dataset |= {"images": min(dataset["images"] or _IMAGES, _IMAGES), "draw": "random"}
    # Of a few images, a single rejected one would already be more than any sensible share.
    values["datasets"]["max_rejected"] = max(values["datasets"]["max_rejected"], 0.5)
    for translator in values["translate"]["translators"]:
        if "training" in translator:
            training = translator["training"]
            training["iterations"] = min(training["iterations"], _ITERATIONS)
            if validation := training["validation"]:
                validation |= {"every": min(validation["every"], _ITERATIONS), "images": min(validation["images"], 2)}
    fitting = [arm for arm in settings.retrain.arms if all((m.images or 0) <= _IMAGES for m in arm.drawing.members)]
    values["retrain"]["arms"] = fitting or values["retrain"]["arms"]
    values["retrain"]["seeds"] = values["retrain"]["seeds"][:1]
    if audit := values["audit"]:
        audit["judge_iterations"] = None
    for task in ("detection", "segmentation"):
        if training := values["retrain"][task]:
            training["iterations"] = min(training["iterations"], _ITERATIONS)
            training["batch"] = min(training["batch"], 2)
            training["log_every"] = min(training["log_every"], 2)
    return PipelineConfig.model_validate(values)
