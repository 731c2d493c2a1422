"""The overview of data sets: what is in them, as numbers, pictures and a page."""

from tasks.datasets.overview.numbers import Overview, class_divergence, overview_of

__all__ = ["Overview", "class_divergence", "overview_of"]
