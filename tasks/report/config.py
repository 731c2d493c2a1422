"""The ``report`` section: what the report compares and how much it shows."""

from __future__ import annotations

from pydantic import Field

from tasks.report.language import Language
from tasks.store import Section


class ReportConfig(Section):
    """How the report of a run is written."""

    language: Language = Field(default="en", description="Language of the report: en or ko.")
    title: str = Field(default="Simulator to real: what translation is worth", description="The page's heading.")
    baseline: str = Field(default="source", description="Arm that differences are taken to.")
    oracle: str = Field(default="real", description="Arm that marks the far end of the gap.")
    sample_rows: int = Field(default=4, ge=0, le=50, description="Images shown before and after translation.")
    prediction_rows: int = Field(
        default=3, ge=0, le=50, description="Benchmark images shown with every arm's predictions."
    )
    image_width: int = Field(
        default=480, ge=64, le=2048, description="Width in pixels that pictures are scaled down to."
    )
    min_score: float = Field(default=0.3, ge=0, le=1, description="Predicted boxes below this score are not drawn.")
    rejected_rows: int = Field(default=10, ge=0, description="Rejected files listed for each data set.")
