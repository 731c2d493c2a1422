"""What stands where in a street: drawn at random, in metres, before anybody looks at it.

Axes: x to the right and z forward from the camera, y up from the ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["building", "tree", "hedge", "lamp", "sign", "light", "car", "van", "truck", "bus", "person"]
VEHICLES: dict[Kind, tuple[float, float, float]] = {  # width, height, length
    "car": (1.85, 1.5, 4.3),
    "van": (1.95, 2.1, 4.9),
    "truck": (2.5, 3.4, 7.5),
    "bus": (2.6, 3.2, 11.0),
}
_LANE = 3.4
_FAR = 90.0


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that stands upright: its middle ``x``, its near end ``z``, and its size.

    ``side`` is -1 left and 1 right of the road; ``toward`` says whether a vehicle comes toward the camera; ``style``
    is a number that its colours and details are drawn from.
    """

    kind: Kind
    x: float
    z: float
    width: float
    height: float
    length: float
    side: int
    toward: bool
    style: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A street: where the camera is, the ground, and the things on it in painting order.

    First comes what lies behind the sidewalks, which never hides the street, then the street; each from far to near.
    """

    horizon: float  # the horizon's row, as a share of the image's height
    camera: float  # the camera's height
    curve: float  # the road's middle is at x = curve * z^2
    road: tuple[float, float]  # x of its edges
    lanes: tuple[float, ...]  # x of the middle of each lane; those left of the camera come toward it
    sidewalk: tuple[float, float]  # widths left and right
    crosswalk: float | None  # its near z
    sun: float  # direction of the light, -1 from the left to 1 from the right
    things: tuple[Thing, ...]
    backdrop: int  # how many of the things lie behind the sidewalks
    driven: float = 0.0  # metres since the drive began, which the lane marks' phase follows


def draw_scene(rng: np.random.Generator) -> Scene:
    """Draw a street."""
    ahead, oncoming = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    lanes = tuple(_LANE * n for n in range(-oncoming, ahead))
    road = (lanes[0] - _LANE / 2 - 0.4, lanes[-1] + _LANE / 2 + 0.4)
    sidewalk = (float(rng.uniform(2.2, 4.5)), float(rng.uniform(2.2, 4.5)))
    crosswalk = float(rng.uniform(9, 22)) if rng.random() < 0.6 else None
    backdrop, street = _skyline(rng), _traffic(rng, lanes, crosswalk) + _persons(rng, road, sidewalk, crosswalk)
    for side, curb, width in zip((-1, 1), road, sidewalk, strict=True):
        backdrop += _backdrop(rng, side, curb + side * width)
        street += _posts(rng, side, curb, crosswalk)
    return Scene(
        horizon=float(rng.uniform(0.38, 0.46)),
        camera=float(rng.uniform(1.5, 1.9)),
        curve=float(rng.uniform(-0.0016, 0.0016)),
        road=road,
        lanes=lanes,
        sidewalk=sidewalk,
        crosswalk=crosswalk,
        sun=float(rng.uniform(-1, 1)),
        things=tuple(sorted(backdrop, key=lambda t: -t.z) + sorted(street, key=lambda t: -t.z)),
        backdrop=len(backdrop),
    )


def _style(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 30))


def _backdrop(rng: np.random.Generator, side: int, edge: float) -> list[Thing]:
    """Buildings, or hedges with trees, behind the sidewalk's outer ``edge``."""
    things = []
    z = float(rng.uniform(4, 9))
    while z < _FAR:
        length = float(rng.uniform(9, 20))
        if rng.random() < 0.72:
            x, height = edge + side * float(rng.uniform(0, 1.5)), float(rng.uniform(5, 20))
            things.append(Thing("building", x, z, 12.0, height, length, side, False, _style(rng)))
        else:
            x, height = edge + side * 0.6, float(rng.uniform(1.0, 2.2))
            things.append(Thing("hedge", x, z, 1.2, height, length, side, False, _style(rng)))
            for at in np.arange(z + 2, z + length - 1, 4.5):
                x, height = edge + side * float(rng.uniform(2, 4)), float(rng.uniform(5, 9))
                things.append(Thing("tree", x, float(at), 4.5, height, 0.0, side, False, _style(rng)))
        z += length + float(rng.choice([0, 0, 4]))
    return things


def _posts(rng: np.random.Generator, side: int, curb: float, crosswalk: float | None) -> list[Thing]:
    """Lamps, trees, signs and traffic lights on the sidewalk."""
    things = []

    def add(kind: Kind, z: float, width: float, height: float, off: float = 0.5) -> None:
        things.append(Thing(kind, curb + side * off, float(z), width, height, 0.0, side, False, _style(rng)))

    for z in np.arange(rng.uniform(6, 16), _FAR * 0.7, rng.uniform(14, 22)):
        add("lamp", z, 0.26, float(rng.uniform(5, 6.5)))
    if rng.random() < 0.6:
        for z in np.arange(rng.uniform(7, 14), _FAR * 0.7, rng.uniform(7, 13)):
            add("tree", z, 3.4, float(rng.uniform(4.5, 6.5)), off=1.0)
    for z in rng.uniform(6, 40, int(rng.integers(1, 4))):
        add("sign", z, 1.25, float(rng.uniform(2.3, 3.0)))
    if crosswalk is not None:
        add("light", crosswalk - 0.6, 0.75, 3.3)
    return things


def _skyline(rng: np.random.Generator) -> list[Thing]:
    """What closes the street at its far end."""
    return [
        Thing(
            "building",
            float(x),
            float(rng.uniform(110, 140)),
            20.0,
            float(rng.uniform(6, 26)),
            8.0,
            1,
            False,
            _style(rng),
        )
        for x in np.arange(-90, 80, 14.0)
    ]


def _traffic(rng: np.random.Generator, lanes: tuple[float, ...], crosswalk: float | None) -> list[Thing]:
    """Vehicles in their lanes, one behind the other; the lane that the camera drives in stays free for 8 m."""
    things = []
    for x in lanes:
        z = float(rng.uniform(8, 16) if abs(x) < 1 else rng.uniform(4.5, 14))
        while z < _FAR * 0.6:
            kind = list(VEHICLES)[rng.choice(4, p=[0.4, 0.15, 0.22, 0.23])]
            width, height, length = VEHICLES[kind]
            if crosswalk is None or z > crosswalk + 4 or z + length < crosswalk:
                shift = float(rng.uniform(-0.3, 0.3))
                things.append(Thing(kind, x + shift, z, width, height, length, 0, x < -1, _style(rng)))
            z += length + float(rng.uniform(4, 24))
    return things


def _persons(
    rng: np.random.Generator, road: tuple[float, float], sidewalk: tuple[float, float], crosswalk: float | None
) -> list[Thing]:
    """Persons on the sidewalks, and some on the crosswalk."""
    things = []
    for _ in range(int(rng.integers(5, 12))):
        side = int(rng.choice([-1, 1]))
        n = 0 if side < 0 else 1
        x, z = road[n] + side * float(rng.uniform(0.6, sidewalk[n] - 0.3)), float(4.5 + 16 * rng.random() ** 1.3)
        if crosswalk is not None and rng.random() < 0.3:
            x, z = float(rng.uniform(*road)), crosswalk + float(rng.uniform(0.3, 2.5))
        things.append(Thing("person", x, z, 0.6, float(rng.uniform(1.6, 1.95)), 0.4, side, False, _style(rng)))
    return things
