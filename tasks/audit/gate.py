"""What becomes of images that translation flipped: left out, taken from the source, or the end of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.audit.config import AuditConfig
from tasks.audit.rates import source_id
from tasks.audit.telling import check_sentence, measure_label, subject_label
from tasks.catalogue import t
from tasks.contracts import Acted, Artifact, Audit
from tasks.datasets import Sample, SampleTable


class AuditFailed(Exception):
    """A translated set that training would be wasted on; the message lists the errors and where the audit lies."""


def gate(
    translated: SampleTable,
    source: SampleTable,
    ids: Sequence[str],
    share: NDArray[np.float64],
    config: AuditConfig,
) -> tuple[SampleTable | None, tuple[Acted, ...]]:
    """The table to train on instead of the translated one, and what was done with which image.

    Rows keep their ids and their labels; where the source's image is kept, a row names that file and its hashes.

    Args:
        translated, source: the tables.
        ids, share: translated images and the flipped share of each, ``[N]``, 0 to 1.
        config: what becomes of images over ``thresholds.flipped_image``.

    Returns:
        The table, with absolute paths, and the images in its order; None and none of them where no image is over, or
        where ``on_fail`` is ``stop``, on which ``enforce`` acts.

    Raises:
        ValueError: the source has no image that a flipped one was made of.
    """
    over = {i: float(s) for i, s in zip(ids, share, strict=True) if s > config.thresholds.flipped_image}
    if not over or config.on_fail == "stop":
        return None, ()
    acted = tuple(
        Acted(id=i, flipped=over[i], action=config.on_fail) for i in translated.rows["id"].to_pylist() if i in over
    )
    rows = _rows(translated, source, over, config.on_fail)
    return SampleTable.from_samples(rows, translated.info, translated.folder, translated.root), acted


def _rows(
    translated: SampleTable, source: SampleTable, over: Mapping[str, float], action: Literal["drop", "keep_source"]
) -> Iterator[Sample]:
    originals = {s.id: s for s in source} if action == "keep_source" else {}
    for sample in translated:
        mask = sample.mask.absolute() if sample.mask is not None else None
        if sample.id not in over:
            yield replace(sample, image=sample.image.absolute(), mask=mask)
        elif action == "keep_source":
            if (original := originals.get(source_id(sample))) is None:
                raise ValueError(f"image {sample.id!r} of {translated.folder} was made of none of {source.folder}")
            kept = replace(sample, image=original.image.absolute(), mask=mask, sha256=original.sha256)
            yield replace(kept, phash=original.phash)


def enforce(audit: Audit, artifact: Artifact, config: AuditConfig) -> None:
    """Let only those translated sets through to training that may be trained on.

    Args:
        audit: what was found.
        artifact: where it was published.
        config: whether single flipped images stop the run, too.

    Raises:
        AuditFailed: an error's check failed; an image is over ``thresholds.flipped_image`` and ``on_fail`` is ``stop``;
            or no image is left.
    """
    if reasons := list(_reasons(audit, config)):
        lines = "\n".join(f"  {reason}" for reason in reasons)
        raise AuditFailed(t("audits.failed", name=audit.translator, reasons=lines, file=artifact.file(Audit.FILE)))


def _reasons(audit: Audit, config: AuditConfig) -> Iterator[str]:
    for c in audit.checks:
        if not c.passed and c.severity == "error":
            told = {"measure": measure_label(c.measure), "subject": subject_label(c), "told": check_sentence(c)}
            yield t("audits.failed_check", **told)
    if config.on_fail == "stop":
        flipped = [c for c in audit.checks if c.measure == "flipped_images" and c.passed and c.measured > 0]
        # Of a judge that cannot be trusted, the check is a warning.
        yield from (t("audits.failed_stop", told=check_sentence(c)) for c in flipped if c.severity == "error")
    if sum(a.action == "drop" for a in audit.acted) == audit.images:
        yield t("audits.failed_all")
