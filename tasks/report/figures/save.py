"""The figures as files: SVG with their style inside, and PNG by resvg, both in light colours on white."""

from __future__ import annotations

import functools
import logging
import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from tasks.catalogue import speaking, spoken
from tasks.charts import Figure, is_wide
from tasks.report.figures.page import of_audit, of_task, of_translators
from tasks.report.model import Report

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parents[1] / "templates"
ZOOM = 2.0
_MOST_PIXELS = 40_000_000  # of a PNG; one with very many rows is drawn smaller
_FONTS = '"DejaVu Sans", "Noto Sans", Arial, sans-serif'
_WIDE_FONTS = f'"Noto Sans CJK KR", "Noto Sans KR", "Malgun Gothic", "Apple SD Gothic Neo", NanumGothic, {_FONTS}'


def save_figures(report: Report, folder: Path) -> list[str]:
    """Write every figure as ``<kind>_<task or translator>.svg`` and ``.png`` in the report's language.

    One that cannot be drawn or written is left out, which the log says.

    Returns:
        The names of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[str] = []
    with speaking(report.language):
        style = stylesheet()
        for name, _, figure in _named(report):
            written += _written(figure, folder / name, style)
    return written


def audit_files(report: Report) -> list[tuple[str, str, str]]:
    """The files of the audits' figures, without their endings: name, translator and kind of figure."""
    audited = {part.name for part in report.audits}
    with speaking(report.language):
        return [(name, of, figure.kind) for name, of, figure in _named(report) if of in audited]


def _written(figure: Figure, path: Path, style: str) -> Iterable[str]:
    for ending, encode in _encoded(figure, style):
        try:
            path.with_name(f"{path.name}.{ending}").write_bytes(encode())
            yield f"{path.name}.{ending}"
        except Exception as error:  # noqa: BLE001 - whatever the library raises, it costs this file alone
            log.warning("figure %s.%s could not be written: %s: %s", path.name, ending, type(error).__name__, error)


def stylesheet() -> str:
    """``figures.css`` for a file of its own: colours of the light theme in place of variables, and fonts."""
    sheet = (TEMPLATES / "figures.css").read_text(encoding="utf-8")
    colours = _light((TEMPLATES / "style.css").read_text(encoding="utf-8")) | _light(sheet)
    rules = re.sub(r"/\*.*?\*/|@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}|:root[^{]*\{[^}]*\}", "", sheet, flags=re.DOTALL)
    rules = re.sub(r"var\((--[\w-]+)\)", lambda found: colours[found[1]], rules)
    fonts = _WIDE_FONTS if spoken() == "ko" else _FONTS
    return f".fig {{ font-family: {fonts}; }}\n.fig .wide {{ font-family: {_WIDE_FONTS}; }}\n{rules.strip()}\n"


def _light(sheet: str) -> dict[str, str]:
    """The variables of a sheet's first ``:root`` block, each with its colour in the light theme."""
    block = re.search(r":root\s*\{([^}]*)\}", sheet)
    pairs = re.findall(r"(--[\w-]+):\s*([^;]+);", block[1]) if block else []
    return {name: re.sub(r"light-dark\(([^,()]+),[^()]*\)", r"\1", value).strip() for name, value in pairs}


def _named(report: Report) -> Iterable[tuple[str, str, Figure]]:
    """Every figure with a name for its file that no other has, and whose it is."""
    best = {v.task: v.arm for v in report.verdicts}
    found: list[tuple[str, Figure]] = [
        (t.task, f) for t in report.tables for f in of_task(t, best.get(t.task), with_scores=True)
    ]
    found += [("translators", f) for f in (of_translators(report.glance) if report.glance else ())]
    found += [(a.name, f) for a in report.audits for f in of_audit(a)]
    taken: set[str] = set()
    for subject, figure in found:
        plain = f"{figure.kind}_{re.sub(r'[^A-Za-z0-9.-]+', '-', subject).strip('-.')[:80] or 'translator'}"
        name = next(n for i in range(1, len(taken) + 2) if (n := plain if i == 1 else f"{plain}-{i}") not in taken)
        taken.add(name)
        yield name, subject, figure


def _encoded(figure: Figure, style: str) -> Iterable[tuple[str, Callable[[], bytes]]]:
    """What to write, by ending."""
    drawing = figure.standalone(style)
    yield "svg", drawing.encode
    yield "png", lambda: png(drawing)


def png(drawing: str) -> bytes:
    """A drawing of this package as PNG on white, at twice its size."""
    import resvg_py

    size = re.search(r'<svg [^>]*width="([\d.]+)" height="([\d.]+)"', drawing)
    pixels = float(size[1]) * float(size[2]) if size else 1.0
    return resvg_py.svg_to_bytes(
        svg_string=drawing,
        background="#ffffff",
        zoom=min(ZOOM, math.sqrt(_MOST_PIXELS / pixels)),
        font_files=_font_files(),
        skip_system_fonts=not any(map(is_wide, drawing)),
    )


@functools.cache
def _font_files() -> list[str]:
    """DejaVu Sans as matplotlib brings it, so that there is text where no fonts are installed; Korean needs some."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return [str(folder / name) for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")]
