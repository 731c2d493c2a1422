"""What a trained translator says of itself."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, field_validator

from tasks.contracts.filed import Filed
from tasks.contracts.frozen import Frozen


class Validated(Frozen):
    """What a validation found after so many steps, on fixed images; step 0 is the source itself, untranslated.

    Attributes:
        step: steps done.
        distance: kernel distance to the target on EfficientNet-Lite0's features; unbiased, so near 0 it may be below.
        colour: Frechet distance to the target of the images' CIELAB means and deviations, squared.
        accuracy: share of the labelled pixels that the frozen judge reads rightly; None where there is no judge.
    """

    step: int
    distance: float
    colour: float
    accuracy: float | None = None


class KeptStep(Frozen):
    """The step whose weights are the translator's, and why.

    Attributes:
        step: steps done.
        why: ``last``: it is the last one; ``closest``: it is nearest to the target, with a judge of those that keep the
            accuracy; ``most_accurate``: no step keeps it, this one loses least.
    """

    step: int
    why: Literal["last", "closest", "most_accurate"]


class TranslatorCard(Filed):
    """The card of a translator; the room ``translate`` writes it, with what its method has to say beside.

    What an older card does not say is None.

    Attributes:
        method, paper: how it was trained. config: the section of the YAML that it was trained by.
        iterations: steps done, fewer than configured where validation ended it. parameters: network -> how many.
        losses: by name, as last averaged. variety: of the outputs, in shares of the inputs'.
        rollbacks: each with its ``step``, its reason ``rollback`` and the ``lr_factor`` from then on.
        validations: of the source itself, then of the training. kept: the step that the weights are of.
        device, processes: what trained it.
        source_images, target_images: what it was trained on. left_out: side -> ids of images smaller than crops.
    """

    model_config = ConfigDict(extra="allow")

    FILE: ClassVar[str] = "card.json"

    method: str | None = None
    paper: str | None = None
    config: dict[str, Any] | None = None
    iterations: int | None = None
    parameters: dict[str, int] | None = None
    losses: dict[str, float] | None = None
    variety: dict[str, float] | None = None
    rollbacks: tuple[dict[str, Any], ...] = ()
    validations: tuple[Validated, ...] = ()
    kept: KeptStep | None = None
    device: str | None = None
    processes: int | None = None
    source_images: int | None = None
    target_images: int | None = None
    left_out: dict[str, tuple[str, ...]] | None = None

    @field_validator("parameters", mode="before")
    @classmethod
    def _by_network(cls, parameters: Any) -> Any:
        """Older cards count the generator alone."""
        return {"generator": parameters} if isinstance(parameters, int) else parameters
