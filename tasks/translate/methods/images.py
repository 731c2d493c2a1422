"""Images that another program made of the source's, found by their names."""

from __future__ import annotations

from tasks.translate.methods.base import Resources
from tasks.translate.outside.matching import images_below, matched
from tasks.translate.outside.readymade import Readymade, whole
from tasks.translate.sections.images import OutsideImages


def load(config: OutsideImages, resources: Resources) -> Readymade:
    """Find every image's file.

    Raises:
        DatasetError: a folder is not there.
        OutsideError: an image has no file, or it is not clear which is whose.
    """
    if resources.source is None:
        raise ValueError("images are found by the names of the source's, and there is none")
    found = [matched(resources.source, folder, images_below(folder), config.image_suffix) for folder in config.folders]
    return Readymade(whole(found), len(found), config.resize)
