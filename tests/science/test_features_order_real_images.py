"""On real faces the distances of feature networks order what everybody orders: real, a little damaged, badly damaged."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from tauscope.features.network import Images
from tauscope.features.registry import build_features
from tauscope.metrics.feature_frechet import FeatureReference
from tauscope.metrics.kid import kernel_distance
from tauscope.specs.features import Features, InceptionFeatures, MobileNetFeatures
from tests.features.networks import HERE, needs, orl_faces


def faces(people: int) -> tuple[list[Image.Image], list[Image.Image]]:
    """Every second of the ten images of each person, and the others."""
    folder = orl_faces()
    halves: tuple[list[Image.Image], list[Image.Image]] = ([], [])
    for person in range(1, people + 1):
        for number in range(1, 11):
            halves[number % 2].append(Image.open(folder / f"s{person}" / f"{number}.pgm").convert("L"))
    return halves


def stacked(pictures: list[Image.Image]) -> Images:
    return torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures]))[:, None]


def noised(images: Images, deviation: float) -> Images:
    noise = deviation * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return (images.float() + noise).round().clamp(0, 255).to(torch.uint8)


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "people"), [(MobileNetFeatures(), 40), (InceptionFeatures(), 40)])
def test_half_against_half_is_nearer_than_blurred_or_noised_copies_and_more_damage_is_farther(spec: Features, people: int) -> None:
    assert isinstance(spec, InceptionFeatures | MobileNetFeatures)
    needs(spec)
    one, other = faces(people)
    network = build_features(spec, stacked(one), HERE)
    real = network.features(stacked(one))
    reference = FeatureReference.of(real)
    sets = {"other half": stacked(other)}
    sets |= {f"blur {radius}": stacked([face.filter(ImageFilter.GaussianBlur(radius)) for face in other]) for radius in (2, 4)}
    sets |= {f"noise {deviation}": noised(stacked(other), deviation) for deviation in (10, 30)}
    found = {}
    for name, images in sets.items():
        features = network.features(images)
        found[name] = reference.distance_interval(features), kernel_distance(features, real)
        print(f"{spec.name}, {len(images)} images against {len(real)}, {name}: {found[name]}")
    for which in (0, 1):
        half, blur_2, blur_4, noise_10, noise_30 = (estimate[which] for estimate in found.values())
        assert half[0] < blur_2[0] < blur_4[0]
        assert half[0] < noise_10[0] < noise_30[0]
        # Between the least and the most damage the intervals do not touch.
        assert half[2] < blur_4[1]
        assert half[2] < noise_30[1]
