"""What can be said of other programs and their images before the run."""

from __future__ import annotations

import os
from collections.abc import Iterator

from tasks.contracts import Finding
from tasks.datasets import SampleTable
from tasks.settings import Problem
from tasks.translate.outside.inputs import match_depth
from tasks.translate.outside.matching import images_below, matched
from tasks.translate.outside.program import program_of
from tasks.translate.sections.base import TranslatorSection
from tasks.translate.sections.command import OutsideCommand
from tasks.translate.sections.images import OutsideImages


def outside_problems(config: TranslatorSection) -> Iterator[Problem]:
    """Folders, files and a program that a section names, and that are not there."""
    if isinstance(config, OutsideImages):
        yield from _folder_problems(config)
    if isinstance(config, OutsideCommand):
        yield from _program_problems(config)


def source_problems(config: TranslatorSection, source: SampleTable) -> Iterator[Problem]:
    """Images that another program should have made of the source's, and that are not there, or not clearly named."""
    if isinstance(config, OutsideCommand):
        yield from _given_problems(config, source)
    if not isinstance(config, OutsideImages):
        return
    for i, folder in enumerate(config.folders):
        found = matched(source, folder, images_below(folder), config.image_suffix).problem()
        if found is not None:
            yield Problem(("folders", i), found)


def _folder_problems(config: OutsideImages) -> Iterator[Problem]:
    for i, folder in enumerate(config.folders):
        if not os.path.isdir(folder.expanduser()):  # noqa: PTH112 - Path's raises an error for a name that is too long
            yield Problem(("folders", i), Finding.of("outside.no_folder", path=folder))


def _program_problems(config: OutsideCommand) -> Iterator[Problem]:
    if config.folder is not None and not os.path.isdir(config.folder.expanduser()):  # noqa: PTH112 - as below
        yield Problem(("folder",), Finding.of("outside.no_folder", path=config.folder))
    elif program_of(config) is None:
        yield Problem(("command", 0), Finding.of("outside.no_program", program=config.command[0]))
    for i, path in enumerate(config.files):
        if not os.path.exists(config.place(path)):  # noqa: PTH110 - as below
            yield Problem(("files", i), Finding.of("settings.no_file", path=path))
    if config.depth is not None and not os.path.isdir(config.depth.folder.expanduser()):  # noqa: PTH112 - as below
        yield Problem(("depth", "folder"), Finding.of("outside.no_folder", path=config.depth.folder))


def _given_problems(config: OutsideCommand, source: SampleTable) -> Iterator[Problem]:
    """What a program should be given of each image, and the source has not."""
    has = {"masks": source.info.encoding is not None, "boxes": source.info.has_boxes}
    for labels in (name for name, there in has.items() if not there and name in config.used()):
        yield Problem(("command",), Finding.of("outside.no_labels", labels=labels))
    if config.depth is not None and (problem := match_depth(source, config.depth).problem()) is not None:
        yield Problem(("depth",), problem)
