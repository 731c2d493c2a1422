"""The tables of an ``audit`` artifact, beside ``samples.parquet`` where images were acted on."""

from __future__ import annotations

import pyarrow as pa

AUDIT_IMAGES = "images.parquet"  # a row a translated image; null where it was not measured
AUDIT_FLIPS = "flips.parquet"  # there where flips were measured: what pixels that were read rightly became
# The flipped share and what is left of gradients, edges and high band, 0 to 1; the displacement in pixels.
AUDIT_IMAGES_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        *(pa.field(name, pa.float64()) for name in ("flipped", "gradient", "edges", "high_band", "shift")),
    ]
)
# Class indices, and how many pixels of the image were read rightly as the one and then as the other.
AUDIT_FLIPS_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        *(pa.field(name, pa.int64(), nullable=False) for name in ("before", "after", "pixels")),
    ]
)
