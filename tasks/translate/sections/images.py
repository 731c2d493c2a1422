"""The section of images that another program made."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from tasks.store import content_digest
from tasks.translate.outside.matching import digests, images_below
from tasks.translate.sections.base import Made, Name
from tasks.translate.sections.outside import Outside


class OutsideImages(Outside):
    """Images that another program made of the source's, in folders: they take part as if a method had made them."""

    method: Literal["images"]
    name: Name = "images"
    made: ClassVar[Made] = "before"
    folders: tuple[Path, ...] = Field(
        min_length=1,
        description="A folder of images (PNG, JPEG, WebP and others), each named by its source image's id, or by its "
        "file's name, with as many of the data set's folders as it takes to tell it from others. Several folders hold "
        "a variant each, which become images of their own.",
    )

    def translation_slice(self) -> dict[str, Any]:
        """The images themselves: where they lie changes nothing.

        Raises:
            DatasetError: a folder is not there.
            OSError: a file of it cannot be read.
        """
        plain = self.model_dump(mode="json", include={"method", "image_suffix", "resize"})
        return {**plain, "images": [content_digest(digests(folder, images_below(folder))) for folder in self.folders]}


section = OutsideImages
