"""What an image and its labels lack of each other, as every reader tells it."""

from __future__ import annotations

from pathlib import Path

from tasks.contracts.finding import Finding
from tasks.datasets.readers.pairing import Part, image_alone, not_listed, unpaired

IMAGE, MASK, BOXES = Path("image.png"), Path("mask.png"), Path("boxes.txt")
THERE = Part(IMAGE, IMAGE)


def no(path: Path) -> Finding:
    return Finding.of("data.no_file", file=path)


def test_a_whole_pair_lacks_nothing() -> None:
    assert unpaired(THERE, Part(MASK, MASK), Part(BOXES, BOXES)) is None
    assert unpaired(IMAGE, Part(MASK, MASK)) is None
    assert unpaired(IMAGE) is None


def test_without_its_image_the_first_label_is_to_blame() -> None:
    found = unpaired(Part(None, IMAGE), Part(None, MASK), Part(BOXES, BOXES))
    assert found is not None
    assert (found.file, found.cause) == (BOXES, "paired")
    assert found.finding == Finding.of("data.label_without_image", missing=no(IMAGE))


def test_of_several_labels_the_first_missing_one_is_told() -> None:
    found = unpaired(THERE, Part(MASK, MASK), Part(None, not_listed(BOXES)), Part(None, MASK))
    assert found is not None
    assert (found.file, found.cause) == (IMAGE, "paired")
    assert found.finding == Finding.of("data.image_without_label", missing=not_listed(BOXES))
    assert str(found) == "image.png: image without label: boxes.txt does not list it"
    assert str(image_alone(IMAGE, MASK)) == "image.png: image without label: no mask.png"
