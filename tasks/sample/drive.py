"""The same street some metres further on: the frames of a drive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tasks.sample.scene import VEHICLES, Scene, Thing

_NEAREST = 1.0  # metres before the camera; what comes nearer has been passed
_LINE = 1.6  # the stop line lies so far before the crosswalk


def advance(scene: Scene, metres: float) -> Scene:
    """The scene as the camera sees it after so many metres.

    Vehicles of the camera's own direction keep its speed, oncoming ones have it, too; everything else stands still.
    """
    behind, street = scene.things[: scene.backdrop], scene.things[scene.backdrop :]
    backdrop = _moved(behind, metres)
    crosswalk = None if scene.crosswalk is None else scene.crosswalk - metres
    return replace(
        scene,
        things=(*backdrop, *sorted(_moved(street, metres), key=lambda t: -t.z)),
        backdrop=len(backdrop),
        crosswalk=crosswalk if crosswalk is not None and crosswalk - _LINE > _NEAREST else None,
        driven=scene.driven + metres,
    )


def _moved(things: Iterable[Thing], metres: float) -> list[Thing]:
    moved = [replace(t, z=t.z - metres * _speed(t)) for t in things]
    return [t for t in moved if t.z + (0 if t.kind in VEHICLES else t.length) > _NEAREST]


def _speed(thing: Thing) -> float:
    """How fast it comes nearer, in the camera's own speed."""
    if thing.kind not in VEHICLES:
        return 1.0
    return 2.0 if thing.toward else 0.0
