"""What theory says of a run on a mixture: the population's losses in closed form, and a projection that has the population as reference."""

from typing import Any

import pytest
import torch

from tauscope.analysis.metrics_info import metric_infos
from tauscope.experiments.mixture_measurement import MixtureMeasurement
from tauscope.experiments.mixture_set import MixtureSet, mixture_of
from tauscope.experiments.theory import DenoiserTheory
from tauscope.process import Diffusion
from tauscope.specs import parse_sweep
from tauscope.specs.gmm import GmmSpec
from tauscope.theory.exact import population_eps
from tauscope.theory.mixture import Mixture

CPU = torch.device("cpu")


def spec(kind: str = "gmm", **further: Any) -> GmmSpec:
    measurement = {
        "schedule": {"kind": "explicit", "at": [4, 8]},
        "n_generated": 64,
        "loss_indices": [150],
        "loss_pairs": 4096,
        "score_indices": [150],
        "score_points": 64,
        **further.pop("measurement", {}),
    }
    document = {"kind": kind, "dataset": {"n_train": 16, "dim": 8}, "steps": 8, "measurement": measurement, **further}
    found = parse_sweep({"name": "x", "base": document}).base
    assert isinstance(found, GmmSpec)
    return found


def test_the_population_of_one_gaussian_loses_what_noise_leaves() -> None:
    """For x_0 ~ N(m, s^2): E|eps_hat - eps|^2 a dimension = alpha_bar s^2 / (alpha_bar s^2 + 1 - alpha_bar)."""
    chosen = spec(dataset={"name": "given", "dim": 8, "components": 1, "means": [2.0] * 8, "sigma": 0.5, "n_train": 16})
    points, diffusion = MixtureSet.draw(chosen, CPU), Diffusion.of(chosen.process)
    found = {point.metric: point for point in DenoiserTheory(chosen, points, diffusion, population_eps(points.population)).measured(4)}
    alpha_bar = float(diffusion.alpha_bar[150])
    expected = alpha_bar * 0.25 / (alpha_bar * 0.25 + 1 - alpha_bar)
    point = found["theory_loss_population_held_out@150"]
    assert point.low is not None and point.high is not None
    # The held-out points are 1,024 and fixed, so the interval over pairs misses some of their chance: twice as wide here.
    assert 2 * point.low - point.high < expected < 2 * point.high - point.low
    assert found["theory_loss_empirical_held_out@150"].value > point.value > found["theory_loss_empirical_train@150"].value  # type: ignore[operator]
    assert set(found) == {name for name in metric_infos(chosen) if name.startswith("theory_")}


@pytest.mark.parametrize(
    ("sigmas", "stds"), [(None, [[0.3, 0.3]] * 2), ([0.5, 1], [[0.5, 1.0]] * 2), ([0.5, 1, 2, 3], [[0.5, 1.0], [2.0, 3.0]])]
)
def test_a_width_is_one_for_all_or_given_by_dimension_or_by_component_too(sigmas: list[float] | None, stds: list[list[float]]) -> None:
    assert mixture_of(spec(dataset={"dim": 2, "n_train": 16, "sigma": 0.3, "sigmas": sigmas}).dataset).stds.tolist() == stds


def test_the_populations_eps_is_the_posterior_mean_of_the_noise() -> None:
    mixture = Mixture.of(torch.tensor([[1.0, 0.5], [-1.0, 2.0]]), 0.8)
    x_t, alpha_bar = torch.randn(9, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64), 0.6
    from_mean = (x_t - alpha_bar**0.5 * mixture.denoised(x_t, alpha_bar)) / (1 - alpha_bar) ** 0.5
    assert torch.allclose(population_eps(mixture)(x_t, alpha_bar), from_mean, atol=1e-12)


@pytest.mark.parametrize("reference", ["population", "held_out"])
def test_a_run_measures_it_once_and_samples_with_a_projection(reference: str) -> None:
    chosen = spec(measurement={"sampler": {"name": "ddim", "steps": 4, "projection": {"reference": reference}}})
    measurement = MixtureMeasurement(chosen, MixtureSet.draw(chosen, CPU), Diffusion.of(chosen.process))

    class Nothing(torch.nn.Module):
        def forward(self, x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            return 0.5 * x_t

    first, later = (measurement.without_samples(Nothing(), step, {}) for step in (4, 8))
    assert len([point for point in first if point.metric.startswith("theory_")]) == 4
    assert not [point for point in later if point.metric.startswith("theory_")]
    assert measurement.sampling.draw(Nothing()).shape == (64, 8)


def test_of_a_label_that_is_told_the_population_is_one_gaussian_and_loses_what_noise_leaves() -> None:
    """Whatever the label: alpha_bar s^2 / (alpha_bar s^2 + 1 - alpha_bar), less than without labels, as centres need not be guessed."""
    told, untold = (spec(kind, dataset={"n_train": 16, "dim": 8, "mu": 0.2, "sigma": 0.5}) for kind in ("gmm_conditional", "gmm"))
    found = {}
    for chosen in (told, untold):
        measurement = MixtureMeasurement(chosen, MixtureSet.draw(chosen, CPU), Diffusion.of(chosen.process))
        found[chosen.kind] = {point.metric: point for point in measurement.theory.measured(4)}
        assert set(found[chosen.kind]) == {name for name in metric_infos(chosen) if name.startswith("theory_")}
    alpha_bar = float(Diffusion.of(told.process).alpha_bar[150])
    expected = alpha_bar * 0.25 / (alpha_bar * 0.25 + 1 - alpha_bar)
    point, without = (found[kind]["theory_loss_population_held_out@150"] for kind in ("gmm_conditional", "gmm"))
    assert point.value is not None and without.value is not None and point.low is not None and point.high is not None
    # As above: the held-out points are 1,024 and fixed.
    assert 2 * point.low - point.high < expected < 2 * point.high - point.low
    assert point.value < without.value


def test_labels_and_points_that_are_no_images_refuse_some_interventions() -> None:
    with pytest.raises(Exception, match="one training score a label"):
        spec("gmm_conditional", measurement={"sampler": {"name": "ddim", "projection": {}}})
    with pytest.raises(Exception, match="filters images"):
        spec(measurement={"sampler": {"name": "ddim", "low_pass": {"cutoff": 2.0}}})
