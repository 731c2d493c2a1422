"""The overview of data sets: what is in them, as numbers, pictures and a page."""

from tasks.datasets.overview.numbers import Overview, class_divergence, overview
from tasks.datasets.overview.priors import spatial_priors

__all__ = ["Overview", "class_divergence", "overview", "spatial_priors"]
