"""What the sections of all translators share."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tasks.contracts import Section

Made = Literal["each", "loading", "before"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$", description="What the arm is called in the report.")]


class TranslatorSection(Section):
    """A translator.

    Attributes:
        uses_target: whether it looks at the target set when it translates.
        learned: whether it is trained before.
        made: when its images are made: each by itself, all of them when the method is loaded, or before the run.
    """

    name: Name
    method: str
    uses_target: ClassVar[bool] = False
    learned: ClassVar[bool] = False
    made: ClassVar[Made] = "each"

    @property
    def on_gpu(self) -> bool:
        """Whether it translates on a GPU where there is one."""
        return self.learned

    def translation_slice(self) -> dict[str, Any]:
        """The part of this section that translated images depend on."""
        return self.model_dump(mode="json", exclude={"name"})


def method_of(config: TranslatorSection) -> str:
    """The module of a translator's method, which is imported by the name in the configuration."""
    return f"tasks.translate.methods.{config.method}"
