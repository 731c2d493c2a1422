"""Showing checks in the spoken language: as one HTML file (styles and pictures inside, nothing fetched), as a table."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tasks.catalogue import say, share, spoken, t
from tasks.contracts import Check, Finding
from tasks.datasets.checks.model import LEAST, MAX_LISTED, CheckedSet, roles_told
from tasks.datasets.errors import ImageError
from tasks.datasets.images import content_of, open_image
from tasks.datasets.pages import Packed, page_templates, webp_uri
from tasks.store import atomic_path

_TEMPLATES = Path(__file__).parent
_WIDTH, _QUALITY = 360, 75  # of thumbnails: about 15 kB each
_INDICES = 64  # an image of one channel without larger values holds class indices, and would look black


def write_page(path: Path, checks: Sequence[Check], sets: Mapping[str, CheckedSet], title: str) -> None:
    """Write the outcome of all checks as one page, what did not pass first.

    Args:
        path: the HTML file, written atomically.
        checks: as ``run_checks`` gave them.
        sets: what was checked, by role.
        title: the page's, for people.
    """
    templates = page_templates(_TEMPLATES)
    templates.filters |= {"measured": _measured, "allowed": _allowed, "say": say, "label": _label, "roles": _roles}
    templates.globals |= {"t": t, "language": spoken()}
    failed = _failed(checks)
    page = templates.get_template("checks.html.j2").render(
        title=title,
        failed=failed,
        passed=[c for c in checks if c.passed and not c.nothing],
        nothing=[c for c in checks if c.nothing],
        counts={s: sum(c.severity == s for c in failed) for s in ("error", "warning")},
        sets=sets,
        thumbnail=functools.cache(_thumbnail),
        max_listed=MAX_LISTED,
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _thumbnail(path: Path) -> Packed:
    try:
        image = _visible(open_image(content_of(path), path))
    except ImageError as error:
        why = Finding.of("data.of_file", file=path.name, why=error.finding.below(path.parent))
        return Packed(None, missing=t("checks.no_picture", why=why))
    image.thumbnail((_WIDTH, _WIDTH))
    return Packed(webp_uri(image, _QUALITY), *image.size)


def _visible(image: Image.Image) -> Image.Image:
    """The image as RGB; class indices in colours that tell neighbours apart."""
    pixels = np.asarray(image)
    if image.mode == "P" or pixels.ndim == 3 or pixels.max(initial=0) >= _INDICES:
        return image.convert("RGB")
    spread = (pixels.astype(np.uint16) * 67 % 256).astype(np.uint8)
    return Image.fromarray(cv2.applyColorMap(spread, cv2.COLORMAP_TURBO)[..., ::-1])


def print_checks(checks: Sequence[Check], console: Console | None = None) -> None:
    """Print what did not pass, errors first, and how many checks passed."""
    console = console or Console()
    failed = _failed(checks)
    if failed:
        table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
        table.add_column()
        table.add_column(overflow="fold")  # Korean is cut elsewhere
        for check in failed:
            style = "red" if check.severity == "error" else "yellow"
            head = f"[bold]{_roles(check)}, {_label(check)}[/bold] [dim]{_measured(check)}[/dim]"
            severity = t(f"words.severity_{check.severity}")
            table.add_row(f"[{style}]{severity}[/{style}]", f"{head}\n{escape(say(check.finding))}")
        console.print(table)
    nothing = sum(c.nothing for c in checks)
    console.print(t("checks.passed_of", passed=len(checks) - nothing - len(failed), n=len(checks) - nothing))
    if nothing:
        console.print(t("checks.nothing", n=nothing))


def _failed(checks: Sequence[Check]) -> list[Check]:
    """What did not pass, errors first."""
    return sorted((c for c in checks if not c.passed), key=lambda c: c.severity)


def _label(check: Check) -> str:
    return t(f"words.check_{check.name}")


def _roles(check: Check) -> str:
    return say(roles_told(check.roles))


def _measured(check: Check) -> str:
    return _quantity(check, check.measured)


def _allowed(check: Check) -> str:
    if not check.threshold:
        return t("checks.none")
    limit = "checks.at_least" if check.name in LEAST else "checks.at_most"
    return t(limit, quantity=_quantity(check, check.threshold))


def _quantity(check: Check, value: float) -> str:
    match check.unit:
        case "share":
            return share(value)
        case "count":
            return f"{value:,.0f}"
    return t("checks.times", times=value)
