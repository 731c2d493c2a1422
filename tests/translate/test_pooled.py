"""One vector an image by the packaged network."""

import numpy as np

from tasks.translate.networks.pooled import resized


def test_resizing_averages_where_it_shrinks() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    image[::2] = 200
    assert (resized(image, 4) == 100).all()
    assert resized(image, 16).shape == (16, 16, 3)
