"""The embedded sample: a small street world drawn in code, as a simulator and as a real camera would see it."""

from tasks.datasets.sample.write import write_sample

__all__ = ["write_sample"]
