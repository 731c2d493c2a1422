"""What the sections have in common whose images another program makes."""

from __future__ import annotations

from pydantic import Field

from tasks.translate.sections.base import TranslatorSection

OUTSIDE = ("images", "command")  # the methods


class Outside(TranslatorSection):
    """Images that another program makes, known by the names of the source's images."""

    image_suffix: str = Field(
        "", description="What the base names of the program's images end with beside the source's, such as '_fake_B'."
    )
    resize: bool = Field(
        False,
        description="Bring images of another size to the source's, as programs with a fixed size need; else such an "
        "image is an error.",
    )
