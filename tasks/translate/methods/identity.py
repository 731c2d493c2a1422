"""No translation: the raw simulator, in the same codec as every other arm."""

from __future__ import annotations

from tasks.translate.methods.base import Image, PerImage, Resources
from tasks.translate.sections.identity import Identity


class IdentityTranslator(PerImage):
    """Returns every image unchanged."""

    def translate(self, image: Image, sample_id: str) -> Image:
        return image


def load(config: Identity, resources: Resources) -> IdentityTranslator:
    """Make the translator; it needs nothing."""
    return IdentityTranslator()
