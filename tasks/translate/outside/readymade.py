"""What another program made, in place of a translation."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2

from tasks.contracts import Finding
from tasks.datasets import PixelError, read_image
from tasks.translate.errors import OutsideError
from tasks.translate.methods.base import Image, PerImage
from tasks.translate.outside.matching import Matched

log = logging.getLogger(__name__)


class Readymade(PerImage):
    """Reads the result of each image from a file.

    Args:
        files: id, of a variant ``<id>__v<k>``, -> file.
        variants: how many results an image has.
        resize: whether a result of another size than its image's is brought to that.
    """

    def __init__(self, files: Mapping[str, Path], variants: int, resize: bool) -> None:
        self.files, self.variants, self.resize = files, variants, resize

    def translate(self, image: Image, sample_id: str) -> Image:
        """The image that was made of this one.

        Raises:
            PixelError: it is of another size.
            ImageError: it cannot be read.
        """
        path = self.files[sample_id]
        made = read_image(path)
        (height, width), size = image.shape[:2], made.shape[1::-1]
        if size == (width, height):
            return made
        if not self.resize:
            values = {"width": size[0], "height": size[1], "image_width": width, "image_height": height}
            raise PixelError(path, Finding.of("outside.other_size", **values, id=sample_id), "size")
        shrinks = width * height < size[0] * size[1]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4
        return cv2.resize(made, (width, height), interpolation=how)  # type: ignore[return-value]


def whole(variants: Sequence[Matched]) -> dict[str, Path]:
    """Id, of several variants ``<id>__v<k>``, -> file.

    Raises:
        OutsideError: an image has none, or it is not clear which is whose.
    """
    files: dict[str, Path] = {}
    for k, variant in enumerate(variants):
        if (problem := variant.problem()) is not None:
            raise OutsideError(problem)
        if variant.others:
            log.info("translating: %d files of %s belong to no image of the source, such as %s", *_told(variant))
        ending = f"__v{k}" if len(variants) > 1 else ""
        files |= {f"{id_}{ending}": path for id_, path in variant.files.items()}
    return files


def _told(variant: Matched) -> tuple[int, Path, Path]:
    return len(variant.others), variant.folder, variant.others[0].relative_to(variant.folder)
