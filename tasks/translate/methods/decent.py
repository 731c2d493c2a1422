"""DECENT: S. Xie et al., "Unpaired Image-to-Image Translation with Density Changing Regularization", NeurIPS 2022.

CUT's generator and PatchGAN with least-squares loss, an L1 identity term on target images, and in place of PatchNCE the
variance of density change: patches that are common on the source side must become patches that are common on the target
side. Small flows learn, beside the generator, the densities of source and of target patches in the features of the
generator's encoder; their moving average judges the translation, and the generator cannot change it.

As in the authors' program, log densities are natural logarithms over the number of dimensions, their variance is the
unbiased one, and a flow is its one block without a residual connection (``density.residual`` adds it). Ours is how the
average begins: theirs starts at 0 and is for the first thousand steps a shrunk flow, ours has a short memory at first,
and after some thousands of steps they are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from tasks.translate.methods.base import Adam, Batch, Learner, Resources, linear_decay
from tasks.translate.methods.trained import load_generator
from tasks.translate.networks.flows import LayerFlows, MovingAverage, take_patches
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.patchgan import PatchGan, least_squares
from tasks.translate.networks.patchnce import draw_places
from tasks.translate.networks.resnet import ResnetGenerator
from tasks.translate.networks.whole_image import WholeImageTranslator
from tasks.translate.sections.decent import Decent

PAPER = "Xie et al., Unpaired Image-to-Image Translation with Density Changing Regularization, NeurIPS 2022"


class DecentLearner(Learner):
    """DECENT under training."""

    def __init__(self, config: Decent, rng: torch.Generator) -> None:
        self.config = config
        density = config.density
        self.generator = ResnetGenerator(**config.generator.model_dump())
        self.discriminator = PatchGan(**config.discriminator.model_dump())
        initialise(nn.ModuleList([self.generator, self.discriminator]), rng, gain=config.gain)
        widths = self.generator.widths(density.layers)
        shape = widths, density.width, rng, density.residual
        self.flows = nn.ModuleDict({side: LayerFlows(*shape) for side in ("source", "target")})
        self.average = MovingAverage(self.flows, density.ema)
        self.networks = nn.ModuleDict(
            {
                "generator": self.generator,
                "discriminator": self.discriminator,
                "flows": self.flows,
                "average_flows": self.average,
            }
        )
        lr, betas = config.training.lr, (0.5, 0.999)
        self.optimisers = {
            "discriminator": Adam(("discriminator",), lr, betas),
            "flows": Adam(("flows",), density.lr, (0.9, 0.999), amsgrad=True, clip=density.clip),
            "generator": Adam(("generator",), lr, betas),
        }
        self.weights = {"real": 0.5, "fake": 0.5, "source_nll": 1.0, "target_nll": 1.0, "gan": 1.0}
        self.weights |= {"density": density.weight, "identity": config.identity_weight}

    def losses(self, batch: Batch) -> Iterator[tuple[str, dict[str, Tensor]]]:
        density, count = self.config.density, len(batch.source)
        # One pass translates the source, maps the target for the identity term, and gives both sides' features.
        inputs = torch.cat([batch.source, batch.target])
        made, before = self.generator.translate_and_encode(inputs, density.layers)
        fake = made[:count]

        judged = self.discriminator(torch.cat([fake.detach(), batch.target]))
        yield "discriminator", {"fake": least_squares(judged[:count], 0), "real": least_squares(judged[count:], 1)}

        places = draw_places(before, density.patches, batch.rng)
        # Detached: neither the flows nor the densities of real images are a reason to change the encoder.
        source = take_patches([f[:count].detach() for f in before], places)
        target = take_patches([f[count:].detach() for f in before], places)
        yield (
            "flows",
            {"source_nll": _nll(self.flows["source"](source)), "target_nll": _nll(self.flows["target"](target))},
        )

        self.average.follow(self.flows, batch.step)
        translated = take_patches(self.generator.encode(fake, density.layers), places)
        yield (
            "generator",
            {
                "gan": least_squares(self.discriminator(fake), 1),
                "density": self._density_change(source, translated),
                "identity": (made[count:].float() - batch.target).abs().mean(),
            },
        )

    def _density_change(self, source: list[Tensor], translated: list[Tensor]) -> Tensor:
        flows = self.average.network
        return density_change(flows.get_submodule("source")(source), flows.get_submodule("target")(translated))

    def schedule(self, step: int) -> float:
        return linear_decay(step, self.config.training.iterations, self.config.training.decay)


def build(config: Decent, rng: torch.Generator) -> DecentLearner:
    """Make the method for training; ``rng`` draws the initial weights."""
    return DecentLearner(config, rng)


def load(config: Decent, resources: Resources) -> WholeImageTranslator:
    """Make the translator from trained weights."""
    return load_generator(config, resources)


def density_change(before: Sequence[Tensor], after: Sequence[Tensor]) -> Tensor:
    """The unbiased variance of ``before - after`` over an image's patches, averaged over images and layers.

    Args:
        before: each layer's log densities of source patches among source patches, ``[N, S]``, in nats a dimension.
        after: the same of their translations among target patches.
    """
    return torch.stack([(b - a).var(1, correction=1).mean() for b, a in zip(before, after, strict=True)]).mean()


def _nll(log_densities: Sequence[Tensor]) -> Tensor:
    """The mean negative log-likelihood of all layers, in nats a dimension."""
    return -torch.stack([d.mean() for d in log_densities]).mean()
