import numpy as np
import pytest
import torch

from tasks.translate.errors import WeightsError
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.patchnce import Projection, draw_places, patch_nce
from tasks.translate.networks.resampling import Resampling
from tasks.translate.networks.resnet import ResnetGenerator
from tasks.translate.networks.weights import load_weights, save_weights
from tasks.translate.networks.whole_image import to_images, to_tensor, translate_padded


def _count(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_full_size_parameters_are_those_of_the_paper() -> None:
    assert _count(ResnetGenerator(64, 9)) == 11_378_179


@pytest.mark.parametrize("resampling", ["blur", "stride", "gaussian"])
def test_encode_gives_the_layers_it_names(resampling: Resampling) -> None:
    network = ResnetGenerator(4, 6, resampling=resampling)
    layers = (0, 4, 8, 12, 16)
    x = torch.rand(1, 3, 32, 48) * 2 - 1
    features = network.encode(x, layers)
    # A strided convolution's own output is the smaller one.
    after = [(8, 16, 24), (16, 8, 12)] if resampling == "stride" else [(8, 32, 48), (16, 16, 24)]
    assert [tuple(f.shape[1:]) for f in features] == [(3, 38, 54), *after, (16, 8, 12), (16, 8, 12)]
    assert [f.shape[1] for f in features] == network.widths(layers)
    assert (features[1] < 0).any(), "taken before the norm and the ReLU"
    image, same = network.translate_and_encode(x, layers)
    assert torch.equal(image, network(x))
    assert all(torch.equal(a, b) for a, b in zip(features, same, strict=True))
    for layer, at in zip(layers, features, strict=True):
        torch.testing.assert_close(network.decode(x, at, layer), image)


def test_skip_adds_to_the_inverse_hyperbolic_tangent_and_stays_in_range() -> None:
    network, x = ResnetGenerator(4, 2, skip=True), torch.rand(1, 3, 16, 20) * 2 - 1
    change = network.layers(x)
    torch.testing.assert_close(network(x), torch.tanh(torch.atanh(0.98 * x) + change) / 0.98)
    with torch.no_grad():
        network.layers[-2].bias += 50  # as far as it can go
    black = torch.full((1, 3, 16, 20), -1.0)
    assert (network(black) < -0.8).all()  # black stays dark
    assert (network(-black) <= 1 / 0.98).all()


def test_skip_starts_near_the_identity() -> None:
    network = ResnetGenerator(4, 2, skip=True)
    initialise(network, torch.Generator().manual_seed(0), std=1e-4)
    x = torch.rand(1, 3, 16, 16) * 2 - 1
    assert (network(x) - x).abs().max() < 0.01


def test_patch_nce_is_infonce() -> None:
    rng = np.random.default_rng(0)
    q, k = (x / np.linalg.norm(x, axis=2, keepdims=True) for x in rng.normal(size=(2, 2, 5, 3)))
    expected = []
    for n in range(2):
        for s in range(5):
            logits = k[n] @ q[n, s] / 0.07
            expected.append(-(logits[s] - np.log(np.exp(logits).sum())))
    found = patch_nce(torch.tensor(q), torch.tensor(k), 0.07)
    assert found.item() == pytest.approx(np.mean(expected), rel=1e-5)


def test_patch_nce_does_not_move_the_keys() -> None:
    q, k = (torch.randn(1, 4, 3, requires_grad=True) for _ in range(2))
    patch_nce(q, k, 0.07).backward()
    assert q.grad is not None
    assert k.grad is None


def test_projection_takes_places_and_normalises() -> None:
    features = [torch.randn(2, 3, 4, 5), torch.randn(2, 6, 2, 2)]
    places = draw_places(features, 7, torch.Generator().manual_seed(0))
    assert [len(set(p.tolist())) for p in places] == [7, 4], "no place twice, no more than there are"
    projection = Projection([3, 6], 8)
    vectors = projection(features, places)
    assert [tuple(v.shape) for v in vectors] == [(2, 7, 8), (2, 4, 8)]
    assert torch.allclose(vectors[0].norm(dim=2), torch.ones(2, 7), atol=1e-5)
    row, column = divmod(int(places[0][3]), 5)
    alone = torch.nn.functional.normalize(projection.heads[0](features[0][1, :, row, column]), dim=0)
    assert torch.allclose(vectors[0][1, 3], alone, atol=1e-6)


@pytest.mark.parametrize("size", [(17, 30), (16, 16), (19, 21)])
def test_any_size_comes_back_exactly(size: tuple[int, int]) -> None:
    x = torch.rand(1, 3, *size)
    seen = []

    def network(y: torch.Tensor) -> torch.Tensor:
        seen.append(y.shape[2:])
        return y

    assert torch.equal(translate_padded(network, x, 4), x)
    assert all(side % 4 == 0 for side in seen[0])


def test_pixels_survive_the_tensor() -> None:
    images = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    tensor = to_tensor(images, torch.device("cpu"))
    assert tensor.min() == -1
    assert tensor.max() == 1
    assert np.array_equal(to_images(tensor), images)


def test_weights_files_are_checked(tmp_path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, dict(ResnetGenerator(4, 1).named_parameters()))
    load_weights(path, ResnetGenerator(4, 1))
    with pytest.raises(WeightsError, match=r"w.safetensors: made for another architecture.*check 'generator'"):
        load_weights(path, ResnetGenerator(4, 2))
    with pytest.raises(WeightsError) as caught:
        load_weights(path, ResnetGenerator(4, 1, resampling="stride"))
    first = "layers.14.weight: [8, 16, 3, 3] instead of [16, 8, 3, 3]"
    assert f"made for another architecture ({first}; layers.18.weight" in str(caught.value), "sizes are the same"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(WeightsError, match="not a safetensors file"):
        load_weights(path, ResnetGenerator(4, 1))
