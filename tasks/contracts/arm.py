"""The arms of the experiment: what each model is trained on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_NAME = re.compile(r"real|(?P<mixed>real\+)?(?P<other>source|translated(\((?P<translator>.+)\))?)", re.DOTALL)


class Arm(str):
    """What a model is trained on: ``real``, ``source`` or ``translated(NAME)``, or real images and one of the others.

    An arm is its name, so that YAML, JSON and tables hold a plain string; this class alone takes the name apart. The
    experiment's matrix may hold a bare ``translated`` as well, which stands for one arm a translator (``expanded``).

    Raises:
        ValueError: no arm is called so.
    """

    __slots__ = ()

    def __new__(cls, name: str) -> Self:
        arm = super().__new__(cls, name)
        arm._read()
        return arm

    def _read(self) -> re.Match[str]:
        found = _NAME.fullmatch(self)
        if found is None:
            raise ValueError(f"unknown arm {str(self)!r}: real, source, translated, real+source or real+translated")
        return found

    @classmethod
    def translated(cls, translator: str) -> Self:
        """The arm of one translator's images alone."""
        return cls(f"translated({translator})")

    @property
    def parts(self) -> tuple[Arm, ...]:
        """The sets of images that it is made of, as arms of one part each; the real ones come first."""
        found = self._read()
        return (Arm("real"), Arm(found["other"])) if found["mixed"] else (self,)

    @property
    def translator(self) -> str | None:
        """The name of the translator whose images it has, alone or with real ones; None without any."""
        return self._read()["translator"]

    @property
    def mixed(self) -> bool:
        """Whether it adds something to real images."""
        return self._read()["mixed"] is not None

    @property
    def with_real(self) -> Arm:
        """The arm of the same images and the real ones; itself where it has them."""
        return self if "real" in self.parts else Arm(f"real+{self}")

    def expanded(self, translators: Iterable[str]) -> tuple[Arm, ...]:
        """The arms that it stands for where these are the translators: a bare ``translated`` for one of each."""
        bare = self.parts[-1] == "translated"
        return tuple(Arm(f"{self}({name})") for name in translators) if bare else (self,)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
