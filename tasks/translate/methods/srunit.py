"""SRUNIT: Z. Jia et al., "Semantically Robust Unpaired Image Translation for Data with Unmatched Semantics Statistics",
ICCV 2021.

CUT, and a robustness term against semantic flipping: of one PatchNCE layer a step, noise is added to the features of
the source; the features of the translation that follows from them must stay near the undisturbed ones, by the measure
of CUT's projection and in proportion to the noise.

As in the authors' program, the term is a mean over all PatchNCE layers, of which those that were not drawn count as 0:
with five layers it is a fifth of the drawn one's, and the published weight is for that. Unlike in the program, the
change is divided by the length of the very noise that made it. (The program adds noise of the full length and divides
by another, random length, so that a step's term is multiplied by a number that has no mean.)
"""

from __future__ import annotations

import torch
import torch.nn.functional as nnf
from torch import Tensor

from tasks.translate.methods.base import Batch, Resources
from tasks.translate.methods.contrastive import ContrastiveLearner
from tasks.translate.methods.trained import load_generator
from tasks.translate.networks.patchnce import draw_places
from tasks.translate.networks.whole_image import WholeImageTranslator
from tasks.translate.sections.srunit import Srunit

PAPER = (
    "Jia et al., Semantically Robust Unpaired Image Translation for Data with Unmatched Semantics Statistics, ICCV 2021"
)

_LEAST = 0.1  # of the largest length: of a shorter noise, rounding to 32 bits would be much of what is measured


class SrunitLearner(ContrastiveLearner):
    """SRUNIT under training. Until the robustness term begins, it is CUT, bit for bit."""

    def __init__(self, config: Srunit, rng: torch.Generator) -> None:
        super().__init__(config, rng)
        self.settings = config.robustness
        self.weights["robustness"] = config.robustness.weight

    def further(self, batch: Batch, features: list[Tensor]) -> dict[str, Tensor]:
        if batch.step < self.settings.start * self.config.training.iterations:
            return {}
        index = int(torch.randint(len(features), (), generator=batch.rng))
        drawn = self.robustness(batch.source, features[index], index, batch.rng)
        return {"robustness": drawn / len(features)}  # the mean over layers

    def robustness(self, source: Tensor, features: Tensor, index: int, rng: torch.Generator) -> Tensor:
        """One layer's change of projected features over the length of the noise: mean over up to ``patches`` locations.

        With h the features, n the noise, G_l the layers of the generator up to the one in question, and F the
        projection: ``|F(G_l(G(h + n))) - F(h)| / |n|``, Euclidean, at each location. Gradients flow into both sides.

        Args:
            source: images ``[N, 3, H, W]`` in [-1, 1].
            features: what the layer gives for them.
            index: which of ``nce.layers`` the layer is.
            rng: draws the noise and the locations.
        """
        layer = self.config.nce.layers[index]
        noise, lengths = draw_noise(features, self.settings.magnitude, rng)
        (places,) = draw_places([features], self.settings.patches, rng)
        with torch.autocast(source.device.type, enabled=False):  # 16 bits would round the noise away
            disturbed = features.float() + noise
            (after,) = self.generator.encode(self.generator.decode(source, disturbed, layer), [layer])
            found, wanted = (self.projection.project(index, f, places) for f in (after, features.float()))
            change: Tensor = torch.linalg.vector_norm(found - wanted, dim=2)
            return (change / lengths.flatten(1)[:, places]).mean()


def draw_noise(features: Tensor, magnitude: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw noise for ``[N, C, H, W]`` features: at every location a direction and a length of its own.

    Directions are uniform on the sphere, lengths uniform from a tenth of ``magnitude`` to all of it.

    Returns:
        The noise, ``float32 [N, C, H, W]``, and its lengths, ``[N, H, W]``.
    """
    # A wide layer of a large crop has tens of millions of features: drawn where they are, from a seed.
    seed = int(torch.randint(2**62, (), generator=rng))
    there = torch.Generator(features.device).manual_seed(seed)
    directions = torch.randn(features.shape, generator=there, device=features.device)
    shares = torch.rand(features[:, 0].shape, generator=there, device=features.device)
    lengths = magnitude * (_LEAST + (1 - _LEAST) * shares)
    return nnf.normalize(directions, dim=1) * lengths[:, None], lengths


def build(config: Srunit, rng: torch.Generator) -> SrunitLearner:
    """Make the method for training; ``rng`` draws the initial weights."""
    return SrunitLearner(config, rng)


def load(config: Srunit, resources: Resources) -> WholeImageTranslator:
    """Make the translator from trained weights."""
    return load_generator(config, resources)
