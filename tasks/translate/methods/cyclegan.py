"""CycleGAN: J.-Y. Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
ICCV 2017.

Two generators, there and back, each judged by a PatchGAN with least-squares loss; an image that went there and back
must be what it was (cycle), and an image that is of the wanted side already must stay what it is (identity).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from tasks.translate.methods.base import Adam, Batch, Learner, Resources, linear_decay
from tasks.translate.methods.trained import load_generator
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.patchgan import PatchGan, least_squares
from tasks.translate.networks.pool import ImagePool
from tasks.translate.networks.resnet import ResnetGenerator
from tasks.translate.networks.whole_image import WholeImageTranslator
from tasks.translate.sections.cyclegan import CycleGan

PAPER = "Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, ICCV 2017"


class CycleGanLearner(Learner):
    """CycleGAN under training.

    ``generator`` goes from source to target, ``back`` from target to source; a loss whose name ends in ``_back`` is
    that of the way back. As published, the generators are stepped first, then the discriminators, on the translations
    from before that step, exchanged for earlier ones by a pool.
    """

    def __init__(self, config: CycleGan, rng: torch.Generator) -> None:
        self.config = config
        self.generator, self.back = (ResnetGenerator(**config.generator.model_dump()) for _ in range(2))
        self.discriminator, self.discriminator_source = (
            PatchGan(**config.discriminator.model_dump()) for _ in range(2)
        )
        self.pool, self.pool_source = (ImagePool(config.pool, config.training.crop) for _ in range(2))
        names = ("generator", "back", "discriminator", "discriminator_source", "pool", "pool_source")
        self.networks = nn.ModuleDict({name: getattr(self, name) for name in names})
        initialise(self.networks, rng, gain=config.gain)
        lr, betas = config.training.lr, (0.5, 0.999)
        self.optimisers = {
            "generator": Adam(("generator", "back"), lr, betas),
            "discriminator": Adam(("discriminator", "discriminator_source"), lr, betas),
        }
        one_way = {
            "gan": 1.0,
            "cycle": config.cycle_weight,
            "identity": config.identity_weight,
            "fake": 0.5,
            "real": 0.5,
        }
        self.weights = one_way | {f"{name}_back": weight for name, weight in one_way.items()}

    def losses(self, batch: Batch) -> Iterator[tuple[str, dict[str, Tensor]]]:
        fake, fake_source = self.generator(batch.source), self.back(batch.target)
        losses = {
            "gan": least_squares(self.discriminator(fake), 1),
            "gan_back": least_squares(self.discriminator_source(fake_source), 1),
            "cycle": _l1(self.back(fake), batch.source),
            "cycle_back": _l1(self.generator(fake_source), batch.target),
        }
        if self.config.identity_weight:
            losses["identity"] = _l1(self.generator(batch.target), batch.target)
            losses["identity_back"] = _l1(self.back(batch.source), batch.source)
        yield "generator", losses

        shown, shown_source = self.pool(fake.float(), batch.rng), self.pool_source(fake_source.float(), batch.rng)
        yield (
            "discriminator",
            {
                "fake": least_squares(self.discriminator(shown), 0),
                "real": least_squares(self.discriminator(batch.target), 1),
                "fake_back": least_squares(self.discriminator_source(shown_source), 0),
                "real_back": least_squares(self.discriminator_source(batch.source), 1),
            },
        )

    def schedule(self, step: int) -> float:
        return linear_decay(step, self.config.training.iterations, self.config.training.decay)


def build(config: CycleGan, rng: torch.Generator) -> CycleGanLearner:
    """Make the method for training; ``rng`` draws the initial weights."""
    return CycleGanLearner(config, rng)


def load(config: CycleGan, resources: Resources) -> WholeImageTranslator:
    """Make the translator from trained weights."""
    return load_generator(config, resources)


def _l1(found: Tensor, wanted: Tensor) -> Tensor:
    return (found.float() - wanted).abs().mean()
