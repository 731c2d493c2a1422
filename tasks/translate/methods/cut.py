"""CUT and FastCUT: T. Park et al., "Contrastive Learning for Unpaired Image-to-Image Translation", ECCV 2020.

The method itself is in ``tasks.translate.methods.contrastive``, as others are built on it.
"""

from __future__ import annotations

import torch

from tasks.translate.methods.base import Resources
from tasks.translate.methods.contrastive import ContrastiveLearner
from tasks.translate.methods.trained import load_generator
from tasks.translate.networks.whole_image import WholeImageTranslator
from tasks.translate.sections.cut import Cut

PAPER = "Park et al., Contrastive Learning for Unpaired Image-to-Image Translation, ECCV 2020"


def build(config: Cut, rng: torch.Generator) -> ContrastiveLearner:
    """Make the method for training; ``rng`` draws the initial weights."""
    return ContrastiveLearner(config, rng, fast=config.fast)


def load(config: Cut, resources: Resources) -> WholeImageTranslator:
    """Make the translator from trained weights."""
    return load_generator(config, resources)
