"""The ``translators`` section: which methods turn the simulator's images into the target's look, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tasks.contracts import Section

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$", description="What the arm is called in the report.")]


class _Translator(Section):
    name: Name
    method: str
    uses_target: ClassVar[bool] = False
    learned: ClassVar[bool] = False

    def translation_slice(self) -> dict[str, Any]:
        """The part of this section that translated images depend on."""
        return self.model_dump(mode="json", exclude={"name"})


class Identity(_Translator):
    """The simulator's image as it is, encoded anew: the arm that every other one is compared with."""

    method: Literal["identity"]
    name: Name = "identity"


class Reinhard(_Translator):
    """Colour transfer in CIELAB (Reinhard et al. 2001): every channel's mean and spread become the target set's."""

    method: Literal["reinhard"]
    name: Name = "reinhard"
    images: int = Field(200, ge=1, description="Measure so many target images, drawn at random.")
    seed: int = Field(0, ge=0, description="Seed of that draw.")
    uses_target: ClassVar[bool] = True


class Fda(_Translator):
    """Fourier domain adaptation (Yang and Soatto, CVPR 2020): low frequencies take a target image's amplitude."""

    method: Literal["fda"]
    name: Name = "fda"
    beta: float = Field(0.01, ge=0, le=0.5, description="Half width of the swapped window / the image's shorter side.")
    seed: int = Field(0, ge=0, description="Seed of which target image serves which source image.")
    uses_target: ClassVar[bool] = True


class GeneratorFile(Section):
    """A trained generator to use instead of training one."""

    path: Path = Field(description="The safetensors file.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="The file's SHA-256.")


class Generator(Section):
    """ResNet generator: 7x7 stem, two blurred down-samplings, residual blocks, two up-samplings, 7x7 and tanh."""

    channels: int = Field(64, ge=1, description="Channels of the stem; the residual blocks have four times as many.")
    blocks: int = Field(9, ge=1, description="Residual blocks.")
    skip: bool = Field(
        False, description="The output is a change of the input: starts at the identity, and keeps detail."
    )


class Discriminator(Section):
    """PatchGAN: each output judges one patch, 70x70 pixels for 3 layers."""

    channels: int = Field(64, ge=1, description="Channels of the first layer; they double up to eight times as many.")
    layers: int = Field(3, ge=1, le=5, description="Down-sampling layers.")
    norm: bool = Field(True, description="InstanceNorm, as published; without it a colour cast is seen sooner.")


class Training(Section):
    """What every learned method's training has in common."""

    iterations: int = Field(ge=1, description="Optimisation steps.")
    batch: int = Field(1, ge=1, description="Crops from each side that pass the networks together.")
    accumulate: int = Field(1, ge=1, description="Batches of a step: a step's gradients are the mean over them.")
    compile: bool = Field(False, description="Compile the generator (torch.compile): minutes at first, then faster.")
    crops: Literal["uniform", "classes"] = Field(
        "uniform",
        description="classes: half of the crops show a class, drawn inversely to its frequency, or a small box; for "
        "the target side, too, where it is labelled.",
    )
    crop: int = Field(256, ge=32, multiple_of=4, description="Side of the square training crops, in pixels.")
    width: int | None = Field(None, ge=32, description="Resize images to this width before cropping; native if absent.")
    lr: float = Field(2e-4, gt=0, description="Adam's learning rate.")
    decay: float = Field(0.5, ge=0, le=1, description="The last share of the steps, over which lr falls to 0 linearly.")
    ema: float = Field(0.999, ge=0, lt=1, description="Decay of the generator's moving average, which translates.")
    seed: int = Field(0, ge=0)
    checkpoint_every: int = Field(500, ge=1, description="Steps between checkpoints: the most a crash can cost.")
    sample_every: int = Field(1000, ge=1, description="Steps between grids of sample translations.")


class Learned(_Translator):
    """A method that trains a generator on the source and the target set."""

    generator: Generator = Generator()
    training: Training
    weights: GeneratorFile | None = Field(None, description="Use this trained generator instead of training one.")
    tile: int | None = Field(
        None,
        ge=64,
        description="Translate images of more than tile x tile pixels by tiles; if absent, where memory runs out.",
    )
    learned: ClassVar[bool] = True

    def translation_slice(self) -> dict[str, Any]:
        """The architecture, and the given weights: how a generator was trained is in its artifact, not here."""
        given = {"weights": self.weights.sha256} if self.weights else {}
        tile = {"tile": self.tile} if self.tile else {}  # the same up to rounding
        return {**self.architecture(), **given, **tile}

    def architecture(self) -> dict[str, Any]:
        """What a generator's weights were made for."""
        return {"method": self.method, "generator": self.generator.model_dump(mode="json")}

    def training_slice(self) -> dict[str, Any]:
        """The part of this section that the trained weights depend on."""
        plain = self.model_dump(mode="json", exclude={"name", "weights", "tile"})
        for bookkeeping in ("checkpoint_every", "sample_every"):
            del plain["training"][bookkeeping]
        return plain


class PatchNce(Section):
    """The contrastive loss between patches of an image and of its translation, in the generator's own features."""

    layers: tuple[int, ...] = Field(
        (0, 4, 8, 12, 16),
        min_length=1,
        description="0 padded input, 4 and 8 the down-sampling convolutions, 12, 13, ... residual blocks 1, 2, ...",
    )
    weights: tuple[float, ...] | None = Field(None, description="One weight a layer; all equal if absent.")
    temperature: float = Field(0.07, gt=0)
    patches: int = Field(256, ge=2, description="Locations drawn from each layer.")
    width: int = Field(256, ge=1, description="Length of the projected feature vectors.")

    @model_validator(mode="after")
    def _one_weight_a_layer(self) -> PatchNce:
        if self.weights is not None and len(self.weights) != len(self.layers):
            raise ValueError(f"{len(self.weights)} weights for {len(self.layers)} layers: give one a layer")
        if tuple(sorted(set(self.layers))) != self.layers:
            raise ValueError(f"layers {list(self.layers)} must increase")
        return self


class _Adversarial(Learned):
    """A ResNet generator judged by a PatchGAN."""

    discriminator: Discriminator = Discriminator()

    @model_validator(mode="after")
    def _crops_are_large_enough(self) -> Self:
        if self.training.crop < (least := 4 * 2**self.discriminator.layers):
            raise ValueError(f"training.crop {self.training.crop}: this discriminator needs crops of {least} at least")
        return self


class _Contrastive(_Adversarial):
    """With PatchNCE in the generator's own features."""

    nce: PatchNce = PatchNce()
    nce_weight: float | None = Field(None, ge=0, description="Weight of the NCE term; if absent 1, for FastCUT 10.")

    @model_validator(mode="after")
    def _layers_exist(self) -> Self:
        check_layers("nce.layers", self.nce.layers, self.generator)
        return self


def check_layers(key: str, layers: tuple[int, ...], generator: Generator) -> None:
    """Refuse layers that a generator does not have, as CUT numbers them."""
    known = (0, 4, 8, *range(12, 12 + generator.blocks))
    if unknown := [layer for layer in layers if layer not in known]:
        raise ValueError(f"{key} {unknown}: a generator of {generator.blocks} blocks has {list(known)}")


class Cut(_Contrastive):
    """CUT and FastCUT (Park et al., ECCV 2020): contrastive unpaired translation with one generator."""

    method: Literal["cut"]
    name: Name = "cut"
    fast: bool = Field(False, description="FastCUT: NCE weight 10, no identity term, flip equivariance.")


class CycleGan(_Adversarial):
    """CycleGAN (Zhu et al., ICCV 2017): two generators that undo each other."""

    method: Literal["cyclegan"]
    name: Name = "cyclegan"
    cycle_weight: float = Field(10.0, ge=0, description="Weight of the L1 distance after there and back.")
    identity_weight: float = Field(5.0, ge=0, description="Weight of the L1 change of an image of the other side.")
    pool: int = Field(50, ge=0, description="Earlier translations that a discriminator may be shown again.")


class Robustness(Section):
    """SRUNIT's term: a small change of a feature must change the translation's features in proportion at most."""

    weight: float = Field(1e-3, ge=0)
    magnitude: float = Field(1e-3, gt=0, description="Largest length of the noise added to a location's features.")
    patches: int = Field(256, ge=1, description="Locations that are compared.")
    start: float = Field(0.25, ge=0, le=1, description="The share of the steps after which the term begins.")


class Srunit(_Contrastive):
    """SRUNIT (Jia et al., ICCV 2021): CUT that keeps meaning under small changes of its features."""

    method: Literal["srunit"]
    name: Name = "srunit"
    robustness: Robustness = Robustness()


class DensityChange(Section):
    """DECENT's term: the variance, over patches, of how much translation changes a patch's log density."""

    weight: float = Field(0.01, ge=0)
    layers: tuple[int, ...] = Field((0, 4, 8, 12, 16), min_length=1, description="As in nce.layers.")
    patches: int = Field(256, ge=2, description="Locations drawn from each layer.")
    width: int = Field(10, ge=1, description="Hidden units for each dimension of a flow.")
    lr: float = Field(1e-3, gt=0, description="Learning rate of the flows.")
    clip: float = Field(0.1, gt=0, description="Largest norm of the flows' gradient.")
    ema: float = Field(0.998, ge=0, lt=1, description="Decay of the flows' moving average, which judges.")

    @model_validator(mode="after")
    def _layers_increase(self) -> Self:
        if tuple(sorted(set(self.layers))) != self.layers:
            raise ValueError(f"layers {list(self.layers)} must increase")
        return self


class Decent(_Adversarial):
    """DECENT (Xie et al., NeurIPS 2022): density changing regularisation."""

    method: Literal["decent"]
    name: Name = "decent"
    density: DensityChange = DensityChange()
    identity_weight: float = Field(10.0, ge=0, description="Weight of the L1 change of a target image.")

    @model_validator(mode="after")
    def _layers_exist(self) -> Self:
        check_layers("density.layers", self.density.layers, self.generator)
        return self


class Features(Section):
    """The frozen network whose features are compared."""

    network: Literal["vgg19", "efficientnet_lite0", "segmenter", "random"] = Field(
        description="vgg19: its ImageNet weights in a file; efficientnet_lite0: packaged ImageNet weights (extra "
        "'features'); segmenter: the encoder of a model that this pipeline trained; random: for smoke runs only."
    )
    path: Path | None = Field(None, description="vgg19: the weights' file; segmenter: the model artifact's folder.")
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="SHA-256 of the file (checkpoint.pth).")

    @model_validator(mode="after")
    def _file_is_named(self) -> Self:
        if (self.network in ("vgg19", "segmenter")) != (self.path is not None and self.sha256 is not None):
            raise ValueError(f"features {self.network}: path and sha256 are both needed for vgg19 and segmenter alone")
        return self


class Vsait(Learned):
    """VSAIT (Theiss et al., ECCV 2022): unpaired translation in a vector symbolic architecture.

    Its learning rates fall by ``halve_every``; ``training.decay`` is not used.
    """

    method: Literal["vsait"]
    name: Name = "vsait"
    features: Features
    length: int = Field(4096, ge=8, description="Length of the hypervectors.")
    vsa_weight: float = Field(10.0, ge=0)
    discriminator_lr: float = Field(4e-4, gt=0, description="Learning rate of the discriminator and the mapping.")
    halve_every: int = Field(100_000, ge=1, description="Steps after which learning rates are halved.")

    @model_validator(mode="after")
    def _crops_are_whole_patches(self) -> Self:
        if self.training.crop % 16:
            raise ValueError(f"training.crop {self.training.crop}: hypervectors need crops of a multiple of 16")
        return self

    def training_slice(self) -> dict[str, Any]:
        """As of every method; of the features' file its SHA-256 counts, not where it lies."""
        plain = super().training_slice()
        del plain["features"]["path"]
        return plain


Translator = Annotated[
    Identity | Reinhard | Fda | Cut | CycleGan | Srunit | Decent | Vsait, Field(discriminator="method")
]


class TranslateConfig(Section):
    """The translators that take part, each an arm of the comparison."""

    translators: tuple[Translator, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique_names(self) -> TranslateConfig:
        names = [t.name for t in self.translators]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"several translators are named {', '.join(twice)}: give each its own 'name'")
        return self


def method_of(config: Translator | Learned) -> str:
    """The module of a method, which is imported by the name in the configuration."""
    return f"tasks.translate.methods.{config.method}"
