"""What an arm is made of, and the one way in which that is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import Any

# The order of an arm's parts: the real images first, those that a model labelled last.
_KINDS = ("real", "source", "translated", "pseudo")
_AUGMENTED = "augmented"
_INSIDE = (None, _AUGMENTED)  # what may stand in parentheses behind source
_SHARE = 0.5  # of the iterations before fine-tuning, where none is given
_SET = re.compile(r"(real|source|translated)(?:\((.+)\))?(?:\[(\d+)\])?", re.DOTALL)
_PSEUDO = re.compile(r"pseudo\((.+)\)", re.DOTALL)
_SELF_TRAINED = re.compile(r"self_train\((.+)\)", re.DOTALL)
_FIRST = re.compile(r"(.+?)(?: for ([-+.\w]+))?", re.DOTALL)
_WEIGHTED = re.compile(r"(\d+) (.+)", re.DOTALL)
_FORMS = {
    "of": ("of", "images"),
    "mix": ("mix", "ratio"),
    "first": ("first", "then", "share"),
    "self_train": ("self_train", "on"),
}


@dataclass(frozen=True)
class ImageSet:
    """Images of one origin.

    Attributes:
        kind: of ``_KINDS``. translator: of translated images; None where any of them is meant.
        augmented: whether source images pass the strong photometric augmentation.
        images: how many of them are used; None: all.
        teacher: of pseudo-labelled target images: what the model was trained on that labelled them.
    """

    kind: str
    translator: str | None = None
    augmented: bool = False
    images: int | None = None
    teacher: ImageSet | None = None

    def __str__(self) -> str:
        inner = self.teacher or self.translator or (_AUGMENTED if self.augmented else None)
        count = "" if self.images is None else f"[{self.images}]"
        return self.kind + (f"({inner})" if inner is not None else "") + count

    @property
    def open(self) -> bool:
        """Whether it is of any translator."""
        return self.teacher.open if self.teacher else self.kind == "translated" and self.translator is None

    @property
    def order(self) -> tuple[int, str]:
        """Its place among the parts of an arm."""
        return _KINDS.index(self.kind), str(self)


@dataclass(frozen=True)
class Mix:
    """Sets of images that are drawn from together, in ``order``; ``ratio``: images of each, empty: all alike."""

    sets: tuple[ImageSet, ...]
    ratio: tuple[int, ...] = ()

    def __str__(self) -> str:
        if not self.ratio:
            return "+".join(map(str, self.sets))
        return " + ".join(f"{weight} {part}" for weight, part in zip(self.ratio, self.sets, strict=True))


@dataclass(frozen=True)
class Composition:
    """What an arm is made of; ``str`` is its one name.

    Attributes:
        phases: what is drawn from, one after the other. share: of the iterations, what the first of two takes.
        teacher: of self-training: the set whose model labels the target images.
    """

    phases: tuple[Mix, ...]
    share: float = 1.0
    teacher: ImageSet | None = None

    def __str__(self) -> str:
        if self.teacher is not None:
            return f"self_train({self.teacher})"
        if len(self.phases) == 1:
            return str(self.phases[0])
        first, then = self.phases
        return f"{first}{'' if self.share == _SHARE else f' for {self.share}'} then {then}"

    @property
    def sets(self) -> tuple[ImageSet, ...]:
        """All sets that it draws from, each once, in ``order``."""
        return tuple(sorted({part for phase in self.phases for part in phase.sets}, key=lambda part: part.order))

    @property
    def open(self) -> bool:
        """Whether a bare ``translated`` in it stands for one arm a translator."""
        return any(part.open for part in self.sets)

    def with_translator(self, name: str) -> Composition:
        """The same where a bare ``translated`` is this translator's."""
        phases = tuple(Mix(tuple(_named(s, name) for s in phase.sets), phase.ratio) for phase in self.phases)
        return replace(self, phases=phases, teacher=self.teacher and _named(self.teacher, name))


def _named(part: ImageSet, name: str) -> ImageSet:
    if part.teacher is not None:
        return replace(part, teacher=_named(part.teacher, name))
    return replace(part, translator=name) if part.kind == "translated" and part.translator is None else part


def composed(value: Any) -> Composition:
    """What an arm of the configuration is made of: its name, or a mapping of one of ``_FORMS``.

    Raises:
        ValueError: there is no such arm; the message says what is wrong with it.
    """
    if isinstance(value, str):
        return parsed(value)
    if not isinstance(value, Mapping):
        raise ValueError(f"unknown arm {value!r}: an arm is a name, or a mapping that begins with {', '.join(_FORMS)}")
    form = next((key for key in _FORMS if key in value), None)
    if form is None:
        raise ValueError(f"unknown arm {dict(value)}: it has none of the keys {', '.join(_FORMS)}")
    if unknown := [str(key) for key in value if key not in _FORMS[form]]:
        raise ValueError(f"an arm of {form} takes {' and '.join(_FORMS[form])}, not {', '.join(unknown)}")
    return _BUILDERS[form](value)


def _some(value: Mapping[str, Any]) -> Composition:
    part, images = _one(value["of"], "of"), value.get("images")
    if type(images) is not int or images < 1:
        raise ValueError(f"images of an arm is how many of its images are used, 1 or more (given: {images!r})")
    if part.images is not None:
        raise ValueError(f"of takes a whole set of images, not {part}")
    return Composition((Mix((replace(part, images=images),)),))


def _mixed(value: Mapping[str, Any]) -> Composition:
    members, ratio = value["mix"], value.get("ratio")
    if not isinstance(members, Sequence) or isinstance(members, str) or len(members) < 2:
        raise ValueError("mix takes a list of two sets of images or more, such as [real, source]")
    whole = isinstance(ratio, Sequence) and not isinstance(ratio, str)
    if ratio is not None and (not whole or any(type(w) is not int or w < 1 for w in ratio)):
        raise ValueError(f"ratio takes whole numbers of 1 or more, one a set of the mix (given: {ratio!r})")
    if ratio is not None and len(ratio) != len(members):
        raise ValueError(f"ratio has {len(ratio)} numbers for the {len(members)} sets of the mix: give one each")
    return _mix([_one(member, "mix") for member in members], tuple(ratio or ()))


def _fine_tuned(value: Mapping[str, Any]) -> Composition:
    if "then" not in value:
        raise ValueError("first needs then: what is trained on after it")
    share = value.get("share", _SHARE)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise ValueError(f"share is what first takes of the iterations, above 0 and below 1 (given: {share!r})")
    return _followed(composed(value["first"]), composed(value["then"]), float(share))


def _followed(first: Composition, then: Composition, share: float) -> Composition:
    for part in (first, then):
        if len(part.phases) > 1 or part.teacher is not None:
            raise ValueError(f"first and then take sets of images or mixes of them, not {part}")
    if first == then:
        raise ValueError(f"first and then are both {first}")
    return _checked(Composition((*first.phases, *then.phases), share))


def _self_trained(value: Mapping[str, Any]) -> Composition:
    if (on := value.get("on", "target")) != "target":
        raise ValueError(f"on takes target, whose images are what there is to label (given: {on!r})")
    return _taught(_one(value["self_train"], "self_train"))


def _taught(teacher: ImageSet) -> Composition:
    if teacher.kind in ("real", "pseudo"):
        raise ValueError(f"self_train takes simulated images, source or translated, not {teacher}")
    return Composition((Mix((teacher, ImageSet("pseudo", teacher=teacher)), (1, 1)),), teacher=teacher)


_BUILDERS = {"of": _some, "mix": _mixed, "first": _fine_tuned, "self_train": _self_trained}


def _one(value: Any, key: str) -> ImageSet:
    found = composed(value)
    if len(found.sets) > 1:
        raise ValueError(f"{key} takes single sets of images, not {found}")
    return found.sets[0]


def _mix(sets: Sequence[ImageSet], ratio: Sequence[int]) -> Composition:
    """The mix in the one order and ratio in which it is written."""
    bases = [str(replace(part, images=None, augmented=False)) for part in sets]
    if twice := sorted({base for base in bases if bases.count(base) > 1}):
        raise ValueError(f"a mix has images of {', '.join(twice)} twice")
    order = sorted(range(len(sets)), key=lambda i: sets[i].order)
    common = gcd(*ratio) if ratio else 1
    ordered = Mix(tuple(sets[i] for i in order), tuple(ratio[i] // common for i in order if ratio))
    return _checked(Composition((ordered,)))


def _checked(found: Composition) -> Composition:
    names = {part.translator for part in found.sets if part.kind == "translated"}
    if len(names) > 1:
        raise ValueError(f"{found}: an arm takes the images of one translator")
    return found


def parsed(text: str) -> Composition:
    """What the arm of a name is made of.

    Raises:
        ValueError: no arm is called so, or its name is written otherwise.
    """
    try:
        found = _parsed(text)
    except ValueError as error:
        raise ValueError(f"unknown arm {text!r}: {error}") from error
    if str(found) != text:
        raise ValueError(f"unknown arm {text!r}: it is written {str(found)!r}")
    return found


def _parsed(text: str) -> Composition:
    if (found := _SELF_TRAINED.fullmatch(text)) is not None:
        return _taught(_set(found[1]))
    first, *then = _split(text, " then ")
    if then and (found := _FIRST.fullmatch(first)) is not None:
        share = _SHARE if found[2] is None else _number(found[2])
        return _followed(_mix_of(found[1]), _mix_of(" then ".join(then)), share)
    return _mix_of(text)


def _split(text: str, word: str) -> list[str]:
    """The text at a word wherever that stands in no parentheses, as it may in a translator's name."""
    pieces, start, depth = [], 0, 0
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and i >= start and text.startswith(word, i):
            pieces.append(text[start:i])
            start = i + len(word)
    return [*pieces, text[start:]]


def _number(word: str) -> float:
    try:
        share = float(word)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise ValueError(f"a share of the iterations is above 0 and below 1, not {word}")
    return share


def _mix_of(text: str) -> Composition:
    if len(weighted := _split(text, " + ")) > 1:
        found = [_WEIGHTED.fullmatch(part) for part in weighted]
        if any(part is None or not int(part[1]) for part in found):
            raise ValueError("a ratio is written as 3 real + 1 source")
        return _mix([_set(part[2]) for part in found if part], [int(part[1]) for part in found if part])
    sets = [_set(part) for part in _split(text, "+")]
    return _mix(sets, ()) if len(sets) > 1 else Composition((Mix(tuple(sets)),))


def _set(text: str) -> ImageSet:
    if (pseudo := _PSEUDO.fullmatch(text)) is not None:
        return ImageSet("pseudo", teacher=_set(pseudo[1]))
    found = _SET.fullmatch(text)
    wrong = found is None or (found[1] == "real" and found[2]) or (found[1] == "source" and found[2] not in _INSIDE)
    if found is None or wrong or found[3] == "0":
        sets = "real, source, source(augmented), translated(NAME)"
        raise ValueError(f"there is {sets}, real+source and other forms (docs/arms.md)")
    images = None if found[3] is None else int(found[3])
    translator = found[2] if found[1] == "translated" else None
    return ImageSet(found[1], translator, found[1] == "source" and found[2] is not None, images)
