"""``sim2real report``: what changed between two runs, and over many."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from flows.cli.status import FINE

app = App(name="report", help="Compare two runs; follow a pipeline's runs and nights.")
Language = Literal["en", "ko"]


@app.command
def compare(
    a: Annotated[Path, Parameter(help="Before: a run's or a night's folder, or a report.json.")],
    b: Annotated[Path, Parameter(help="After: as before.")],
    /,
    *,
    format: Annotated[Literal["text", "md", "json"], Parameter(help="What to print.")] = "text",
    store: Annotated[Path, Parameter(help="Where the evaluations are.")] = Path(".store"),
    language: Annotated[Language | None, Parameter(help="Of the texts; B's report's if absent.")] = None,
) -> int:
    """Tell what changed between two runs in configuration, data and code, and what that did to the scores.

    Example: `sim2real report compare runs/smoke/nightly/2026-01-01 runs/smoke`
    """
    from tasks.trends import compare_runs, print_text, render_markdown

    found = compare_runs(a, b, store, language)
    match format:
        case "json":
            print(found.model_dump_json(indent=2, by_alias=True))
        case "md":
            print(render_markdown(found), end="")
        case _:
            print_text(found)
    return FINE


@app.command
def history(
    folder: Annotated[Path, Parameter(help="A pipeline's folder, such as runs/smoke.")],
    /,
    *,
    language: Annotated[Language, Parameter(help="Of the texts.")] = "en",
) -> int:
    """Write history.html anew from the reports in FOLDER/history, and print its path.

    Example: `sim2real report history runs/smoke`
    """
    from tasks.trends import FOLDER, NotAReport, write_history

    if not (folder / FOLDER).is_dir():
        raise NotAReport(f"{folder}: no archive of reports here: there is no folder {FOLDER}/")
    print(write_history(folder, language))
    return FINE
