"""The map of domains, before and after translation, on the same axes."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from markupsafe import Markup

from tasks.catalogue import percent, t
from tasks.charts import LINE, WIDTH, Block, Figure, marker, number, rect, tag, text, title
from tasks.contracts import Domain, DomainMap, MapPoint
from tasks.report.figures.labels import legend
from tasks.report.model import AuditPart

_SPACE = 16.0
_SIDE = (WIDTH - _SPACE) / 2
_MARGIN = 14.0
_SHAPES: dict[Domain, int] = {"real": 0, "source": 1, "translated": 2}


def domains(part: AuditPart, name: str) -> Figure | None:
    """Every image as a marker by the features of a frozen network, real and source left, real and translated right.

    Both panels have the same axes, and both axes the same unit, so that distances can be compared. A large marker is
    its domain's mean.

    Args:
        part: of the audit. name: of the translated set.
    """
    drawn = part.audit.map
    if drawn is None or not drawn.points:
        return None
    place = _Places(drawn.points)
    counts = {domain: sum(p.domain == domain for p in drawn.points) for domain in _SHAPES}
    entries = [
        (f"d-{domain}", _SHAPES[domain], t(f"figures.{domain}", n=n, number=f"{n:,}"))
        for domain, n in counts.items()
        if n
    ]
    panels = [
        _panel(drawn, place, side, 0 if side == "source" else _SIDE + _SPACE) for side in ("source", "translated")
    ]
    body = Block(place.height + 1.5 * LINE, Markup("").join(panels))
    return Figure("domains", t("figures.domains", name=name), _note(drawn), (legend(entries), body, _axes(drawn)))


def _note(drawn: DomainMap) -> str:
    network = t("figures.segmenter") if drawn.features in ("seg", "segmenter") else drawn.features
    return t("figures.domains_note", features=network)


def _axes(drawn: DomainMap) -> Block:
    shares = [percent(share) for share in drawn.explained]
    words = [t("figures.across", share=shares[0]), t("figures.upwards", share=shares[1])]
    content = (text(0, LINE * (i + 0.75), w, "small") for i, w in enumerate(words))
    return Block(2.2 * LINE, Markup("").join(content))


class _Places:
    """Where points lie in a panel."""

    def __init__(self, points: Sequence[MapPoint]) -> None:
        xs, ys = [p.x for p in points], [p.y for p in points]
        spans = (max(xs) - min(xs) or 1.0, max(ys) - min(ys) or 1.0)
        inside = _SIDE - 2 * _MARGIN
        self.scale = min(inside / spans[0], 1.25 * inside / spans[1])
        self.height = max(self.scale * spans[1] + 2 * _MARGIN, 0.5 * _SIDE)
        self.left, self.top = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        return _SIDE / 2 + (x - self.left) * self.scale, self.height / 2 - (y - self.top) * self.scale


def _panel(drawn: DomainMap, place: _Places, side: Domain, x: float) -> Markup:
    """Real images first, so that the others lie on them; the means on top."""
    shown: tuple[Domain, ...] = ("real", side)
    parts = [text(0, LINE * 0.75, t(f"figures.with_{side}"), "panel")]
    clouds = [[p for p in drawn.points if p.domain == domain] for domain in shown]
    dots = [_dot(p, place) for cloud in clouds for p in cloud]
    means = [_mean(d, cloud, place) for d, cloud in zip(shown, clouds, strict=True) if cloud]
    frame = rect(0, 0, _SIDE, place.height, "frame")
    parts.append(tag("g", frame, *dots, *means, transform=f"translate(0 {number(LINE * 1.2)})"))
    return tag("g", *parts, transform=f"translate({number(x)} 0)", data_side=side)


def _dot(point: MapPoint, place: _Places) -> Markup:
    x, y = place(point.x, point.y)
    told = title(f"{t(f'figures.one_{point.domain}')}: {point.id}")
    return tag("g", told, marker("dot", _SHAPES[point.domain], x, y, 3.6), class_=f"cloud d-{point.domain}")


def _mean(domain: Domain, cloud: Sequence[MapPoint], place: _Places) -> Markup:
    x, y = place(fmean(p.x for p in cloud), fmean(p.y for p in cloud))
    told = title(t("figures.mean_of", domain=t(f"figures.one_{domain}")))
    return tag("g", told, marker("dot mean", _SHAPES[domain], x, y, 7.5), class_=f"d-{domain}")
