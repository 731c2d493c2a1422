"""What a result was made with: versions, machine, git commit."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

_PACKAGES = (
    "torch",
    "torchvision",
    "onedl-mmcv",
    "onedl-mmdetection",
    "onedl-mmsegmentation",
    "onedl-mmengine",
    "numpy",
    "scipy",
    "pillow",
    "opencv-python-headless",
    "pycocotools",
    "prefect",
)


@functools.cache
def describe_environment() -> dict[str, Any]:
    """Describe this process's surroundings as JSON-like values; no host or user name is among them."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "git": _git_commit(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git_commit() -> str | None:
    """The commit of the code, with ``+changes`` where the working tree differs from it; None outside a checkout."""
    here = Path(__file__).parent
    try:
        git = functools.partial(subprocess.run, cwd=here, capture_output=True, text=True, check=True, timeout=10)
        commit = git(["git", "rev-parse", "HEAD"]).stdout.strip()
        return commit + ("+changes" if git(["git", "status", "--porcelain"]).stdout.strip() else "")
    except (OSError, subprocess.SubprocessError):
        return None
