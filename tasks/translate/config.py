"""The ``translators`` section: which methods turn the simulator's images into the target's look, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from tasks.store import Section

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
    skip: bool = Field(False, description="Add the input to the output: starts at the identity, and keeps detail.")


class Discriminator(Section):
    """PatchGAN: each output judges one patch, 70x70 pixels for 3 layers."""

    channels: int = Field(64, ge=1, description="Channels of the first layer; they double up to eight times as many.")
    layers: int = Field(3, ge=1, le=5, description="Down-sampling layers.")
    norm: bool = Field(True, description="InstanceNorm, as published; without it a colour cast is seen sooner.")


class Training(Section):
    """What every learned method's training has in common."""

    iterations: int = Field(ge=1, description="Optimisation steps.")
    batch: int = Field(1, ge=1, description="Crops from each side a step.")
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
    learned: ClassVar[bool] = True
    networks: ClassVar[tuple[str, ...]] = ()  # the modules of tasks.translate.networks that it is built from

    def translation_slice(self) -> dict[str, Any]:
        """The architecture, and the given weights: how a generator was trained is in its artifact, not here."""
        given = {"weights": self.weights.sha256} if self.weights else {}
        return {"method": self.method, "generator": self.generator.model_dump(mode="json"), **given}

    def training_slice(self) -> dict[str, Any]:
        """The part of this section that the trained weights depend on."""
        plain = self.model_dump(mode="json", exclude={"name", "weights"})
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


class Cut(Learned):
    """CUT and FastCUT (Park et al., ECCV 2020): contrastive unpaired translation with one generator."""

    method: Literal["cut"]
    name: Name = "cut"
    fast: bool = Field(False, description="FastCUT: NCE weight 10, no identity term, flip equivariance.")
    discriminator: Discriminator = Discriminator()
    nce: PatchNce = PatchNce()
    nce_weight: float | None = Field(None, ge=0, description="Weight of the NCE term; if absent 1, for FastCUT 10.")
    networks: ClassVar[tuple[str, ...]] = ("resnet", "patchgan", "patchnce")

    @model_validator(mode="after")
    def _layers_exist(self) -> Cut:
        known = (0, 4, 8, *range(12, 12 + self.generator.blocks))
        if unknown := [layer for layer in self.nce.layers if layer not in known]:
            raise ValueError(f"nce.layers {unknown}: a generator of {self.generator.blocks} blocks has {list(known)}")
        if self.training.crop < (least := 4 * 2**self.discriminator.layers):
            raise ValueError(f"training.crop {self.training.crop}: this discriminator needs crops of {least} at least")
        return self


Translator = Annotated[Identity | Reinhard | Fda | Cut, Field(discriminator="method")]


class TranslateConfig(Section):
    """The translators that take part, each an arm of the comparison."""

    translators: tuple[Translator, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique_names(self) -> TranslateConfig:
        names = [t.name for t in self.translators]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"several translators are named {', '.join(twice)}: give each its own 'name'")
        return self
