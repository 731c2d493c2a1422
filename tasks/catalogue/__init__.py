"""Every text for people, by key and in every language: the one place where what was found becomes words."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.catalogue.errors import FindingError
    from tasks.catalogue.formats import ABSENT, figure, percent, points, rounded, share
    from tasks.catalogue.language import (
        Language,
        catalogue,
        known,
        say,
        speaking,
        spoken,
        t,
    )
else:
    __all__, __getattr__ = face(__name__, __file__)
