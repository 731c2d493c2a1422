"""What a trained model says of itself."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import RootModel, field_validator

from tasks.contracts.filed import Filed
from tasks.contracts.frozen import Frozen
from tasks.contracts.task import Task

RANDOM_WEIGHTS = "random"  # what a card says of initial weights that are from no file


class InitialWeights(Frozen):
    """What a training began with.

    Attributes:
        weights: the file's name, or ``RANDOM_WEIGHTS``. sha256: of the file.
        loaded, skipped: how many of its tensors fitted the network, and how many did not.
    """

    weights: str | None = None
    sha256: str | None = None
    loaded: int | None = None
    skipped: int | None = None


class TrainSet(Frozen):
    """A part of what a model was trained on.

    Attributes:
        dataset: its name. images: how many of it have the task's labels and were drawn from.
        share: which share of the images that the training drew are of it, as expected; all parts' together 1.
    """

    dataset: str
    images: int
    share: float | None = None


class ModelCard(Filed):
    """The card of a model; the room ``retrain`` writes it. What an older card does not say is None.

    Attributes:
        network: name of the mmengine file. type: the class of the network.
        parameters: how many there are, frozen ones too.
        input_size: width and height that images were resized to, in pixels.
        iterations, batch, seed: of the training.
        train_images: of all sets together. train_sets: in the order of the arm's parts.
        device: what it was trained on, for people. overrides: changes to the mmengine file, by dotted key.
        class_weights: of segmentation's loss, in the order of the classes; None where all weigh the same.
        resumed_at: iterations at which it went on after a crash as another training than the undisturbed one, on a GPU;
            a training that goes on to the same bits has none.
    """

    FILE: ClassVar[str] = "card.json"

    task: Task | None = None
    network: str | None = None
    type: str | None = None
    parameters: int | None = None
    input_size: tuple[int, int] | None = None
    iterations: int | None = None
    batch: int | None = None
    seed: int | None = None
    initial_weights: InitialWeights | None = None
    train_images: int | None = None
    train_sets: tuple[TrainSet, ...] = ()
    device: str | None = None
    overrides: dict[str, Any] | None = None
    class_weights: tuple[float, ...] | None = None
    resumed_at: tuple[int, ...] = ()

    @field_validator("initial_weights", mode="before")
    @classmethod
    def _named(cls, initial: Any) -> Any:
        """Older cards name the file alone."""
        return {"weights": initial} if isinstance(initial, str) else initial

    def content(self) -> Any:
        """What the file holds: nothing of what does not apply, as the digest of weights that are from no file."""
        return self.model_dump(mode="json", exclude_unset=True)


class LossPoint(Frozen):
    """The loss of one iteration, counted from 1."""

    iteration: int
    loss: float


class LossCurve(Filed, RootModel[tuple[LossPoint, ...]]):
    """The learning curve of a model, by ascending iteration; the room ``retrain`` writes it."""

    FILE: ClassVar[str] = "curve.json"
