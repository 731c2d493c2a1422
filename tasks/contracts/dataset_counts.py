"""What became of everything that a data set was found to have: nothing is lost without a word."""

from __future__ import annotations

from tasks.contracts.frozen import Frozen


class ImageCounts(Frozen):
    """The images of a split.

    Attributes:
        found: images, and what should be one but is not: labels without image, files of other names.
        read: those in the table.
        rejected: those listed among the rejected.
        out: those left out on purpose: of other shares, not included, not drawn.
    """

    found: int
    read: int
    rejected: int
    out: int

    @property
    def lost(self) -> int:
        """Images that nobody knows of; 0, or the reader is wrong."""
        return self.found - self.read - self.rejected - self.out


class BoxCounts(Frozen):
    """The boxes of the images that were read.

    Attributes:
        listed: the objects that their labels have: rows, lines, or regions of pixels. A region in which every class is
            ignored counts once a class.
        kept: those in the table.
        rejected: those listed among the rejected.
        other: those of none of the run's detection classes.
        hidden: those with too few visible pixels.
        merged: repetitions, word for word, of another.
        out: those of images that were read, but not drawn.
    """

    listed: int
    kept: int
    rejected: int
    other: int
    hidden: int
    merged: int
    out: int

    @property
    def lost(self) -> int:
        """Boxes that nobody knows of; 0, or the reader is wrong."""
        return self.listed - self.kept - self.rejected - self.other - self.hidden - self.merged - self.out


class DatasetCounts(Frozen):
    """The images of a split, and their boxes where the set has any: ``counts`` in the summary of its artifact."""

    images: ImageCounts
    boxes: BoxCounts | None
