"""Translation at another width: sizes, and the detail that comes back."""

import cv2
import numpy as np
import pytest
import torch

from tasks.audit.detail import DetailMaps
from tasks.translate.apply import translate_table
from tasks.translate.methods.base import Resources
from tasks.translate.methods.trained import load_generator
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.resnet import MULTIPLE, ResnetGenerator
from tasks.translate.networks.weights import save_weights
from tasks.translate.networks.whole_image import WholeImageTranslator
from tasks.translate.sections.learned import MINIMUM
from tasks.translate.upsampling import AppliedWidth, guided_upsampling


def _street(width: int = 240, height: int = 180) -> np.ndarray:
    """Large areas, thin lines and fine texture."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(30, 226, (height // 30, width // 30, 3)).astype(np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST).astype(np.float32)
    image[:, ::23] *= 0.6
    image += rng.normal(0, 6, image.shape)
    return image.clip(0, 255).astype(np.uint8)


def _graded(image: np.ndarray) -> np.ndarray:
    """A change of colours that is not linear: another gamma for each channel, less saturation."""
    values = (image / 255.0) ** np.array([0.7, 1.3, 0.9])
    grey = values.mean(2, keepdims=True)
    return ((grey + 0.6 * (values - grey)) * 230 + 10).round().astype(np.uint8)


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


def _at_half(image: np.ndarray, upsampling: str) -> np.ndarray:
    width = AppliedWidth(image.shape[1] // 2, upsampling, MINIMUM)
    shrunk = width.shrunk(image)
    return width.restored(_graded(shrunk), shrunk, image)


def test_colours_changed_at_half_the_width_are_those_of_the_whole() -> None:
    image = _street()
    wanted = _graded(image)
    guided, lanczos = (_at_half(image, way) for way in ("guided", "lanczos"))
    assert _psnr(guided, wanted) > 45 > 35 > _psnr(lanczos, wanted)
    kept, lost = (np.array(DetailMaps.of(wanted, made).measure()) for made in (guided, lanczos))
    assert (kept > (0.98, 0.85, 0.85)).all(), "gradients, edges and the high band, as the audit measures them"
    assert (lost < kept).all()
    assert lost[2] < 0.3


def test_what_the_source_does_not_explain_is_kept() -> None:
    """Something painted where the source is flat comes back as by interpolation, and nowhere else."""
    source = np.full((80, 120, 3), 120, np.uint8)
    shrunk = np.full((40, 60, 3), 120, np.uint8)
    painted = shrunk.copy()
    painted[15:25, 20:40] = (200, 60, 90)
    result = guided_upsampling(painted, shrunk, source)
    plain = cv2.resize(painted, (120, 80), interpolation=cv2.INTER_CUBIC)
    assert np.abs(result.astype(int) - plain).mean() < 1
    assert np.abs(result[34:46, 44:76].astype(int) - (200, 60, 90)).max() <= 3
    assert np.abs(result[:20].astype(int) - 120).max() <= 1


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        *(((480, 360), (240, 180)), ((481, 361), (240, 180)), ((240, 50), (240, 50)), ((100, 80), (100, 80))),
        *(((480, 17), (452, 16)), ((480, 16), (480, 16)), ((17, 900), (17, 900)), ((300, 300), (240, 240))),
    ],
)
def test_sizes_are_those_of_the_width_and_never_larger_or_too_small(image, wanted) -> None:
    assert AppliedWidth(240, "guided", 16).size(*image) == wanted


class Inverted(torch.nn.Module):
    """The negative, and the sizes that it has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[int, ...]] = set()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.add(tuple(x.shape))
        return -x


@pytest.mark.parametrize("upsampling", ["guided", "lanczos"])
def test_tables_of_any_size_in_batches(make_table, tmp_path, upsampling) -> None:
    network = Inverted()
    width = AppliedWidth(24, upsampling, MINIMUM)
    translator = WholeImageTranslator(network, MULTIPLE, MINIMUM, torch.device("cpu"), at_width=width)
    translator.batch_pixels = 2 * 48 * 36
    table = make_table("s", sizes=[(48, 36), (48, 36), (41, 37), (19, 22), (16, 16), (33, 17)])
    translate_table(table, translator, tmp_path, "net")
    assert network.seen == {(2, 3, 20, 24), (1, 3, 24, 24), (1, 3, 24, 20), (1, 3, 16, 16), (1, 3, 16, 32)}
    for sample in table:
        before, after = (cv2.imread(str(p)).astype(int) for p in (sample.image, tmp_path / f"images/{sample.id}.png"))
        assert after.shape == before.shape
        assert np.abs(after - (255 - before)).mean() < (1.5 if upsampling == "guided" else 6)


def test_a_configured_width_reaches_the_network_and_the_key(make_cut, tmp_path) -> None:
    plain = make_cut()
    network = ResnetGenerator(**plain.generator.model_dump())
    initialise(network, torch.Generator().manual_seed(0), std=0.2)
    save_weights(tmp_path / "w.safetensors", network.state_dict())
    at_width, lanczos = (
        type(plain).model_validate({**plain.model_dump(), "apply_width": 120, "apply_upsampling": way})
        for way in ("guided", "lanczos")
    )
    assert at_width.translation_slice() == {
        **plain.translation_slice(),
        "apply_width": 120,
        "apply_upsampling": "guided",
    }
    assert "apply_upsampling" not in plain.translation_slice()
    assert at_width.training_slice() == lanczos.training_slice() == plain.training_slice()
    image = _street()
    made = [
        load_generator(c, Resources(weights=tmp_path / "w.safetensors"))([image], ["a"])[0]
        for c in (plain, at_width, lanczos)
    ]
    assert {m.shape for m in made} == {image.shape}
    assert len({m.tobytes() for m in made}) == 3
    tiled = type(plain).model_validate({**at_width.model_dump(), "tile": 64})
    by_tiles = load_generator(tiled, Resources(weights=tmp_path / "w.safetensors"))([image], ["a"])[0]
    assert np.abs(by_tiles.astype(int) - made[1]).mean() < 0.05
