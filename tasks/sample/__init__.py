"""The embedded sample: a small street world drawn in code, as a simulator and as a camera would see it."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.sample.make_sample import build_sample, sample_recipe
    from tasks.sample.write import write_sample
else:
    __all__, __getattr__ = face(__name__, __file__)
