"""What the project's pages have in common: templates that escape everything, and pictures inside the page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from tasks.contracts import readable


@dataclass(frozen=True)
class Packed:
    """A picture as a data URI with its size in pixels; ``uri`` is None and ``missing`` says why where there is none."""

    uri: str | None
    width: int = 0
    height: int = 0
    missing: str = ""


def page_templates(*folders: Path) -> Environment:
    """The templates of folders; an undefined name is an error."""
    return Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_writable,
    )


def _writable(value: Any) -> Any:
    """What a placeholder holds as text that a page can hold: a file's name may be of any bytes."""
    return (
        Markup(readable(value)) if isinstance(value, Markup) else readable(value) if isinstance(value, str) else value
    )


def webp_uri(image: Image.Image, quality: int, lossless: bool = False) -> str:
    """An image as a WebP data URI."""
    stream = io.BytesIO()
    image.save(stream, "WEBP", lossless=lossless, quality=quality)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()
