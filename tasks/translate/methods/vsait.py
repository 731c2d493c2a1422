"""VSAIT: J. Theiss et al., "Unpaired Image Translation via Vector Symbolic Architectures", ECCV 2022.

Against semantic flipping: source, target and translation are compared as hypervectors of frozen features, patch by
patch. A mapping learns, from a discriminator alone, which vector binds a source hypervector into the target's domain.
Unbinding the translation's hypervector with that vector must give the source's back, so a patch may take the target's
look, but not turn into something else.

Balance and order are those of the authors' program: the adversarial term of generator and mapping is the mean over the
two outputs, translation and bound source, and the discriminator's the mean over those and the real one; generator and
mapping are stepped first, as one, and the discriminator then sees what they give after that step. Ours are mapping and
discriminator at the start: their weights are drawn after He, where the authors' are PyTorch's own and Xavier's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tasks.translate.methods.base import Adam, Batch, Learner, Resources
from tasks.translate.methods.trained import load_generator
from tasks.translate.networks.features import FrozenFeatures, build_features
from tasks.translate.networks.hypervectors import (
    HypervectorDiscriminator,
    Hypervectors,
    Mapping,
    bind,
    hinge_fake,
    hinge_real,
    vsa_loss,
)
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.resnet import ResnetGenerator
from tasks.translate.networks.whole_image import WholeImageTranslator
from tasks.translate.sections.vsait import Vsait

PAPER = "Theiss et al., Unpaired Image Translation via Vector Symbolic Architectures, ECCV 2022"
log = logging.getLogger(__name__)

_GAIN = 0.2  # of the generator's initial weights


class VsaitLearner(Learner):
    """VSAIT under training."""

    def __init__(self, config: Vsait, rng: torch.Generator) -> None:
        self.config = config
        # Seeds of their own: what is not stored must not depend on what else is drawn.
        of_features, of_directions = np.random.SeedSequence([config.training.seed, 1]).generate_state(2).tolist()
        features = build_features(config.features, of_features)
        self.notes = {"features": _describe(config, features)}
        self.hypervectors = Hypervectors(features, config.length, of_directions)
        self.generator = ResnetGenerator(**config.generator.model_dump())
        self.discriminator = HypervectorDiscriminator(config.length)
        self.mapping = Mapping(config.length)
        self.networks = nn.ModuleDict(
            {
                "generator": self.generator,
                "discriminator": self.discriminator,
                "mapping": self.mapping,
                "hypervectors": self.hypervectors,
            }
        )
        initialise(self.generator, rng, gain=_GAIN)
        self.discriminator.initialise(rng)
        self.mapping.initialise(rng)
        betas, decay = (0.0, 0.9), 1e-4
        self.optimisers = {
            "generator": Adam(("generator", "mapping"), config.training.lr, betas, decay),
            "discriminator": Adam(("discriminator",), config.discriminator_lr, betas, decay),
        }
        self.weights = {"vsa": config.vsa_weight, "gan": 1 / 2, "mapping": 1 / 2}
        self.weights |= dict.fromkeys(("real", "fake", "bound"), 1 / 3)

    def losses(self, batch: Batch) -> Iterator[tuple[str, dict[str, Tensor]]]:
        source = batch.source
        with torch.no_grad():
            before, real = self.hypervectors(torch.cat([source, batch.target])).split(len(source))
        after = self.hypervectors(self.generator(source))
        mapping = self.mapping(before)
        yield (
            "generator",
            {
                "vsa": vsa_loss(after, mapping, before),
                "gan": -self.discriminator(after).float().mean(),
                "mapping": -self.discriminator(bind(before, mapping)).float().mean(),
            },
        )
        with torch.no_grad():  # of the networks as they are now
            after, bound = self.hypervectors(self.generator(batch.source)), bind(before, self.mapping(before))
        yield (
            "discriminator",
            {
                "real": hinge_real(self.discriminator(real)),
                "fake": hinge_fake(self.discriminator(after)),
                "bound": hinge_fake(self.discriminator(bound)),
            },
        )

    def schedule(self, step: int) -> float:
        return 0.5 ** (step // self.config.halve_every)


def build(config: Vsait, rng: torch.Generator) -> VsaitLearner:
    """Make the method for training; ``rng`` draws the initial weights.

    Raises:
        WeightsError: the feature network's weights are missing or not what they should be.
    """
    return VsaitLearner(config, rng)


def load(config: Vsait, resources: Resources) -> WholeImageTranslator:
    """Make the translator from trained weights; the feature network is not needed."""
    return load_generator(config, resources)


def _describe(config: Vsait, features: FrozenFeatures) -> dict[str, Any]:
    """What the card says of the features."""
    network = config.features.network
    entry = {"network": network, "sha256": features.sha256, "strides": list(features.strides)}
    if network == "random":
        warning = "RANDOM feature weights: they know no content, so the result is for smoke runs only"
        log.warning("training %s with %s", config.name, warning)
        entry["warning"] = warning
    return entry
