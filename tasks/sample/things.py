"""How each kind of thing is built of surfaces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tasks.sample.scene import Kind, Thing
from tasks.sample.shapes import Body, Points, Surface, disc, inset, quad, tapered, upright

Add = Callable[..., None]  # (points, material, shade=1.0, label=None)
_DETAILED = 60.0  # metres: farther buildings show no windows


def surfaces_of(thing: Thing, owner: int, camera: float) -> list[Surface]:
    """The surfaces of a thing in painting order.

    Args:
        thing: what to build.
        owner: its position in the scene.
        camera: the camera's height in metres: what lies higher is not seen from above.
    """
    surfaces: list[Surface] = []

    def add(points: Points, material: str, shade: float = 1.0, label: str | None = None) -> None:
        surfaces.append(Surface(points, label or LABELS[thing.kind], material, shade, owner))

    _BUILDERS[thing.kind](thing, add, np.random.default_rng(thing.style), camera)
    return surfaces


def _building(t: Thing, add: Add, rng: np.random.Generator, camera: float) -> None:
    far = t.x + t.side * t.width
    z1, z2, h = t.z, t.z + t.length, t.height
    add(quad((t.x, 0, z1), (far, 0, z1), (far, h, z1), (t.x, h, z1)), "wall", 0.72)
    add(quad((t.x, 0, z1), (t.x, 0, z2), (t.x, h, z2), (t.x, h, z1)), "wall", 1.0)
    add(quad((t.x, 0, z1), (t.x, 0, z2), (t.x, 2.9, z2), (t.x, 2.9, z1)), "shop", 0.9)
    add(quad((t.x, h - 0.5, z1), (t.x, h - 0.5, z2), (t.x, h, z2), (t.x, h, z1)), "roof", 0.9)
    if z1 > _DETAILED:
        return
    step = float(rng.uniform(2.2, 3.2))
    for y in np.arange(3.7, h - 2.0, 3.0):
        for z in np.arange(z1 + 0.8, z2 - 1.4, step):
            add(quad((t.x, y, z), (t.x, y, z + 1.3), (t.x, y + 1.6, z + 1.3), (t.x, y + 1.6, z)), "window")
        for x in np.arange(t.x + t.side * 1.5, far - t.side, t.side * step):
            add(upright(x, z1, 1.3, y, y + 1.6), "window", 0.8)
    for z in np.arange(z1 + 0.7, z2 - 2.6, 3.4):
        add(quad((t.x, 0.4, z), (t.x, 0.4, z + 2.4), (t.x, 2.4, z + 2.4), (t.x, 2.4, z)), "window", 0.8)


def _tree(t: Thing, add: Add, rng: np.random.Generator, camera: float) -> None:
    crown, count = t.width / 2, 14
    add(upright(t.x, t.z, 0.3, 0, t.height - crown), "trunk")
    turn, reach = rng.uniform(0, 2 * np.pi, count), crown * 0.62 * np.sqrt(rng.random(count))
    x, y = t.x + reach * np.cos(turn), t.height - crown + reach * np.sin(turn)
    radius, rough = crown * rng.uniform(0.38, 0.55, count), rng.normal(0, crown * 0.05, (count, 9, 3)) * (1, 1, 0)
    for n in range(count):
        shade = 0.72 + 0.02 * n + 0.1 * np.sin(turn[n])
        add(disc(x[n], y[n], t.z, radius[n], 9) + rough[n], "leaves", shade)


def _hedge(t: Thing, add: Add, rng: np.random.Generator, camera: float) -> None:
    z1, z2, h, far = t.z, t.z + t.length, t.height, t.x + t.side * 8
    add(quad((t.x, 0, z1), (far, 0, z1), (far, h, z1), (t.x, h, z1)), "leaves", 0.75)
    z = np.linspace(z1, z2, 9)
    top = h + rng.normal(0, 0.12, 9)
    upper = np.stack([np.full(9, t.x), top, z], axis=1)
    add(np.concatenate([quad((t.x, 0, z2), (t.x, 0, z1)), upper]), "leaves", 0.95)


def _lamp(t: Thing, add: Add, rng: np.random.Generator, camera: float) -> None:
    reach = -t.side * 1.8
    add(upright(t.x, t.z, t.width, 0, t.height), "metal")
    add(quad((t.x, t.height - 0.15, t.z), (t.x + reach, t.height, t.z), (t.x + reach, t.height + 0.14, t.z),
             (t.x, t.height, t.z)), "metal")  # fmt: skip
    add(upright(t.x + reach, t.z, 0.7, t.height - 0.12, t.height + 0.14), "metal", 0.8)


def _sign(t: Thing, add: Add, rng: np.random.Generator, camera: float) -> None:
    add(upright(t.x, t.z, 0.18, 0, t.height), "metal", 1.0, "pole")
    r, y, z = t.width / 2, t.height, t.z - 0.02
    shape = int(rng.integers(3))
    if shape == 0:
        plate, inner, material = disc(t.x, y, z, r), disc(t.x, y, z, r * 0.68), "sign red"
    elif shape == 1:
        plate = quad((t.x - r, y - r * 0.8, z), (t.x + r, y - r * 0.8, z), (t.x, y + r, z))
        inner, material = inset(plate, 0.6, 0.6, -0.03), "sign red"
    else:
        plate = upright(t.x, z, 2 * r, y - r, y + r)
        inner, material = inset(plate, 0.5, 0.5), "sign blue"
    add(plate, material)
    add(inner, "sign white")


def _light(t: Thing, add: Add, rng: np.random.Generator, camera: float) -> None:
    add(upright(t.x, t.z, 0.2, 0, t.height), "metal", 1.0, "pole")
    z = t.z - 0.02
    add(upright(t.x, z, t.width, t.height - 1.3, t.height + 0.7), "light box")
    lit = int(rng.integers(3))
    for n, name in enumerate(("light green", "light amber", "light red")):
        lens = disc(t.x, t.height - 0.95 + 0.64 * n, z, 0.25, 8)
        add(lens, name if n == lit else "light off")


def _wheels(t: Thing, add: Add, radius: float) -> None:
    a, b = t.x - t.width / 2, t.x + t.width / 2
    for x in (a + 0.18, b - 0.18):
        add(upright(x, t.z + 0.05, 0.26, 0, radius * 2), "tyre")
    x = a if a > 0 else b
    if a > 0 or b < 0:
        for z in (t.z + radius * 2.4, t.z + t.length - radius * 2.4):
            add(disc(x, radius, z, radius, along="z"), "tyre")
            add(disc(x, radius, z, radius * 0.5, 8, along="z"), "rim")


def _body(t: Thing, add: Add, camera: float, lower: Body, upper: Body, material: str) -> dict[str, Points]:
    """Add the faces of a tapered body; returns them. ``lower`` and ``upper`` are relative to the thing's place."""
    (a, b, c, d, y), (e, f, g, h, top) = lower, upper
    faces = tapered((t.x + a, t.x + b, t.z + c, t.z + d, y), (t.x + e, t.x + f, t.z + g, t.z + h, top), camera)
    for face, shade in (("side", 0.85), ("top", 1.15), ("near", 1.0)):
        if face in faces:
            add(faces[face], material, shade)
    return faces


def _lamps(t: Thing, add: Add, y: float) -> None:
    material = "headlight" if t.toward else "tail light"
    for x in (t.x - t.width / 2 + 0.25, t.x + t.width / 2 - 0.25):
        add(upright(x, t.z - 0.01, 0.4, y, y + 0.2), material)
    add(upright(t.x, t.z - 0.01, 0.5, y - 0.22, y - 0.08), "plate")


def _car(t: Thing, add: Add, rng: np.random.Generator, camera: float) -> None:
    w, length, h = t.width / 2, t.length, t.height
    waist = 0.55 * h if t.kind == "car" else 0.48 * h
    front, rear = (1.3, 0.5) if t.kind == "car" else (0.9, 0.05)
    near, far = (front, rear) if t.toward else (rear, front)
    _body(t, add, camera, (-w, w, 0, length, 0.25), (-w, w, 0.08, length - 0.08, waist), "paint")
    cabin = (-w + 0.06, w - 0.06, near * 0.6, length - far * 0.6, waist)
    roof = (-w + 0.26, w - 0.26, near + 0.35, length - far - 0.35, h)
    faces = _body(t, add, camera, cabin, roof, "paint")
    for face in (f for f in ("side", "near") if f in faces):
        add(inset(faces[face], 0.86, 0.72), "glass")
    _wheels(t, add, 0.33)
    _lamps(t, add, 0.62)


def _truck(t: Thing, add: Add, rng: np.random.Generator, camera: float) -> None:
    w, length, cab = t.width / 2, t.length, 2.0
    _wheels(t, add, 0.5)
    box, head = ((cab + 0.2, length), (0.0, cab)) if t.toward else ((0.0, length - cab - 0.2), (length - cab, length))

    def cargo() -> None:
        lower, upper = (-w, w, *box, 0.8), (-w, w, *box, t.height)
        faces = _body(t, add, camera, lower, upper, "cargo")
        if not t.toward:
            add(inset(faces["near"], 0.02, 0.96), "tyre")  # the gap between the doors

    def driver() -> None:
        lower, upper = (-w + 0.1, w - 0.1, *head, 0.45), (-w + 0.15, w - 0.15, *head, 2.7)
        faces = _body(t, add, camera, lower, upper, "cab")
        for face in (f for f in ("side", "near") if f in faces):
            add(inset(faces[face], 0.8, 0.3, 0.22), "glass")

    for part in (cargo, driver) if t.toward else (driver, cargo):
        part()
    add(upright(t.x, t.z - 0.01, t.width, 0.45, 0.85), "tyre")
    _lamps(t, add, 0.8)


def _bus(t: Thing, add: Add, rng: np.random.Generator, camera: float) -> None:
    w, length, h = t.width / 2, t.length, t.height
    faces = _body(t, add, camera, (-w, w, 0, length, 0.3), (-w, w, 0, length, h), "bus")
    if "side" in faces:
        x = float(faces["side"][0, 0])
        for z in np.arange(t.z + 0.4, t.z + length - 1.4, 1.5):
            add(quad((x, 1.4, z), (x, 1.4, z + 1.3), (x, 2.6, z + 1.3), (x, 2.6, z)), "glass")
        add(quad((x, 0.75, t.z), (x, 0.75, t.z + length), (x, 1.05, t.z + length), (x, 1.05, t.z)), "stripe", 0.9)
    add(inset(faces["near"], 0.9, 0.42 if t.toward else 0.3, 0.08 if t.toward else 0.16), "glass")
    add(inset(faces["near"], 0.6, 0.08, 0.41), "stripe")
    _wheels(t, add, 0.48)
    _lamps(t, add, 0.75)


def _person(t: Thing, add: Add, rng: np.random.Generator, camera: float) -> None:
    h, z, stride = t.height, t.z, float(rng.uniform(0.02, 0.32))
    for foot in (-stride, stride):
        hip = 0.07 * np.sign(foot)
        add(quad((t.x + foot - 0.08, 0, z), (t.x + foot + 0.1, 0, z), (t.x + hip + 0.1, h * 0.52, z),
                 (t.x + hip - 0.1, h * 0.52, z)), "trousers", 0.9 if foot < 0 else 1.0)  # fmt: skip
    for hand in (-1, 1):
        swing = hand * (0.24 + stride * 0.4)
        palm, shoulder = t.x + swing, t.x + hand * 0.2
        add(quad((palm - 0.06, h * 0.45, z), (palm + 0.06, h * 0.45, z), (shoulder + 0.07, h * 0.8, z),
                 (shoulder - 0.07, h * 0.8, z)), "coat", 0.8)  # fmt: skip
    add(quad((t.x - 0.17, h * 0.47, z), (t.x + 0.17, h * 0.47, z), (t.x + 0.25, h * 0.78, z),
             (t.x + 0.1, h * 0.85, z), (t.x - 0.1, h * 0.85, z), (t.x - 0.25, h * 0.78, z)), "coat")  # fmt: skip
    add(disc(t.x, h * 0.925, z, h * 0.075, 10), "skin")
    add(disc(t.x, h * 0.955, z, h * 0.06, 10), "hair")


_BUILDERS: dict[Kind, Callable[[Thing, Add, np.random.Generator, float], None]] = {
    "building": _building,
    "tree": _tree,
    "hedge": _hedge,
    "lamp": _lamp,
    "sign": _sign,
    "light": _light,
    "car": _car,
    "van": _car,
    "truck": _truck,
    "bus": _bus,
    "person": _person,
}
LABELS: dict[Kind, str] = {
    "building": "building",
    "tree": "vegetation",
    "hedge": "vegetation",
    "lamp": "pole",
    "sign": "traffic sign",
    "light": "traffic light",
    "car": "car",
    "van": "car",
    "truck": "truck",
    "bus": "bus",
    "person": "person",
}
