"""Which format a folder is of, by what the format's owner calls its folders."""

from __future__ import annotations

from pathlib import Path

# The first that fits; a plain folder fits always.
_MARKS = (
    ("cityscapes", "leftImg8bit"),
    ("morai", "SensorData"),
    ("shift", "discrete/images"),
    ("shift", "continuous/images"),
    ("virtual_kitti", "Scene01"),
    ("nuimages", "v1.0-train"),
    ("bdd100k", "images/100k"),
    ("bdd100k", "images/10k"),
    ("kitti", "training/image_2"),
    ("camvid", "701_StillsRaw_full"),
)


def format_of(root: Path) -> str:
    """The format's name as a configuration has it."""
    return next((name for name, mark in _MARKS if (root / mark).exists()), "folder")
