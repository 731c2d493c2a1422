"""COCO's run-length encoding, against pycocotools."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco

from tasks.datasets.rle import decode_rle


def counts_of(region: NDArray[np.bool_]) -> bytes:
    counts: bytes = coco.encode(np.asfortranarray(region.astype(np.uint8)))["counts"]
    return counts


def test_what_pycocotools_encodes() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        height, width, scale = rng.integers(1, [30, 30, 12])
        region = np.kron(rng.random((height, width)) < rng.random(), np.ones((scale, scale), bool)).astype(bool)
        decoded = decode_rle(counts_of(region), (region.shape[1], region.shape[0]))
        np.testing.assert_array_equal(decoded.reshape(region.shape, order="F"), region)


def test_damaged_strings() -> None:
    region = np.zeros((64, 96), bool)
    region[10:20, 30:50] = True
    counts, generator = counts_of(region), random.Random(0)
    for cut in range(len(counts)):
        with pytest.raises(ValueError, match="its "):
            decode_rle(counts[:cut], (96, 64))
    for _ in range(500):
        damaged = bytearray(counts)
        damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        try:
            assert len(decode_rle(bytes(damaged), (96, 64))) == 96 * 64
        except ValueError as error:
            assert str(error).startswith("its ")  # noqa: PT017 - some damage gives another mask of this size


@pytest.mark.parametrize(
    ("counts", "reason"),
    [(b"", "characters"), (b"\xff\xff", "characters"), (b"o" * 9 + b"0", "too long"), (b"1", "add")],
)
def test_what_is_no_encoding(counts: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode_rle(counts, (96, 64))
