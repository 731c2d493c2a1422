"""Weights of other programs, as translators of this pipeline."""
