"""What a trained translator says of itself."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import ConfigDict, field_validator

from tasks.contracts.filed import Filed


class TranslatorCard(Filed):
    """The card of a translator; the room ``translate`` writes it, with what its method has to say beside.

    What an older card does not say is None.

    Attributes:
        method, paper: how it was trained. config: the section of the YAML that it was trained by.
        iterations: steps. parameters: network -> how many it has.
        losses: by name, as last averaged. variety: of the outputs, in shares of the inputs'.
        rollbacks: each with its ``step``, its reason ``rollback`` and the ``lr_factor`` from then on.
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
