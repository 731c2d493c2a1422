"""How much the benchmark's images are worth as evidence, in words."""

from __future__ import annotations

from tasks.catalogue import t
from tasks.contracts import Clusters
from tasks.report.words import count


def worth(clusters: Clusters | None, images: int) -> str | None:
    """What was resampled as one, why, and how many independent images that leaves; None where images stand alone."""
    if clusters is None or (clusters.kind == "image" and clusters.reason == "single_frames" and clusters.enough):
        return None
    values = {
        "images": count(images, "image"),
        "drives": count(clusters.sequences, "drive") if clusters.sequences else t("clusters.unknown_drives"),
        "effective": count(clusters.effective, "independent"),
        "units": clusters.units,
        "frames": count(clusters.block or 0, "frame"),
        "benchmark": clusters.benchmark or t("clusters.benchmark"),
    }
    parts = [t(f"clusters.{clusters.kind}", **values)] if clusters.kind != "image" else []
    if clusters.reason != "single_frames":
        parts.append(t(f"clusters.{clusters.reason}", **values))
    if not clusters.beyond:
        parts.append(t("clusters.these_drives", **values))
    return " ".join(parts if clusters.enough else [*parts, t("clusters.too_little", **values)])


def scope(clusters: Clusters | None) -> str:
    """What a verdict holds for, to stand behind it; nothing where it holds for all images like the benchmark's."""
    if clusters is None or clusters.beyond:
        return ""
    return " " + t("clusters.scope", drives=count(clusters.sequences or 1, "drive"))
