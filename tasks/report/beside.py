"""What a page has no room for, as files in folders beside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tasks.datasets import Packed
from tasks.report.gallery.grid import LegendEntry, Picture
from tasks.report.gallery.pictures import pack

PICTURES = "pictures"
_HEAD = "data:image/webp;base64,"


@dataclass(frozen=True)
class Beside:
    """What lies beside the page, instead of in it.

    Attributes:
        folder: of the page; None where everything is in the page.
        figures: name of an audited translator and a figure's kind -> its file, from the page; empty where the figures
            are in the page.
    """

    folder: Path | None = None
    figures: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def packed(self, picture: Picture, legend: Sequence[LegendEntry], width: int, kind: str) -> Packed:
        """A picture for the page; one that lies beside it is written there, once, by its content's digest.

        Of the strip on top of the page, pictures are in it whatever else is not.
        """
        found = pack(picture, legend, width)
        if self.folder is None or kind == "strip" or found.uri is None:
            return found
        content = base64.b64decode(found.uri.removeprefix(_HEAD))
        name = f"{PICTURES}/{hashlib.sha256(content).hexdigest()[:20]}.webp"
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return replace(found, uri=name)
