"""What a camera sees of a scene: which surface, at which distance, in every pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.sample.scene import VEHICLES, Scene, Thing
from tasks.sample.shapes import Points, Surface, ground, shadow
from tasks.sample.things import surfaces_of

SUPER = 2  # surfaces are painted at so many times the image's size, and averaged
_FOCAL = 0.85  # focal length as a share of the image's width: 61 degrees of view
_NEAR = 0.7
_SHIFT = 4  # fractional bits of the painter's coordinates
_NOWHERE: Points = np.zeros((0, 3))


@dataclass(frozen=True, slots=True)
class View:
    """A painted scene, ``SUPER`` times as large as the image.

    Attributes:
        things: the scene's things, moved onto the road's curve.
        surfaces: everything that was painted; 0 is the sky, 1 the ground.
        index: int32 [H, W]: which surface a pixel shows.
        distance: float32 [H, W], metres.
        x: float32 [H, W]: metres to the right of the camera, for pixels of the ground.
        shadow: float32 [H, W], 0-1: how much of the sun's light is kept from the ground.
        horizon: row of the horizon.
    """

    things: tuple[Thing, ...]
    surfaces: tuple[Surface, ...]
    index: NDArray[np.int32]
    distance: NDArray[np.float32]
    x: NDArray[np.float32]
    shadow: NDArray[np.float32]
    horizon: int


class Camera:
    """A pinhole camera that looks along z from (0, height, 0)."""

    def __init__(self, scene: Scene, width: int, height: int) -> None:
        self.width, self.rows, self.height = width, height, scene.camera
        self.focal, self.horizon = _FOCAL * width, round(scene.horizon * height)

    def paint(self, target: NDArray[np.int32] | NDArray[np.uint8], polygons: list[Points], values: list[int]) -> None:
        """Fill the polygons one after the other."""
        points = np.concatenate(polygons)
        z = np.maximum(points[:, 2], _NEAR)
        u = self.width / 2 + self.focal * points[:, 0] / z
        v = self.horizon + self.focal * (self.height - points[:, 1]) / z
        pixels = np.clip(np.stack([u, v], axis=1), -8000, 8000)
        fixed = np.round(pixels * (1 << _SHIFT)).astype(np.int32)
        ends = np.cumsum([len(p) for p in polygons])[:-1]
        for polygon, value in zip(np.split(fixed, ends), values, strict=True):
            cv2.fillPoly(target, [polygon], value, cv2.LINE_8, _SHIFT)


def look_at(scene: Scene, width: int, height: int) -> View:
    """Paint a scene for an image of this size."""
    camera = Camera(scene, width * SUPER, height * SUPER)
    things = tuple(replace(t, x=t.x + scene.curve * (t.z + t.length / 2) ** 2) for t in scene.things)
    surfaces = [Surface(_NOWHERE, "sky", "sky", 1.0, -1), Surface(_NOWHERE, "sidewalk", "paving", 1.0, -1)]
    for s in ground(scene):
        surfaces.append(replace(s, points=s.points + scene.curve * s.points[:, 2:] ** 2 * (1, 0, 0)))
    for owner, thing in enumerate(things):
        surfaces += surfaces_of(thing, owner, scene.camera)
    index = np.zeros((camera.rows, camera.width), np.int32)
    index[camera.horizon :] = 1
    camera.paint(index, [s.points for s in surfaces[2:]], list(range(2, len(surfaces))))
    distance, x = _ground_plane(camera)
    upright = np.array([_middle(s) for s in surfaces], np.float32)[index]
    distance = np.where(np.isnan(upright), distance, upright)
    return View(things, tuple(surfaces), index, distance, x, _shadows(camera, things, scene.sun), camera.horizon)


def _middle(surface: Surface) -> float:
    """Distance of the middle of what stands upright, from two opposite corners; NaN for the ground and the sky."""
    points = surface.points
    return float(points[0, 2] + points[2, 2]) / 2 if surface.owner >= 0 else np.nan


def _ground_plane(camera: Camera) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Distance and x of the ground in every pixel; above the horizon it is as far as can be."""
    below = np.arange(camera.rows, dtype=np.float32)[:, None] - camera.horizon
    distance = np.where(below > 0, camera.focal * camera.height / np.maximum(below, 0.5), 1e4).astype(np.float32)
    x = (np.arange(camera.width, dtype=np.float32) - camera.width / 2) / camera.focal * distance
    return np.broadcast_to(distance, x.shape), x


def _shadows(camera: Camera, things: tuple[Thing, ...], sun: float) -> NDArray[np.float32]:
    dark = np.zeros((camera.rows, camera.width), np.uint8)
    polygons = [p for t in things if (p := shadow(t, sun)) is not None]
    if polygons:
        camera.paint(dark, polygons, [255] * len(polygons))
    return np.asarray(cv2.GaussianBlur(dark, (0, 0), 1.5), np.float32) / np.float32(255)


@dataclass(frozen=True, slots=True)
class Labels:
    """What every pixel of the image is.

    Attributes:
        names: the classes that ``classes`` counts.
        classes: uint8 [H, W], positions in ``names``.
        objects: uint16 [H, W]: 0, or 1 + the position in ``View.things`` of a vehicle or person.
    """

    names: tuple[str, ...]
    classes: NDArray[np.uint8]
    objects: NDArray[np.uint16]


def labels_of(view: View) -> Labels:
    """The labels of the image, taken from the middle of its pixels."""
    names = tuple(sorted({s.label for s in view.surfaces}))
    classes = np.array([names.index(s.label) for s in view.surfaces], np.uint8)
    counted = [s.owner >= 0 and view.things[s.owner].kind in (*VEHICLES, "person") for s in view.surfaces]
    objects = np.array([s.owner + 1 if c else 0 for s, c in zip(view.surfaces, counted, strict=True)], np.uint16)
    index = view.index[SUPER // 2 :: SUPER, SUPER // 2 :: SUPER]
    return Labels(names, classes[index], objects[index])
