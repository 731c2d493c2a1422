"""The ``retrain`` section: which models are trained, on which arms, for how long."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, field_validator

from tasks.contracts import Arm, Section, Task
from tasks.settings import packaged
from tasks.translate import IMAGENET_SHA256, imagenet_weights

NEW = "+"  # begins the name of an override that the network's file does not have, as in Hydra
Seed = Annotated[int, Field(ge=0, lt=2**32)]  # as NumPy takes it


class Weights(Section):
    """Initial weights: a checkpoint file, and the SHA-256 that it must have."""

    path: Path
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class TrainingConfig(Section):
    """How one task's model is trained; the same for every arm, so that only the images differ."""

    config: Path = Field(description="mmengine configuration file: model, pipelines, optimiser, schedule.")
    iterations: int = Field(ge=1, description="Training iterations of every arm.")
    batch: int = Field(8, ge=1, description="Images in a batch of every arm.")
    input_size: tuple[int, int] | None = Field(
        None, description="Width and height that images are resized to; the configuration file's own where not given."
    )
    init: Weights | Literal["packaged"] | None = Field(
        None, description="Initial weights; packaged: ImageNet's, of EfficientNet-Lite0. Random where not given."
    )
    class_weights: Literal["none", "real"] | tuple[PositiveFloat, ...] = Field(
        "none", description="Of segmentation's loss; real: sqrt(median / frequency) of the target set, for every arm."
    )
    checkpoint_every: int = Field(200, ge=1, description="Iterations between checkpoints, from which a crash resumes.")
    log_every: int = Field(20, ge=1, description="Iterations between points of the learning curve.")
    overrides: dict[str, Any] = Field(
        {}, description="Changes to the mmengine configuration, by dotted key; one that is new to it begins with '+'."
    )

    def initial(self) -> Weights | None:
        """The file of the initial weights; None where they are random."""
        if self.init == "packaged":
            return Weights(path=imagenet_weights(), sha256=IMAGENET_SHA256)
        return self.init


class SelfTrainingConfig(Section):
    """What of a model's predictions on target images becomes their labels, for the arms of ``self_train``."""

    portion: float = Field(
        0.5, gt=0, le=1, description="Of each class's pixels, the share that is kept: the most confident."
    )
    sure: float = Field(
        0.9, gt=0, le=1, description="Confidence from which a pixel is kept whatever its class's share."
    )
    score: float = Field(0.5, ge=0, lt=1, description="Score from which a box is kept.")


class RetrainConfig(Section):
    """The experiment's matrix: arms x tasks x seeds, at an equal budget."""

    arms: tuple[Arm, ...] = Field(
        (Arm("real"), Arm("source"), Arm("translated")),
        description="real, source, translated, real+source, real+translated, or a form of docs/arms.md; "
        "translated(NAME) takes one translator.",
    )
    seeds: tuple[Seed, ...] = Field((0,), min_length=1, description="Every arm is trained once a seed.")
    self_training: SelfTrainingConfig = SelfTrainingConfig()
    detection: TrainingConfig | None = None
    segmentation: TrainingConfig | None = None

    @field_validator("arms")
    @classmethod
    def _distinct_arms(cls, arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
        if twice := [arm for arm in dict.fromkeys(arms) if arms.count(arm) > 1]:
            raise ValueError(f"an arm is named twice: {', '.join(twice)}")
        return arms

    @field_validator("seeds")
    @classmethod
    def _distinct_seeds(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"a seed is named twice: {seeds}")
        return seeds

    @field_validator("detection")
    @classmethod
    def _unweighted(cls, training: TrainingConfig | None) -> TrainingConfig | None:
        if training is not None and training.class_weights != "none":
            raise ValueError("class_weights are of segmentation's loss: leave them out here")
        return training

    def tasks(self) -> dict[Task, TrainingConfig]:
        """The tasks that are trained."""
        both: dict[Task, TrainingConfig | None] = {"detection": self.detection, "segmentation": self.segmentation}
        return {task: config for task, config in both.items() if config is not None}

    def absolute(self) -> RetrainConfig:
        """The same with absolute paths of files, for processes that may have another working directory."""

        def files(training: TrainingConfig) -> TrainingConfig:
            init = training.init
            if isinstance(init, Weights):
                init = init.model_copy(update={"path": init.path.absolute()})
            return training.model_copy(update={"config": packaged(training.config).absolute(), "init": init})

        return self.model_copy(update={task: files(training) for task, training in self.tasks().items()})

    def expanded_arms(self, translators: tuple[str, ...]) -> tuple[Arm, ...]:
        """The arms with every bare ``translated`` standing for one arm a translator.

        Raises:
            ValueError: an arm names a translator that is not among ``translators``.
        """
        arms = [expanded for arm in self.arms for expanded in arm.expanded(translators)]
        for arm in arms:
            if arm.translator is not None and arm.translator not in translators:
                raise ValueError(
                    f"arm {arm!r} names no translator of this pipeline: {', '.join(translators) or 'none'}"
                )
        return tuple(dict.fromkeys(arms))
