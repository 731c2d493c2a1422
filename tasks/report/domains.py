"""The map of domains as a small SVG: every domain a path of its own, with its own colour and shape of markers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tasks.evaluate.audit.model import Domain, DomainMap

WIDTH, HEIGHT = 560.0, 360.0  # of the drawing area, in SVG units
_MARGIN = 12.0
_SIZE = 4.2  # half the width of a marker
_LABELS: dict[Domain, str] = {"real": "Real", "source": "Simulator", "translated": "Translated"}
MARKERS: dict[Domain, str] = {
    "real": "m-{s} 0a{s} {s} 0 1 0 {d} 0a{s} {s} 0 1 0 -{d} 0z",
    "source": "m-{q} -{q}h{e}v{e}h-{e}z",
    "translated": "m0 -{t}l{t} {u}h-{w}z",
}


@dataclass(frozen=True)
class Cloud:
    """A domain on the map: an SVG path of all of its points, and one marker for the legend."""

    domain: Domain
    label: str
    path: str
    marker: str
    points: int


def clouds(drawn: DomainMap) -> list[Cloud]:
    """Draw each domain on scales that all share; both axes have the same unit, so that distances can be compared."""
    if not drawn.points:
        return []
    xs, ys = [p.x for p in drawn.points], [p.y for p in drawn.points]
    spans = (max(xs) - min(xs) or 1.0, max(ys) - min(ys) or 1.0)
    scale = min((WIDTH - 2 * _MARGIN) / spans[0], (HEIGHT - 2 * _MARGIN) / spans[1])
    left, top = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    found = []
    for domain, label in _LABELS.items():
        places = [
            (WIDTH / 2 + (p.x - left) * scale, HEIGHT / 2 - (p.y - top) * scale)
            for p in drawn.points
            if p.domain == domain
        ]
        if places:
            found.append(Cloud(domain, label, _path(domain, places), _path(domain, [(7.0, 7.0)]), len(places)))
    return found


def _path(domain: Domain, places: Iterable[tuple[float, float]]) -> str:
    sizes = {"s": _SIZE, "d": 2 * _SIZE, "q": 0.88 * _SIZE, "e": 1.76 * _SIZE, "t": 1.2 * _SIZE}
    sizes |= {"u": 2.1 * _SIZE, "w": 2.4 * _SIZE}
    marker = MARKERS[domain].format(**{name: f"{size:.3g}" for name, size in sizes.items()})
    return "".join(f"M{x:.1f} {y:.1f}{marker}" for x, y in places)
