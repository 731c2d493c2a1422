"""Showing overviews: as one HTML file (styles and pictures inside, no script, nothing fetched), and at the terminal."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tasks.catalogue import known, spoken, t
from tasks.contracts import DatasetCounts
from tasks.datasets.overview.drawing import BOX_COLORS
from tasks.datasets.overview.numbers import BoxCount, ClassCount, Overview, State, class_divergence
from tasks.datasets.pages import page_templates, webp_uri
from tasks.datasets.priors import heat_map, heat_position
from tasks.store import atomic_path

log = logging.getLogger(__name__)

MAX_BYTES = 8_000_000  # what mail and chat still take as an attachment
_SHRINK, _SMALLEST = 0.75, 160
_TICKS = (0.0, 0.01, 0.1, 0.25, 0.5, 1.0)
_BOX_HEADS = ("objects", "per_image", "by_size", "median")
_LISTED = 3  # splits or image sizes that are named


def write_overview(path: Path, overviews: Sequence[Overview], title: str) -> None:
    """Write the overviews of some sets as one page, the sets side by side.

    Args:
        path: the HTML file, written atomically.
        overviews: the sets, at least one; classes of the same name are one class.
        title: the page's, for people.
    """
    width = max((p.image.shape[1] for o in overviews for p in o.pictures if p.image is not None), default=_SMALLEST)
    page = _render(overviews, title, width)
    while len(page.encode()) > MAX_BYTES and width > _SMALLEST:
        log.info("the page has %.1f MB: pictures are made smaller", len(page.encode()) / 1e6)
        width = max(_SMALLEST, int(width * _SHRINK))
        page = _render(overviews, title, width)
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _render(overviews: Sequence[Overview], title: str, width: int) -> str:
    templates = page_templates(Path(__file__).parent)
    templates.filters |= {"percent": percent, "role": role_label}
    templates.globals["t"] = t
    template = templates.get_template("overview.html.j2")
    return template.render(
        title=title,
        language=spoken(),
        drawn=", ".join(
            t("overview.drawn", role=role_label(o.role), n=o.prior_images, masked=o.masked) for o in overviews
        ),
        sets=overviews,
        facts=list(_facts(overviews)),
        classes=[(one, counts) for one, counts, _ in _by_class(overviews)],
        largest_share=max((c.share for o in overviews for c in o.classes), default=0.0),
        detection=list(_by_detection(overviews)),
        box_colors=BOX_COLORS,
        heats=list(_heats(overviews)),
        heat_scale=_uri(heat_map(np.linspace(0, 1, 256, dtype=np.float32)[None] ** 3), lossless=True),
        ticks=[(100 * float(heat_position(t)), f"{100 * t:g} %") for t in _TICKS],
        divergences=list(_divergences(overviews)),
        pack=lambda image: _uri(_scaled(image, width)),
    )


def percent(share: float | None) -> str:
    """A share, 0 to 1, in percent: ``37.2 %``, ``0.31 %``; ``-`` where there is none."""
    if share is None:
        return "-"
    if 0 < share < 0.0001:
        return "<0.01 %"
    return f"{100 * share:.{1 if share >= 0.01 or not share else 2}f} %"


def _facts(overviews: Sequence[Overview]) -> Iterator[tuple[str, list[str]]]:
    """What is told of each set: its name, and its text for every set."""

    def row(name: str, texts: Iterator[str]) -> tuple[str, list[str]]:
        return name, list(texts)

    yield row(t("overview.images"), (f"{o.images:,}" for o in overviews))
    if any(o.counts is not None for o in overviews):
        yield row(t("overview.images_found"), (_sum_of_images(o.counts) for o in overviews))
    yield row(t("overview.split"), (_list(o.splits) for o in overviews))
    yield row(
        t("overview.sequences"), (f"{o.sequences:,}" if o.sequences else t("overview.not_known") for o in overviews)
    )
    yield row(t("overview.size"), (_list({f"{w}×{h}": n for (w, h), n in o.sizes.items()}) for o in overviews))
    yield row(t("overview.with_masks"), (f"{o.masked:,}" for o in overviews))
    yield row(
        t("overview.with_boxes"),
        (f"{o.boxed:,}" + (t("overview.empty", n=o.empty) if o.empty else "") for o in overviews),
    )
    yield row(
        t("overview.boxes"),
        (f"{o.objects:,}" + (t("overview.and_crowds", n=o.crowds) if o.crowds else "") for o in overviews),
    )
    if any(o.counts is not None for o in overviews):
        yield row(t("overview.boxes_listed"), (_sum_of_boxes(o.counts) for o in overviews))
    yield row(t("overview.boxes_are"), (t(f"overview.from_{o.boxes_from or 'none'}") for o in overviews))
    if any(o.unlabelled for o in overviews):
        yield row(t("overview.unlabelled"), (f"{o.unlabelled:,}" for o in overviews))


def _sum_of_images(counts: DatasetCounts | None) -> str:
    """``4 = 3 read + 1 rejected``, and those left out on purpose; it adds up, or the reader is wrong."""
    if counts is None:
        return "-"
    c = counts.images
    out = t("overview.images_out", n=c.out) if c.out else ""
    return t("overview.images_sum", found=c.found, read=c.read, rejected=c.rejected, out=out)


def _sum_of_boxes(counts: DatasetCounts | None) -> str:
    """What became of the boxes of the images that were read."""
    if counts is None or counts.boxes is None:
        return "-"
    c = counts.boxes
    more = {"other": c.other, "hidden": c.hidden, "merged": c.merged, "out": c.out}
    rest = "".join(t(f"overview.boxes_{what}", n=n) for what, n in more.items() if n)
    return t("overview.boxes_sum", listed=c.listed, kept=c.kept, rejected=c.rejected, rest=rest)


def _list(counts: dict[str, int]) -> str:
    """``train``; ``train (20), val (3) and 2 more`` where there are several."""
    if len(counts) < 2:
        return next(iter(counts), "-")
    more = t("overview.and_more", n=len(counts) - _LISTED) if len(counts) > _LISTED else ""
    return ", ".join(f"{name} ({n:,})" for name, n in itertools.islice(counts.items(), _LISTED)) + more


def _by_class(overviews: Sequence[Overview]) -> Iterator[tuple[ClassCount, list[ClassCount | None], list[int | None]]]:
    """Every class of any set: itself, its count in every set, and its position there."""
    positions = [{c.name: i for i, c in enumerate(o.classes)} for o in overviews]
    for name, one in {c.name: c for o in overviews for c in o.classes}.items():
        at = [p.get(name) for p in positions]
        yield one, [o.classes[i] if i is not None else None for o, i in zip(overviews, at, strict=True)], at


def _by_detection(overviews: Sequence[Overview]) -> Iterator[tuple[str, list[BoxCount | None]]]:
    """Every detection class of any set: its name, and its count in every set."""
    found = [{c.name: c for c in o.detection} for o in overviews]
    for name in dict.fromkeys(c.name for o in overviews for c in o.detection):
        yield name, [f.get(name) for f in found]


@dataclass(frozen=True, slots=True)
class _Heat:
    """A class's heat map as a data URI for every set, and why it has none; ``color`` is None for ignored pixels."""

    name: str
    color: tuple[int, int, int] | None
    maps: list[tuple[str, str]]

    @property
    def shown(self) -> bool:
        return any(uri for uri, _ in self.maps)


def _heats(overviews: Sequence[Overview]) -> Iterator[_Heat]:
    """The spatial priors of every class of any set, then of the ignored pixels."""
    for one, counts, at in _by_class(overviews):
        found = zip(overviews, counts, at, strict=True)
        yield _Heat(
            one.name,
            one.color,
            [
                _map(o.priors[i], c) if o.priors is not None and c and i is not None else ("", t("overview.no_masks"))
                for o, c, i in found
            ],
        )
    if any(o.ignored and o.priors is not None for o in overviews):
        yield _Heat(
            t("overview.ignored"),
            None,
            [_map(_ignored(o.priors)) if o.priors is not None else ("", t("overview.no_masks")) for o in overviews],
        )


def _map(shares: NDArray[np.float32], count: ClassCount | None = None) -> tuple[str, str]:
    if shares.any():
        return _uri(heat_map(shares), lossless=True), ""
    if count is None:
        return "", t("overview.none_ignored")
    return "", _state(count.state) or t("overview.not_drawn")


def _ignored(priors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The spatial prior of the ignored pixels; rounding may leave a little where there are none."""
    rest = 1 - priors.sum(axis=0)
    return np.where(rest > 1e-4, rest, 0).astype(np.float32)


def _divergences(overviews: Sequence[Overview]) -> Iterator[tuple[str, float]]:
    for a, b in itertools.combinations(overviews, 2):
        if (value := class_divergence(a, b)) is not None:
            yield t("overview.between", a=role_label(a.role), b=role_label(b.role)), value


def _scaled(image: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    size = (width, max(1, round(image.shape[0] * width / image.shape[1])))
    return np.asarray(Image.fromarray(image).resize(size)) if image.shape[1] > width else image


def _uri(image: NDArray[np.uint8], lossless: bool = False) -> str:
    return webp_uri(Image.fromarray(image), 82, lossless)


def print_overview(overviews: Sequence[Overview], console: Console | None = None) -> None:
    """Print the numbers of some sets, side by side."""
    console = console or Console()
    heads = [f"{escape(role_label(o.role))}\n[dim]{escape(o.dataset)}[/dim]" for o in overviews]
    facts, classes = _table(t("overview.sets"), heads), _table(t("overview.classes_title"), heads)
    for fact, texts in _facts(overviews):
        facts.add_row(fact, *map(escape, texts))
    for one, counts, _ in _by_class(overviews):
        classes.add_row(escape(one.name), *(_class_text(c) for c in counts))
    classes.add_row(
        f"[dim]{t('overview.ignored')}, {t('overview.of_pixels')}[/dim]",
        *(f"{percent(o.ignored)} [dim]{'':6}[/dim]" for o in overviews),
    )
    boxes = _table(t("overview.boxes"), ["", *(t(f"overview.{head}") for head in _BOX_HEADS)])
    for name, found in _by_detection(overviews):
        for o, count in zip(overviews, found, strict=True):
            boxes.add_row(escape(name) if o is overviews[0] else "", escape(role_label(o.role)), *_box_texts(count))
    for table in (facts, classes, boxes):
        console.print(table)
    for between, value in _divergences(overviews):
        console.print(t("overview.divergence", between=escape(between), value=value), soft_wrap=True)
    for problem in (p for o in overviews for p in o.problems):
        console.print(problem, style="yellow", markup=False, soft_wrap=True)


def _table(title: str, heads: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    for head in heads:
        table.add_column(head, justify="right" if head else "left", no_wrap=not head, overflow="fold")
    return table


def _state(state: State) -> str:
    """Why a set does not show a class; nothing where it does."""
    return {"impossible": t("overview.no_label"), "absent": t("overview.absent"), "unlabelled": "-"}.get(state, "")


def role_label(role: str) -> str:
    """What a set is used as; another word than the configuration's roles stays."""
    key = f"words.role_{role}"
    return t(key) if known(key) else role


def _class_text(count: ClassCount | None) -> str:
    if count is None or count.state != "shown":
        return f"[dim]{_state(count.state) if count else '-'}[/dim]"
    return f"{percent(count.share)} [dim]{count.images:>6,}[/dim]"


def _box_texts(count: BoxCount | None) -> list[str]:
    if count is None or count.state != "shown":
        return [f"[dim]{_state(count.state) if count else '-'}[/dim]"]
    median = f"{count.median[0]:.0f}×{count.median[1]:.0f}" if count.median else "-"
    objects = f"{count.objects:,}" + (t("overview.plus_crowds", n=count.crowds) if count.crowds else "")
    return [objects, f"{count.per_image:.2f}", " / ".join(f"{n:,}" for n in count.sizes), median]
