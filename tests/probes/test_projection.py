"""alpha_ho against scores that are known: of a copier, of the population, of the mean of both sets."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tauscope.metrics.intervals import clopper_pearson, ratio_interval
from tauscope.probes.projection import ProjectionProbe
from tauscope.process import linear_schedule

DIFFUSION = linear_schedule(1000, beta_min=1e-4, beta_max=2e-2)
INDEX = 100
ALPHA_BAR = float(DIFFUSION.alpha_bar[INDEX])


def gaussian(n: int, seed: int) -> Tensor:
    return torch.randn(n, 1, 4, 4, generator=torch.Generator().manual_seed(seed))


def probe(seed: int, *, n: int = 24, points: int = 48) -> ProjectionProbe:
    train, held_out = gaussian(n, 2 * seed), gaussian(n, 2 * seed + 1)
    generator = torch.Generator().manual_seed(10_000 + seed)
    return ProjectionProbe.draw(train, held_out, DIFFUSION, index=INDEX, points=points, generator=generator)


def test_a_perfect_copier_has_one_half_and_the_mean_of_both_sets_none() -> None:
    found = probe(0)
    assert found.of_score(found.s_bar + found.delta / 2) == pytest.approx((0.5, 0.5, 0.5))
    assert found.of_score(found.s_bar) == pytest.approx((0.0, 0.0, 0.0))
    assert found.of_score(found.s_bar - found.delta / 2)[0] == pytest.approx(-0.5)


def test_a_network_is_asked_for_its_noise() -> None:
    found = probe(0)
    score = (found.s_bar + found.delta / 2).float()
    answer = -score * (1 - ALPHA_BAR) ** 0.5

    def network(x_t: Tensor, t: Tensor) -> Tensor:
        assert bool((t == INDEX).all())
        return answer

    assert found.measure(network)[0] == pytest.approx(0.5, abs=1e-5)


def test_the_interval_over_images_covers_zero_for_the_score_of_the_population() -> None:
    """For standard normal data the noised population is standard normal too: its score is -x."""
    covered = 0
    for seed in range(200):
        found = probe(seed)
        value, low, high = found.of_score(-found.x_t.double())
        assert abs(value) < 0.3
        covered += low <= 0 <= high
    assert clopper_pearson(covered, 200)[1] >= 0.95  # What was seen does not speak against 95 %.


def test_half_way_between_population_and_copier_lies_in_between() -> None:
    found = probe(1, n=64, points=128)
    copier = found.s_bar + found.delta / 2
    value, low, high = found.of_score((copier - found.x_t.double()) / 2)
    assert low < value < high
    assert value == pytest.approx(0.25, abs=0.05)


def test_the_jackknife_of_a_ratio_agrees_with_the_delta_method() -> None:
    rng = np.random.default_rng(0)
    bottom = rng.uniform(1, 2, 400)
    top = 0.3 * bottom + rng.normal(0, 0.1, 400)
    value, low, high = ratio_interval(top, bottom)
    error = np.std(top - value * bottom, ddof=1) / bottom.mean() / 400**0.5
    assert value == pytest.approx(0.3, abs=0.02)
    assert (high - low) / 2 == pytest.approx(1.966 * error, rel=0.02)  # Student's quantile at 399 degrees
