"""The arms of the experiment: what each model is trained on."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from tasks.contracts.composition import Composition, ImageSet, Mix, composed, parsed
from tasks.contracts.drawing import Drawing, Member, Phase

_read = functools.lru_cache(maxsize=4096)(parsed)


class Arm(str):
    """What a model is trained on: sets of images, and how they are drawn.

    An arm is its name, so that YAML, JSON and tables hold a plain string, and two arms are the same where their names
    are; this class and ``composition`` alone take names apart. A configuration may give it as a mapping as well
    (``composed``). The experiment's matrix may hold a bare ``translated``, which stands for one arm a
    translator (``expanded``).

    ========================================  ==========================================================
    ``real``, ``source``                      the images of one set; ``real[50]``: 50 of them
    ``translated(cut)``                       the source as a translator made it
    ``source(augmented)``                     the source under strong photometric augmentation
    ``real+translated(cut)``                  all images of both alike
    ``3 real + 1 translated(cut)``            drawn in that ratio
    ``translated(cut) then real``             one after the other, half of the iterations each
    ``translated(cut) for 0.7 then real``     the first for that share of the iterations
    ``self_train(translated(cut))``           with target images that its own model labelled, one of each
    ========================================  ==========================================================

    Raises:
        ValueError: no arm is called so.
    """

    __slots__ = ()

    def __new__(cls, name: str) -> Self:
        _read(name)
        return super().__new__(cls, name)

    @classmethod
    def translated(cls, translator: str) -> Self:
        """The arm of one translator's images alone."""
        return cls(str(ImageSet("translated", translator)))

    @property
    def _made(self) -> Composition:
        return _read(str(self))

    @property
    def parts(self) -> tuple[Arm, ...]:
        """The sets of images that it draws from, as arms of one part each; the real ones come first."""
        return tuple(Arm(str(part)) for part in self._made.sets)

    @property
    def drawing(self) -> Drawing:
        """How a training draws from its parts."""
        made, sets = self._made, self._made.sets
        shares = (made.share, round(1 - made.share, 12)) if len(made.phases) > 1 else (1.0,)
        return Drawing(
            members=tuple(Member(images=part.images, augmented=part.augmented) for part in sets),
            phases=tuple(
                Phase(share=share, sets=tuple(sets.index(part) for part in phase.sets), ratio=phase.ratio)
                for share, phase in zip(shares, made.phases, strict=True)
            ),
        )

    @property
    def origin(self) -> Arm:
        """Of a part: the set that its images are of, all of them and as they are."""
        (part,) = self._made.sets
        return Arm(str(replace(part, images=None, augmented=False)))

    @property
    def translator(self) -> str | None:
        """The name of the translator whose images it has, alone or with others; None without any."""
        return next((part.translator for part in self._made.sets if part.translator), None)

    @property
    def teacher(self) -> Arm | None:
        """The arm whose model labels target images for it; None where none does."""
        teacher = next((part.teacher for part in self._made.sets if part.teacher), None)
        return None if teacher is None else Arm(str(teacher))

    @property
    def has_real(self) -> bool:
        """Whether it has real images with their labels."""
        return self._made.sets[0].kind == "real"

    @property
    def mixed(self) -> bool:
        """Whether it adds something to real images."""
        return self.has_real and len(self._made.sets) > 1

    @property
    def simple(self) -> bool:
        """Whether it is one whole set as it is, or real images and one such set, all drawn alike."""
        sets = self._made.sets
        whole = all(part.images is None and not part.augmented for part in sets) and self.teacher is None
        return whole and self.drawing.steady and (len(sets) == 1 or (len(sets) == 2 and self.has_real))

    @property
    def real_images(self) -> int | None:
        """How many real images it has with their labels: 0 without any, None for all there are."""
        return self._made.sets[0].images if self.has_real else 0

    @property
    def of_all_real(self) -> Arm:
        """The same arm with all real images: what a curve over ``real_images`` is called."""
        made = self._made
        return Arm(str(replace(made, phases=tuple(_of_all_real(phase) for phase in made.phases))))

    @property
    def others(self) -> tuple[Arm, ...]:
        """Its parts that are not real images with their labels."""
        return tuple(part for part in self.parts if not part.has_real)

    @property
    def with_real(self) -> Arm:
        """The arm of the same images and the real ones, all alike; itself where it has them, or draws otherwise."""
        made = self._made
        if self.has_real or not self.drawing.steady:
            return self
        return Arm(str(Mix((ImageSet("real"), *made.sets))))

    @property
    def built_on(self) -> tuple[Arm, ...]:
        """The arms that it adds something to, which it is compared with.

        A mix adds to its real images, fine-tuning to training on the second set alone, self-training to what taught
        it, augmentation to the images as they are.
        """
        made = self._made
        if made.teacher is not None:
            return (Arm(str(made.teacher)),)
        if len(made.phases) > 1:
            return (Arm(str(made.phases[-1])),)
        if self.mixed:
            return (self.parts[0],)
        return (self.origin,) if len(made.sets) == 1 and self.origin != self else ()

    def expanded(self, translators: Iterable[str]) -> tuple[Arm, ...]:
        """The arms that it stands for where these are the translators: a bare ``translated`` for one of each."""
        if not self._made.open:
            return (self,)
        return tuple(Arm(str(self._made.with_translator(name))) for name in translators)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_name_of, _of_text(cls))


def _of_all_real(phase: Mix) -> Mix:
    sets = (replace(part, images=None) if part.kind == "real" else part for part in phase.sets)
    return replace(phase, sets=tuple(sets))


def _name_of(value: Any) -> str:
    return str(composed(value))


def _of_text(cls: type[Arm]) -> CoreSchema:
    return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
