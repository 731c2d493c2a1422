"""The section of a program that translates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from tasks.contracts import Section
from tasks.store import content_digest
from tasks.translate.outside.matching import digests, files_of
from tasks.translate.sections.base import Made, Name
from tasks.translate.sections.outside import Outside

PLACEHOLDERS = ("input", "images", "masks", "boxes", "depth", "list", "output", "seed", "variant")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(=.*)?$")]


class Depth(Section):
    """Where the depth of the source's images lies: files that are found by the images' names."""

    folder: Path = Field(description="The folder that depth files lie below, such as the data set's root.")
    find: str = Field("", description="What of an image's path is written otherwise in its depth file's, such as rgb.")
    put: str = Field("", description="And how, such as depth. Files without it in their path are not looked at.")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.find) != bool(self.put):
            raise ValueError("find and put are both needed, or none of them")
        return self

    def files(self) -> list[Path]:
        """The files that may be an image's depth, in order of their paths.

        Raises:
            DatasetError: there is no such folder, or not all of it can be listed.
        """
        start = self.folder.expanduser()
        return [path for path in files_of(start) if self.put in path.relative_to(start).as_posix()]


class OutsideCommand(Outside):
    """A program that is given images, with their labels, and writes the translated ones.

    It is run once a variant, for all images that are not there yet.
    """

    method: Literal["command"]
    name: Name = "command"
    made: ClassVar[Made] = "loading"
    command: tuple[str, ...] = Field(
        min_length=1,
        description="The program and its arguments, a list, which no shell reads. {images}, {masks}, {depth}: folders "
        "of <id>.<suffix>; {boxes}: a COCO file; {list}: a file of the images' paths, one a line; {input}: the folder "
        "of all of these; {output}: the folder to write <id>.<suffix> to; {seed}: seed plus variant; {variant}: 0, 1, "
        "and so on.",
    )
    folder: Path | None = Field(None, description="Where it is started; where the pipeline was, if absent.")
    files: tuple[Path, ...] = Field(
        (),
        description="Files and folders that its images depend on, such as weights: if one changes, all are made again. "
        "Files that the command itself names are known.",
    )
    environment: tuple[Variable, ...] = Field(
        ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONUNBUFFERED=1"),
        description="Its environment variables, and no others: NAME hands one on, NAME=value sets one.",
    )
    results: str = Field(
        "",
        pattern=r"^(\w[\w.-]*(/\w[\w.-]*)*)?$",
        description="The folder below {output} that holds the images, where the program makes folders of its own.",
    )
    timeout: float | None = Field(None, gt=0, description="Seconds after which a run of it is ended.")
    seed: int = Field(0, ge=0, description="For {seed}.")
    variants: int = Field(1, ge=1, description="Translations of each image, made by as many runs.")
    gpu: bool = Field(True, description="Whether it is given a GPU where there is one.")
    depth: Depth | None = None

    @field_validator("command", mode="before")
    @classmethod
    def _is_a_list(cls, command: Any) -> Any:
        if isinstance(command, str):
            raise ValueError("write the program and each argument as an item of a list: no shell reads it")
        return command

    @model_validator(mode="after")
    def _is_given_images(self) -> Self:
        used = self.used()
        if unknown := sorted(used.difference(PLACEHOLDERS)):
            raise ValueError(f"command: {{{unknown[0]}}} stands for nothing; there are {', '.join(PLACEHOLDERS)}")
        if "output" not in used or used.isdisjoint({"input", "images", "list"}):
            raise ValueError("command: it must name {output}, and {images}, {list} or {input}, or it cannot know them")
        if "depth" in used and self.depth is None:
            raise ValueError("command: {depth} needs the section depth, which says where that lies")
        if self.variants > 1 and used.isdisjoint({"seed", "variant"}):
            raise ValueError("variants: without {seed} or {variant} in the command, all of them would be the same")
        return self

    def used(self) -> set[str]:
        """The placeholders of the command."""
        return {name for text in self.command for name in _PLACEHOLDER.findall(text)}

    @property
    def on_gpu(self) -> bool:
        """Whether it translates on a GPU where there is one."""
        return self.gpu

    def arguments(self, values: dict[str, str]) -> list[str]:
        """The program and its arguments, with values in place of the placeholders."""
        return [_PLACEHOLDER.sub(lambda found: values[found[1]], text) for text in self.command]

    def place(self, text: str | Path) -> Path:
        """A path as the program, once started, understands it."""
        return ((self.folder or Path()).expanduser() / Path(text).expanduser()).absolute()

    def translation_slice(self) -> dict[str, Any]:
        """The command, and the content of every file that it names.

        Raises:
            DatasetError: a folder is not there.
            OSError: a file is not there, or cannot be read.
        """
        plain = self.model_dump(mode="json", exclude={"name", "timeout", "gpu", "files", "depth"})
        given = {text: _content(self.place(text)) for text in (*self._named(), *map(str, self.files))}
        depth = {}
        if self.depth is not None:
            found = content_digest(digests(self.depth.folder, self.depth.files()))
            depth = {"depth": {"find": self.depth.find, "put": self.depth.put, "files": found}}
        return {**plain, "files": given, **depth}

    def _named(self) -> Iterator[str]:
        """The files that the command itself names, as it does: the program, arguments, and values of --key=value."""
        for n, text in enumerate(self.command):
            if n == 0 and "/" not in text:
                continue  # a program of the system's
            for name in dict.fromkeys((text, text.partition("=")[2])):
                if name and not _PLACEHOLDER.search(name) and self.place(name).is_file():
                    yield name


def _content(path: Path) -> str:
    """Digest of a file, or of all files below a folder."""
    if path.is_dir():
        return content_digest(digests(path, files_of(path)))
    return digests(path.parent, [path])[path.name]


section = OutsideCommand
