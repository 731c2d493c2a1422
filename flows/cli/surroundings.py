"""``sim2real version``: what this is, and where it runs."""

from __future__ import annotations

from flows.cli.status import FINE


def version() -> int:
    """Print the versions of this program, its commit, Python and torch.

    Example: `sim2real version`
    """
    print(version_text())
    return FINE


def version_text() -> str:
    """Version, commit, Python and torch in one line."""
    import tomllib

    from tasks.settings import REPOSITORY
    from tasks.store import describe_environment

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = describe_environment()
    commit = told["git"] or "no git checkout"
    return f"sim2real {project['version']} ({commit}), Python {told['python']}, torch {told['packages']['torch']}"
