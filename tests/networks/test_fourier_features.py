"""Random Fourier features: their kernel, their scale, and a perceptron that has them only where it is asked."""

import torch

from tauscope.experiments.gmm import build_mlp
from tauscope.experiments.image_ddpm import build_network
from tauscope.networks.fourier_features import FourierFeatures
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.gmm import GmmSpec
from tauscope.specs.mlp import MlpSpec


def test_the_product_of_two_points_features_is_a_gaussian_of_their_distance() -> None:
    """Rahimi and Recht 2007: E cos(b.(x - y)) = exp(-s^2 |x - y|^2 / 2); 40,000 frequencies err by 1/200."""
    torch.manual_seed(0)
    features = FourierFeatures(3, 40_000, scale=0.7)
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
    found = features(x) @ features(x).T / features.size
    expected = torch.exp(-(0.7**2) * torch.cdist(x, x).square() / 2)
    assert torch.allclose(found, expected, atol=0.02)


def build(**network: object) -> torch.nn.Module:
    spec = GmmSpec.model_validate({"network": {"base_width": 16, **network}, "preconditioning": False, "seed": 3})
    return build_mlp(spec, Diffusion.of(spec.process), data_std=1.0)


def test_a_perceptron_has_them_where_it_is_asked_drawn_from_the_runs_seed_and_counted() -> None:
    plain, first, second = build(), build(fourier={"scale": 2.0, "count": 5}), build(fourier={"scale": 2.0, "count": 5})
    assert "fourier.frequencies" not in dict(plain.named_buffers())
    assert torch.equal(first.get_buffer("fourier.frequencies"), second.get_buffer("fourier.frequencies"))
    x, t = torch.randn(4, 8), torch.tensor([1, 10, 100, 900])
    assert torch.equal(first(x, t), second(x, t)) and not torch.equal(first(x, t), plain(x, t))
    trained = sum(parameter.numel() for parameter in first.parameters())
    assert trained == MlpSpec.model_validate({"base_width": 16, "fourier": {"count": 5}}).parameters(8)
    assert sum(p.numel() for p in plain.parameters()) == trained - 10 * 16


def test_a_unet_has_them_of_each_pixels_value_where_it_is_asked() -> None:
    images = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    torch.manual_seed(0)
    features = FourierFeatures(1, 5, scale=2.0)
    by_pixel = features(images.permute(0, 2, 3, 1).reshape(-1, 1)).view(2, 8, 8, 10).permute(0, 3, 1, 2)
    assert torch.allclose(features(images), by_pixel, atol=1e-6)
    small = {"base_width": 8, "multipliers": [1], "blocks": 1, "attention": [False]}
    specs = [ImageDdpmSpec.model_validate({"network": small | further}) for further in ({}, {"fourier": {"count": 5}})]
    plain, told = (build_network(spec, Diffusion.of(spec.process), channels=1, data_std=1.0) for spec in specs)
    assert told(images, torch.tensor([10, 900])).shape == images.shape
    trained = [sum(parameter.numel() for parameter in network.parameters()) for network in (plain, told)]
    assert trained == [spec.parameters for spec in specs]
    assert trained[1] - trained[0] == 9 * 10 * 8


def test_frequencies_are_no_part_of_a_checkpoint() -> None:
    assert not [name for name in build(fourier={}).state_dict() if "frequencies" in name]
