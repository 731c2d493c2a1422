"""What CUT and the methods built on it share: T. Park et al., "Contrastive Learning for Unpaired Image-to-Image
Translation", ECCV 2020.

A generator, a PatchGAN with least-squares loss, and PatchNCE: a patch of the translation must be recognisable, among
other patches of the image, as the source patch from the same place. CUT adds PatchNCE on target images (an identity
term); FastCUT drops it, weighs PatchNCE ten times, and mirrors half of the source images on their way through the
generator, whose features must then be mirrored, too (flip equivariance; the discriminator's real images stay as they
are).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from tasks.translate.methods.base import Adam, Batch, Learner, linear_decay
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.patchgan import PatchGan, least_squares
from tasks.translate.networks.patchnce import Projection, draw_places, patch_nce
from tasks.translate.networks.resnet import ResnetGenerator
from tasks.translate.sections.contrastive import Contrastive


class ContrastiveLearner(Learner):
    """CUT, or FastCUT, under training; a method built on it adds losses of the generator in ``further``."""

    def __init__(self, config: Contrastive, rng: torch.Generator, *, fast: bool = False) -> None:
        self.config = config
        self.fast = fast
        self.generator = ResnetGenerator(**config.generator.model_dump())
        self.discriminator = PatchGan(**config.discriminator.model_dump())
        self.projection = Projection(self.generator.widths(config.nce.layers), config.nce.width)
        self.networks = nn.ModuleDict(
            {"generator": self.generator, "discriminator": self.discriminator, "projection": self.projection}
        )
        initialise(self.networks, rng, gain=config.gain)
        lr, betas = config.training.lr, (0.5, 0.999)
        self.optimisers = {
            "discriminator": Adam(("discriminator",), lr, betas),
            "generator": Adam(("generator", "projection"), lr, betas),
        }
        default = 10.0 if fast else 1.0
        nce = default if config.nce_weight is None else config.nce_weight
        # With the identity term, PatchNCE is the mean of both sides.
        self.weights = {"real": 0.5, "fake": 0.5, "gan": 1.0, "nce": nce if fast else nce / 2}
        if not fast:
            self.weights["identity_nce"] = nce / 2

    def losses(self, batch: Batch) -> Iterator[tuple[str, dict[str, Tensor]]]:
        nce, count = self.config.nce, len(batch.source)
        mirrored = self.fast and bool(torch.rand((), generator=batch.rng) < 0.5)
        source = batch.source.flip(3) if mirrored else batch.source
        # One pass translates and, for CUT's identity term, maps the target; the inputs' features come with it.
        inputs = source if self.fast else torch.cat([source, batch.target])
        made, before = self.generator.translate_and_encode(inputs, nce.layers)
        fake = made[:count]

        judged = self.discriminator(torch.cat([fake.detach(), batch.target]))
        yield "discriminator", {"fake": least_squares(judged[:count], 0), "real": least_squares(judged[count:], 1)}

        after = self.generator.encode(made, nce.layers)
        if mirrored:  # translations of mirrored images must match the features of unmirrored ones
            after = [f.flip(3) for f in after]
            with torch.no_grad():
                before = self.generator.encode(batch.source, nce.layers)
        of_source = [f[:count] for f in before]
        losses = {"gan": least_squares(self.discriminator(fake), 1)}
        losses["nce"] = self._nce(of_source, [f[:count] for f in after], batch.rng)
        if not self.fast:
            losses["identity_nce"] = self._nce([f[count:] for f in before], [f[count:] for f in after], batch.rng)
        yield "generator", losses | self.further(batch, of_source)

    def further(self, batch: Batch, features: list[Tensor]) -> dict[str, Tensor]:
        """More losses of the generator's step, given the source's features at ``nce.layers``."""
        return {}

    def schedule(self, step: int) -> float:
        return linear_decay(step, self.config.training.iterations, self.config.training.decay)

    def _nce(self, before: list[Tensor], after: list[Tensor], rng: torch.Generator) -> Tensor:
        nce = self.config.nce
        places = draw_places(before, nce.patches, rng)
        with torch.no_grad():
            keys = self.projection(before, places)
        queries = self.projection(after, places)
        weights = nce.weights or (1.0,) * len(before)
        terms = [w * patch_nce(q, k, nce.temperature) for w, q, k in zip(weights, queries, keys, strict=True)]
        return torch.stack(terms).mean()
