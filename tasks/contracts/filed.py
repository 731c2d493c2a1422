"""The base of what rooms say to each other in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ValidationError

from tasks.contracts.frozen import Frozen


class Filed(Frozen):
    """What one room writes as a JSON file of an artifact, or of a run's folder, and others read.

    Attributes:
        FILE: the file's name.
    """

    FILE: ClassVar[str]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the file of a folder.

        Raises:
            OSError: there is none, or it cannot be read.
            pydantic.ValidationError: it is of another form.
        """
        return cls.model_validate_json((folder / cls.FILE).read_bytes())

    def content(self) -> Any:
        """What the file holds, as JSON."""
        return self.model_dump(mode="json")


def first_problem(error: ValidationError) -> str:
    """Where a form is not met, and how, in one line."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]
