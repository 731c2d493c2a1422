"""``sim2real init``: a first configuration for the data that is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli.status import FINE

TAXONOMY = Path("configs/taxonomies/cityscapes19.yaml")
_PLACE = "as FORMAT:FOLDER, such as morai:/data/x; the format is looked up where it is not given."


def init(
    folder: Annotated[Path, Parameter(help="Where to write; made where there is none.")],
    /,
    *,
    source: Annotated[str, Parameter(help=f"The simulator's data set {_PLACE}")],
    target: Annotated[str, Parameter(help="Real images, likewise.")],
    benchmark: Annotated[
        str | None, Parameter(help="Real images to score on; another split or part of the target if absent.")
    ] = None,
    taxonomy: Annotated[Path, Parameter(help="The classes.")] = TAXONOMY,
    classes: Annotated[
        Path | None,
        Parameter(help="Names of the ids in plain folders' masks, one a line; classes.txt there if absent."),
    ] = None,
) -> int:
    """Write a commented pipeline for data sets that are there; nothing is overwritten.

    Of plain folders (format `folder`) it finds images, masks and boxes by the usual names, writes which splits there
    are, and drafts the map from their labels to the classes, with every value's share of the pixels, to be completed.

    Example: `sim2real init mine --source morai:/data/sim --target cityscapes:/data/cityscapes`
    """
    from flows.draft import PIPELINE, drafted, place_of
    from tasks.settings import ConfigError
    from tasks.store import atomic_path

    places = (place_of(source, classes), place_of(target, classes))
    files = drafted(folder, *places, place_of(benchmark, classes) if benchmark else None, taxonomy)
    if there := [path for path in files if path.exists()]:
        raise ConfigError(f"{there[0]}: exists already; name another folder, or move it away first")
    for path, text in files.items():
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(
        f"written: {folder / PIPELINE}" + (f" and {len(files) - 1} files of classes and maps" if len(files) > 1 else "")
    )
    print(f"next: sim2real data check {folder / PIPELINE}")
    return FINE
