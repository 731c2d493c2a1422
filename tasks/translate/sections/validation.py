"""How a translator is looked at while it trains, and what follows from it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.contracts import Section


class Validation(Section):
    """Validation on fixed images, drawn from both sides by the training's seed."""

    every: int = Field(ge=1, description="Steps between validations; the last step has one in any case.")
    images: int = Field(32, ge=2, description="How many images of each side; they are translated at their own size.")
    judge: bool = Field(
        False,
        description="Also the pixel accuracy of the audit's segmenter on the translations, by the simulator's labels; "
        "in a pipeline alone, where it is trained first.",
    )
    keep: Literal["best", "last"] | None = Field(
        None,
        description="Whose weights are the translator's; best: the step nearest to the target among those that keep "
        "the accuracy. If absent best with a judge, else last: nearness alone does not see content that is exchanged.",
    )
    margin: float = Field(
        0.02, ge=0, le=1, description="How far the judge's accuracy may lie below that on the source itself, at best."
    )
    patience: int | None = Field(
        None, ge=1, description="Stop after so many validations in a row without a better one; never if absent."
    )

    @property
    def keeps_best(self) -> bool:
        """Whether the best step's weights are the translator's, rather than the last one's."""
        return self.judge if self.keep is None else self.keep == "best"
