from itertools import pairwise

import numpy as np
import pytest
import torch

from tasks.datasets.images import PixelError
from tasks.translate.apply import translate_table
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.resampling import Resampling
from tasks.translate.networks.resnet import MULTIPLE, ResnetGenerator
from tasks.translate.networks.tiles import _spans, translate_tiled
from tasks.translate.networks.whole_image import WholeImageTranslator
from tasks.translate.sections.learned import MINIMUM


class Small(ResnetGenerator):
    """A generator in a memory that holds so many pixels, whole."""

    pixels = 0
    error: Exception = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x[:, 0].numel() > self.pixels:
            raise self.error
        return super().forward(x)


def _generator(
    skip: bool = False, kind: type[ResnetGenerator] = ResnetGenerator, resampling: Resampling = "blur"
) -> ResnetGenerator:
    network = kind(4, 2, skip, resampling)
    initialise(network, torch.Generator().manual_seed(0), std=0.2)
    return network.eval()


def _translator(network: torch.nn.Module, tile: int | None = None) -> WholeImageTranslator:
    return WholeImageTranslator(network, MULTIPLE, MINIMUM, torch.device("cpu"), tile)


def _uneven(height: int, width: int) -> torch.Tensor:
    """Noise whose mean and contrast change across the image, so that no part has the whole's statistics."""
    x = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return x * torch.linspace(0.05, 0.6, width) + torch.linspace(-0.4, 0.4, height)[:, None]


@pytest.mark.parametrize(
    ("skip", "resampling"),
    [(False, "blur"), (True, "blur"), (False, "stride"), (False, "gaussian"), (True, "gaussian")],
)
@pytest.mark.parametrize("size", [(132, 200), (16, 164), (100, 20), (16, 16)])
@torch.inference_mode()
def test_tiles_give_the_whole_image(size, skip, resampling) -> None:
    network, x = _generator(skip, resampling=resampling), _uneven(*size)
    whole, tiled = network(x), translate_tiled(network, x, 32)
    assert tiled.shape == whole.shape
    assert (tiled - whole).abs().max() < 1e-3, "7.8e-3 is 1/255 of the range"
    if size == (132, 200):
        alone = torch.cat([network(part) for part in x.split(40, 3)], 3)
        assert (alone - whole).abs().mean() > 0.05, "tiles with statistics of their own are visibly different"


@torch.inference_mode()
def test_each_image_of_a_batch_keeps_its_own_statistics() -> None:
    network, x = _generator(), torch.cat([_uneven(64, 80), -0.5 * _uneven(64, 80).flip(3)])
    assert (translate_tiled(network, x, 32) - network(x)).abs().max() < 1e-3


@pytest.mark.parametrize(("cells", "size"), [(8, 8), (9, 8), (50, 8), (33, 16), (4, 8)])
def test_tiles_cover_everything_once(cells, size) -> None:
    spans = _spans(cells, size, 3)
    assert (spans[0].start, spans[-1].stop) == (0, cells)
    assert all(a.stop == b.start for a, b in pairwise(spans))
    assert all(min(cells, 4) <= s.stop - s.start <= size for s in spans)


def test_tiles_too_small_to_feather_are_refused() -> None:
    with pytest.raises(ValueError, match="tiles of 16 pixels: they need 32"):
        translate_tiled(_generator(), _uneven(64, 64), 16)


def _images(*sizes: tuple[int, int]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*size, 3)).astype(np.uint8) for size in sizes]


def test_configured_tiles_change_less_than_rounding() -> None:
    image = _images((101, 135))
    whole = _translator(_generator())(image, ["a"])[0]
    tiled = _translator(_generator(), tile=64)(image, ["a"])[0]
    assert tiled.shape == (101, 135, 3)
    assert np.abs(whole.astype(int) - tiled).max() <= 1
    assert np.mean(whole != tiled) < 0.01
    strict = _generator(kind=Small)
    strict.pixels = 64 * 64
    assert np.array_equal(_translator(strict, tile=64)(image, ["a"])[0], tiled), "never tried whole"


@pytest.mark.parametrize("message", ["CUDA out of memory", "DefaultCPUAllocator: can't allocate memory: you tried"])
def test_what_does_not_fit_is_translated_in_parts(message, caplog) -> None:
    images = _images((60, 80), (60, 80))
    expected = _translator(_generator())(images, ["a", "b"])
    network = _generator(kind=Small)
    network.error = torch.OutOfMemoryError(message) if "CUDA" in message else RuntimeError(message)
    for pixels in (60 * 80, 0):  # one image fits; none does
        network.pixels = pixels
        caplog.clear()
        translator = _translator(network)
        for found, wanted in zip(translator(images, ["a", "b"]), expected, strict=True):
            assert np.abs(found.astype(int) - wanted).mean() < 0.1
        assert "2 image(s) of 80x60 do not fit into memory" in caplog.text
        assert ("1 image(s) of 80x60 do not fit into memory" in caplog.text) == (pixels == 0)
    caplog.clear()
    translator(images, ["a", "b"])
    assert not caplog.text, "what did not fit is not tried again"


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    network = _generator(kind=Small)
    network.error = RuntimeError("expected 3 channels")
    with pytest.raises(RuntimeError, match="expected 3 channels"):
        _translator(network)(_images((40, 40)), ["a"])


def test_a_network_without_tiles_names_the_image(make_table, tmp_path) -> None:
    class Large(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise MemoryError

    with pytest.raises(PixelError, match=r"big0.png: 40x36 does not fit into memory"):
        translate_table(make_table("big", 1), _translator(Large()), tmp_path, "net")
