"""What the sections of the learned methods share: a generator, and how it is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tasks.contracts import Section
from tasks.translate.sections.base import TranslatorSection
from tasks.translate.sections.validation import Validation

MINIMUM = 16  # pixels a side; reflection padding in the generator's residual blocks needs some width to reflect


class GeneratorFile(Section):
    """A trained generator to use instead of training one."""

    path: Path = Field(description="The safetensors file.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="The file's SHA-256.")


class Generator(Section):
    """ResNet generator: 7x7 stem, two down-samplings, residual blocks, two up-samplings, 7x7 and tanh."""

    channels: int = Field(64, ge=1, description="Channels of the stem; the residual blocks have four times as many.")
    blocks: int = Field(9, ge=1, description="Residual blocks.")
    skip: bool = Field(
        False, description="The output is a change of the input: starts at the identity, and keeps detail."
    )
    resampling: Literal["blur", "stride", "gaussian"] = Field(
        "blur",
        description="blur: as CUT, without checkerboards; stride: strided and transposed convolutions, as CycleGAN's "
        "authors; gaussian: as VSAIT's authors.",
    )


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
    mirror: bool = Field(True, description="Mirror each crop left to right with probability 1/2, as published.")
    width: int | None = Field(None, ge=32, description="Resize images to this width before cropping; native if absent.")
    lr: float = Field(2e-4, gt=0, description="Adam's learning rate.")
    decay: float = Field(0.5, ge=0, le=1, description="The last share of the steps, over which lr falls to 0 linearly.")
    ema: float = Field(0.999, ge=0, lt=1, description="Decay of the generator's moving average, which translates.")
    seed: int = Field(0, ge=0)
    checkpoint_every: int = Field(500, ge=1, description="Steps between checkpoints: the most a crash can cost.")
    sample_every: int = Field(1000, ge=1, description="Steps between grids of sample translations.")
    validation: Validation | None = Field(None, description="Validation on fixed images; none if absent.")

    @model_validator(mode="after")
    def _validates_on_its_way(self) -> Self:
        if self.validation is not None and self.validation.every > self.iterations:
            raise ValueError(
                f"validation.every {self.validation.every}: the training has {self.iterations} iterations: lower it"
            )
        return self

    def loaded(self, size: tuple[int, int]) -> tuple[int, int]:
        """The width and height at training of an image of this width and height, in pixels."""
        return size if self.width is None else (self.width, round(size[1] * self.width / size[0]))


_APPLICATION = ("tile", "precision", "apply_width", "apply_upsampling")  # what no training depends on


class Learned(TranslatorSection):
    """A method that trains a generator on the source and the target set, or is given a trained one.

    Attributes:
        to_train: what must be said, unless ``weights`` are given; then it is not looked at.
    """

    generator: Generator = Generator()
    training: Training = Field(Training(iterations=1), description="Needed unless weights are given.")
    weights: GeneratorFile | None = Field(None, description="Use this trained generator instead of training one.")
    tile: int | None = Field(
        None,
        ge=64,
        description="Translate images of more than tile x tile pixels by tiles; if absent, where memory runs out.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="Of translation. auto: bfloat16 where the hardware has it, if the images differ by less than 1/255 "
        "on average.",
    )
    apply_width: int | None = Field(
        None,
        ge=MINIMUM,
        description="Translate at this width, such as that of training, and bring the result back to the image's size; "
        "at the image's own if absent.",
    )
    apply_upsampling: Literal["guided", "lanczos"] = Field(
        "guided", description="From apply_width back. guided: with the source's detail; lanczos: with none but its own."
    )
    learned: ClassVar[bool] = True
    to_train: ClassVar[tuple[str, ...]] = ("training",)

    @model_validator(mode="after")
    def _trained_or_given(self) -> Self:
        missing = [name for name in self.to_train if name not in self.model_fields_set]
        if missing and self.weights is None:
            told = " and ".join(missing)
            raise ValueError(f"{told}: required, unless 'weights' name a trained generator (translator {self.name})")
        return self

    def translation_slice(self) -> dict[str, Any]:
        """The architecture, and the given weights: how a generator was trained is in its artifact, not here.

        Nor is the precision, which depends on the machine: see ``tasks.translate.precision.precision_slice``.
        """
        given = {"weights": self.weights.sha256} if self.weights else {}
        tile = {"tile": self.tile} if self.tile else {}  # the same up to rounding
        width = {key: getattr(self, key) for key in ("apply_width", "apply_upsampling") if self.apply_width}
        return {**self.architecture(), **given, **tile, **width}

    def architecture(self) -> dict[str, Any]:
        """What a generator's weights were made for."""
        return {"method": self.method, "generator": self.generator.model_dump(mode="json")}

    def training_slice(self) -> dict[str, Any]:
        """The part of this section that the trained weights depend on."""
        plain = self.model_dump(mode="json", exclude={"name", "weights", *_APPLICATION})
        for bookkeeping in ("checkpoint_every", "sample_every"):
            del plain["training"][bookkeeping]
        return plain


def check_layers(key: str, layers: tuple[int, ...], config: Learned) -> None:
    """Refuse layers that the generator to be trained does not have, as CUT numbers them."""
    blocks = config.generator.blocks
    known = (0, 4, 8, *range(12, 12 + blocks))
    if config.weights is None and (unknown := [layer for layer in layers if layer not in known]):
        raise ValueError(f"{key} {unknown}: a generator of {blocks} blocks has {list(known)}")
