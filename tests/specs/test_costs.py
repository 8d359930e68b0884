"""The cost of a run counts what is measured of it: what the network is really asked, and features by the time they take."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tauscope.analysis.run_costs import Timed, cost_in
from tauscope.contracts.exploration import BudgetKind
from tauscope.datasets import load_split
from tauscope.experiments.image_measurement import ImageMeasurement
from tauscope.experiments.image_set import ImageSet
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.feature_seconds import feature_seconds
from tauscope.specs.features import InceptionFeatures, MobileNetFeatures, PixelsPcaFeatures

MOBILENET = {"name": "mobilenet_v2", "metrics": ["kid"]}


def spec(width: int = 16, **measurement: Any) -> ImageDdpmSpec:
    """Measured once, at its last step."""
    measured = {"schedule": {"kind": "explicit", "at": [12]}, "n_generated": 32, "loss_pairs": 32, **measurement}
    network = {"base_width": width, "multipliers": [1, 2], "blocks": 1, "attention": [False, True]}
    document = {"dataset": {"n_train": 40, "n_held_out": 300}, "network": network, "steps": 12, "batch_size": 8, "measurement": measured}
    return ImageDdpmSpec.model_validate(document)


class Counting(nn.Module):
    """Predicts no noise, and counts the images it is asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.weight = 0, nn.Parameter(torch.eye(2))

    def forward(self, x_t: Tensor, t: Tensor, *labels: Tensor) -> Tensor:
        self.asked += len(x_t)
        return torch.zeros_like(x_t)


def asked_by_measuring(of: ImageDdpmSpec) -> int:
    split = load_split(of.dataset)
    images = ImageSet(*(torch.from_numpy(part).float() / 255 for part in (split.train, split.held_out)))
    network = Counting()
    ImageMeasurement(of, images, Diffusion.of(of.process)).without_samples(network, 12, {})
    return network.asked


@pytest.mark.parametrize("beside", [{"probes": {"images": 100, "points": 20}}, {"spectrum": {}}, {"loss_grid": {"count": 5, "pairs": 40}}])
def test_probes_spectrum_and_losses_over_noise_levels_cost_as_many_evaluations_as_they_make(beside: dict[str, Any]) -> None:
    made = asked_by_measuring(spec(**beside)) - asked_by_measuring(spec())
    assert spec(**beside).cost() - spec().cost() == made > 0


def test_what_none_of_these_is_asked_of_costs_what_it_did() -> None:
    evaluations = spec().measurement.sampler.evaluations(1000)
    assert spec().cost() == 3 * 12 * 8 + 32 * evaluations


def test_features_cost_evaluations_that_take_as_long() -> None:
    beside = spec(features=[MOBILENET]).cost() - spec().cost()
    seconds = feature_seconds(MobileNetFeatures(metrics=("kid",)), 32)
    assert seconds == pytest.approx(32 * 6.1e-3)
    plain = spec()
    assert beside * plain.parameters * plain.dataset.size**2 * 1e-11 == pytest.approx(seconds)
    wide = spec(width=32, features=[MOBILENET]).cost() - spec(width=32).cost()
    assert wide < beside / 3, "an evaluation of a wide network takes longer, the features do not"


def test_a_slower_network_more_samples_and_dear_qualities_take_longer() -> None:
    pca, mobilenet, inception = (kind(metrics=("kid",)) for kind in (PixelsPcaFeatures, MobileNetFeatures, InceptionFeatures))
    assert feature_seconds(pca, 500) < feature_seconds(mobilenet, 500) < feature_seconds(inception, 500)
    assert feature_seconds(inception, 5000) == feature_seconds(inception, 500), "of more samples only the first are looked at"
    dear = MobileNetFeatures(metrics=("frechet", "frechet_infinity"))
    assert feature_seconds(dear, 500) == pytest.approx(feature_seconds(mobilenet, 500) + 2.5 * 1280 / 2048)


def test_an_exploration_counts_features_at_the_width_it_plans_for() -> None:
    asked = spec(features=[MOBILENET])
    timed = [Timed(32, spec(width=32, features=[MOBILENET]).cost(), 60.0)]
    assert cost_in(BudgetKind.SECONDS, asked, timed)(40, 32, 0, 12) == pytest.approx(60.0)
