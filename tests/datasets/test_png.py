"""PNG read strictly: no flipped bit becomes other pixels."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from tasks.contracts.finding import Finding
from tasks.datasets.errors import ImageError
from tasks.datasets.images import label_of, picture_of
from tasks.datasets.png import fault

LABEL = np.random.default_rng(0).integers(0, 12, (24, 32), np.uint8)
PATH = Path("a.png")


def png(array: np.ndarray[Any, Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG", **options)
    return stream.getvalue()


def code(why: Finding | None) -> str | None:
    return why and why.code


def test_no_flipped_bit_of_a_label_is_decoded() -> None:
    content = png(LABEL)
    for at in range(8, len(content)):  # the signature says whether it is a PNG at all
        for bit in (at % 8, (at + 3) % 8):
            spoilt = bytearray(content)
            spoilt[at] ^= 1 << bit
            with pytest.raises(ImageError):
                label_of(bytes(spoilt), PATH)


def test_no_flipped_bit_of_a_picture_is_decoded() -> None:
    content = png(np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8))
    for at in range(8, len(content)):
        spoilt = bytearray(content)
        spoilt[at] ^= 1 << at % 8
        with pytest.raises(ImageError):
            picture_of(bytes(spoilt), PATH)


def test_every_length_but_the_whole_is_rejected() -> None:
    content = png(LABEL)
    assert {code(fault(content[:n], whole=True)) for n in range(8, len(content))} == {"data.png_cut"}
    assert fault(content, whole=True) is None


def test_what_follows_the_end_is_rejected_in_labels_alone() -> None:
    content = png(LABEL) + b"more"
    assert fault(content, whole=True) == Finding.of("data.png_trailing", n=4)
    assert fault(content, whole=False) is None


def test_pixels_that_are_too_few_or_too_many() -> None:
    lower, higher = png(LABEL[:-1]), png(np.vstack([LABEL, LABEL[:1]]))
    header = png(LABEL)[8:33]
    for content in (lower, higher):
        assert code(fault(content[:8] + header + content[33:], whole=True)) == "data.png_pixels"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_whole(mode: str) -> None:
    image = Image.fromarray(LABEL.astype(np.uint16)) if mode == "I;16" else Image.fromarray(LABEL).convert(mode)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    assert fault(stream.getvalue(), whole=True) is None


def test_png_of_many_chunks_and_of_opencv() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (300, 700, 3), np.uint8)
    assert fault(png(noise), whole=True) is None  # PIL begins a chunk every 64 kB
    assert fault(cv2.imencode(".png", noise.astype(np.uint16) * 257)[1].tobytes(), whole=True) is None
    assert fault(png(np.zeros((2000, 3000), np.uint8)), whole=True) is None  # far more pixels than bytes
