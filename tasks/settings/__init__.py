"""YAML configurations: includes, environment variables, overrides, and errors that name file, line and key."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.settings.loading import load, parse_sets, validate
    from tasks.settings.places import REPOSITORY, packaged, there
    from tasks.settings.problems import Place, Problem, below, file_problems
    from tasks.settings.reading import ConfigError, Document, read
else:
    __all__, __getattr__ = face(__name__, __file__)
