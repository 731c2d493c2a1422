"""The ``report`` section: what the report compares and how much it shows."""

from __future__ import annotations

from pydantic import Field

from tasks.catalogue import Language
from tasks.contracts import Arm, Section


class ReportConfig(Section):
    """How the report of a run is written."""

    language: Language = Field(default="en", description="Language of the report: en or ko.")
    title: str = Field(default="", description="The page's heading; where not given, what a report is about.")
    baseline: Arm = Field(default=Arm("source"), description="Arm that differences are taken to.")
    oracle: Arm = Field(default=Arm("real"), description="Arm that marks the far end of the gap.")
    strip_rows: int = Field(
        default=1, ge=0, le=8, description="Scenes on top of the page: simulator, each translator, nearest real image."
    )
    sample_rows: int = Field(default=4, ge=0, le=50, description="Images shown before and after translation.")
    prediction_rows: int = Field(
        default=3, ge=0, le=50, description="Benchmark images shown with every arm's predictions."
    )
    example_rows: int = Field(default=1, ge=0, le=10, description="Images of each data set, the sets side by side.")
    prior_images: int = Field(
        default=100, ge=0, le=5000, description="Masks a data set that spatial priors are taken over; 0 for none."
    )
    nearest_rows: int = Field(
        default=3, ge=0, le=50, description="Images of each translator shown beside the nearest real ones."
    )
    flip_rows: int = Field(default=3, ge=0, le=50, description="Images of each translator with the worst flips.")
    lost_rows: int = Field(
        default=6, ge=0, le=100, description="Crops of each translator of signs, lights and poles that lost detail."
    )
    clip_frames: int = Field(default=12, ge=0, le=60, description="Frames of the clip; below 2 there is none.")
    image_width: int = Field(
        default=480, ge=64, le=2048, description="Width in pixels that pictures are scaled down to."
    )
    min_score: float = Field(default=0.3, ge=0, le=1, description="Predicted boxes below this score are not drawn.")
    rejected_rows: int = Field(default=10, ge=0, description="Rejected files listed for each data set.")
