"""alpha and alpha_ho against scores that are known: of a copier, of the population, of the mean of both sets."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tauscope.metrics.intervals import clopper_pearson, ratio_interval
from tauscope.probes.projection import ProjectionProbe
from tauscope.process import linear_schedule
from tauscope.theory.mixture import Mixture

DIFFUSION = linear_schedule(1000, beta_min=1e-4, beta_max=2e-2)
INDEX = 100
ALPHA_BAR = float(DIFFUSION.alpha_bar[INDEX])


def gaussian(n: int, seed: int) -> Tensor:
    return torch.randn(n, 1, 4, 4, generator=torch.Generator().manual_seed(seed))


def probe(seed: int, *, n: int = 24, points: int = 48) -> ProjectionProbe:
    train, held_out = gaussian(n, 2 * seed), gaussian(n, 2 * seed + 1)
    generator = torch.Generator().manual_seed(10_000 + seed)
    return ProjectionProbe.held_out(train, held_out, DIFFUSION, index=INDEX, points=points, generator=generator)


def test_a_perfect_copier_has_one_half_and_the_mean_of_both_sets_none() -> None:
    found = probe(0)
    assert found.of_score(found.s_0 + found.delta / 2) == pytest.approx((0.5, 0.5, 0.5))
    assert found.of_score(found.s_0) == pytest.approx((0.0, 0.0, 0.0))
    assert found.of_score(found.s_0 - found.delta / 2)[0] == pytest.approx(-0.5)


def test_a_network_is_asked_for_its_noise() -> None:
    found = probe(0)
    score = (found.s_0 + found.delta / 2).float()
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
        value, low, high = found.of_score(-found.at.x_t.double())
        assert abs(value) < 0.3
        covered += low <= 0 <= high
    assert clopper_pearson(covered, 200)[1] >= 0.95  # What was seen does not speak against 95 %.


def test_half_way_between_population_and_copier_lies_in_between() -> None:
    found = probe(1, n=64, points=128)
    copier = found.s_0 + found.delta / 2
    value, low, high = found.of_score((copier - found.at.x_t.double()) / 2)
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


def known(seed: int, *, n: int = 24, points: int = 96) -> ProjectionProbe:
    population = Mixture.of(torch.zeros(1, 16), 1.0)
    generator = torch.Generator().manual_seed(20_000 + seed)
    return ProjectionProbe.known(gaussian(n, seed), population, DIFFUSION, index=INDEX, points=points, generator=generator)


def test_with_the_population_known_alpha_goes_from_its_score_to_the_memorizers() -> None:
    found = known(0)
    torch.testing.assert_close(found.s_0, -found.at.x_t.double())  # A standard normal stays one.
    for share in (0.0, 0.3, 1.0):
        score = found.s_0 + share * found.delta
        assert found.of_score(score) == pytest.approx((share, share, share))
        assert found.orthogonal(score) == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)


def test_what_is_no_copying_is_orthogonal_and_leaves_alpha_alone() -> None:
    """Noise of the direction's own length and independent of it: alpha .2 as without, orthogonal length about 1."""
    found = known(1, n=200, points=400)
    noise = torch.randn(found.delta.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    score = found.s_0 + 0.2 * found.delta + noise * found.delta.square().mean().sqrt()
    value, low, high = found.of_score(score)
    assert low < 0.2 < high
    assert value == pytest.approx(0.2, abs=4 / (400 * 16) ** 0.5)  # four standard errors of a mean of 6,400 products
    across, below, above = found.orthogonal(score)
    assert below < across < above
    assert across == pytest.approx(1, abs=0.05)


def test_the_intervals_of_alpha_and_of_its_orthogonal_part_cover_what_many_points_say() -> None:
    """A score that is wrong everywhere by a constant: the truths are those of 40 times as many points on one training set."""
    train, population = gaussian(32, 0), Mixture.of(torch.zeros(1, 16), 1.0)

    def drawn(seed: int, points: int) -> ProjectionProbe:
        generator = torch.Generator().manual_seed(seed)
        return ProjectionProbe.known(train, population, DIFFUSION, index=INDEX, points=points, generator=generator)

    many = drawn(0, 96 * 40)
    truth = many.of_score(many.s_0 + 0.5)[0], many.orthogonal(many.s_0 + 0.5)[0]
    held = np.zeros(2)
    for seed in range(1, 101):
        found = drawn(seed, 96)
        for place, (_, low, high) in enumerate((found.of_score(found.s_0 + 0.5), found.orthogonal(found.s_0 + 0.5))):
            held[place] += low <= truth[place] <= high
    assert all(clopper_pearson(int(count), 100)[1] >= 0.95 for count in held)
