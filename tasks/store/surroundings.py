"""What of an artifact's surroundings its numbers can depend on. Comparisons say it, so it is in their key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BESIDE = {"prefect"}  # of the packages noted: it starts the work and computes nothing of it


def decisive(environment: Mapping[str, Any], device: str | None = None, precision: str | None = None) -> dict[str, str]:
    """What of an artifact's surroundings its numbers can depend on: the packages that compute, and the kind of machine.

    Args:
        environment: as of ``describe_environment``, of this or an earlier version.
        device, precision: that it was made on and in, where that is known.
    """
    packages = environment.get("packages") or {}
    values = {k: v for k, v in packages.items() if k not in _BESIDE}
    values |= {"system": environment.get("system"), "device": device, "precision": precision}
    return {name: str(value) for name, value in values.items() if value is not None}
