"""The surfaces that things are made of: flat polygons in the world, in the order in which they are painted."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.sample.scene import Scene, Thing

Points = NDArray[np.float64]  # [N, 3] of x, y, z in metres
Body = tuple[float, float, float, float, float]  # the bottom or the roof of a body: x1, x2, z1, z2, y


@dataclass(frozen=True, slots=True)
class Surface:
    """A flat polygon.

    Attributes:
        label: the Cityscapes name of what it belongs to.
        material: what it is made of: a key of the looks' palettes.
        shade: how bright it is for its orientation, 1 is full light.
        owner: position of its thing in the scene, -1 for the ground.
    """

    points: Points
    label: str
    material: str
    shade: float
    owner: int


def quad(*corners: tuple[float, float, float]) -> Points:
    """A polygon of these corners."""
    return np.array(corners, np.float64)


def inset(points: Points, share_x: float, share_y: float, up: float = 0.0) -> Points:
    """The polygon shrunk to these shares of its width (x and z) and height, moved up by a share of its height."""
    middle = points.sum(axis=0) / len(points)
    height = float(points[:, 1].max() - points[:, 1].min())
    shrunk: Points = middle + (points - middle) * (share_x, share_y, share_x) + (0, up * height, 0)
    return shrunk


def disc(x: float, y: float, z: float, radius: float, count: int = 12, *, along: str = "x") -> Points:
    """A round plate that faces the camera (``along`` x) or the road (``along`` z)."""
    return _circle(count, along) * radius + (x, y, z)


@functools.cache
def _circle(count: int, along: str) -> Points:
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    flat = np.stack([np.cos(turn), np.sin(turn), np.zeros(count)], axis=1)
    return flat if along == "x" else flat[:, ::-1]


def upright(x: float, z: float, width: float, bottom: float, top: float) -> Points:
    """A vertical rectangle that faces the camera."""
    a, b = x - width / 2, x + width / 2
    return quad((a, bottom, z), (b, bottom, z), (b, top, z), (a, top, z))


def tapered(lower: Body, upper: Body, camera: float) -> dict[str, Points]:
    """The faces of a body that a camera at x = 0 and height ``camera`` sees.

    Args:
        lower, upper: its bottom and its roof.
        camera: the camera's height in metres.

    Returns:
        ``side`` and ``top`` where they can be seen, and ``near``.
    """
    (a, b, c, d, y), (e, f, g, h, t) = lower, upper
    faces = {}
    if a > 0 or b < 0:
        p, q = (a, e) if a > 0 else (b, f)
        faces["side"] = quad((p, y, c), (p, y, d), (q, t, h), (q, t, g))
    if t < camera:
        faces["top"] = quad((e, t, g), (f, t, g), (f, t, h), (e, t, h))
    faces["near"] = quad((a, y, c), (b, y, c), (f, t, g), (e, t, g))
    return faces


def ground(scene: Scene) -> list[Surface]:
    """The road with its markings, between its curbs; the rest of the ground is sidewalk."""
    left, right = scene.road
    surfaces = [_on_ground(left - 0.25, left, "sidewalk", "curb"), _on_ground(right, right + 0.25, "sidewalk", "curb")]
    surfaces.append(_on_ground(left, right, "road", "asphalt"))
    for a, b in zip(scene.lanes, scene.lanes[1:], strict=False):
        middle = (a + b) / 2
        if a < -1 <= b:  # the line between the two directions
            surfaces.append(_on_ground(middle - 0.08, middle + 0.08, "road", "marking"))
            continue
        for z in np.arange(1.5 - scene.driven % 6, 60, 6.0):
            surfaces.append(_on_ground(middle - 0.08, middle + 0.08, "road", "marking", z, z + 3))
    if scene.crosswalk is not None:
        z = scene.crosswalk
        for x in np.arange(left + 0.4, right - 0.4, 1.1):
            surfaces.append(_on_ground(x, x + 0.55, "road", "marking", z, z + 3))
        surfaces.append(_on_ground(-1.6, right - 0.4, "road", "marking", z - 1.6, z - 1.2))
    return surfaces


def _on_ground(x1: float, x2: float, label: str, material: str, z1: float = 0.8, z2: float = 160.0) -> Surface:
    z = np.geomspace(z1, z2, 24) if z2 - z1 > 10 else np.array([z1, z2])
    zero = np.zeros_like(z)
    near, far = np.stack([zero + x1, zero, z], axis=1), np.stack([zero + x2, zero, z], axis=1)
    return Surface(np.concatenate([near, far[::-1]]), label, material, 1.0, -1)


def shadow(thing: Thing, sun: float) -> Points | None:
    """Where a thing keeps light from the ground around it, as a polygon on the ground."""
    if thing.kind in ("building", "hedge", "lamp", "sign", "light"):
        return None
    reach = -sun * min(thing.height, 3.0)
    a, b = thing.x - thing.width / 2, thing.x + thing.width / 2
    a, b = min(a, a + reach) - 0.1, max(b, b + reach) + 0.1
    c, d = thing.z - 0.25, thing.z + max(thing.length, 0.5) + 0.3
    return quad((a, 0, c), (b, 0, c), (b, 0, d), (a, 0, d))
