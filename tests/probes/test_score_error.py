"""The error of a score is none where it is exact, and what the loss has beyond its least elsewhere."""

import pytest
import torch

from tauscope.probes.noised_points import NoisedPoints
from tauscope.probes.score_error import KnownScore
from tauscope.theory.mixture import Mixture


def known(score: torch.Tensor, alpha_bar: float, origin: torch.Tensor) -> KnownScore:
    return KnownScore(NoisedPoints(torch.zeros_like(score), 0, alpha_bar, origin), score)


def test_the_exact_score_has_no_error_and_a_constant_one_its_square() -> None:
    score = torch.randn(30, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    at = known(score, 0.75, torch.arange(30) % 10)
    assert at.error(score) == (0.0, 0.0, 0.0)
    assert at.error(score + 2) == pytest.approx((1.0, 1.0, 1.0))  # (1 - .75) 2^2


def test_it_is_what_a_loss_has_beyond_that_of_the_exact_predictor() -> None:
    """E|eps_hat - eps|^2 = E|eps_hat - E[eps | x_t]|^2 + E|E[eps | x_t] - eps|^2, here for a predictor that knows a wrong width."""
    alpha_bar, generator = 0.9, torch.Generator().manual_seed(1)
    law, other = Mixture.of(torch.tensor([[-1.0, 0.0], [1.0, 0.5]]), 0.4), Mixture.of(torch.zeros(1, 2), 1.0)
    x_0, _ = law.sample(40_000, generator)
    eps = torch.randn(x_0.shape, generator=generator, dtype=torch.float64)
    x_t = alpha_bar**0.5 * x_0 + (1 - alpha_bar) ** 0.5 * eps
    exact, wrong = (part.noised(alpha_bar).score(x_t) for part in (law, other))
    losses = [(-((1 - alpha_bar) ** 0.5) * score - eps).square().mean() for score in (wrong, exact)]
    value, low, high = known(exact, alpha_bar, torch.arange(len(x_t))).error(wrong)
    assert low < value < high
    assert value == pytest.approx(float(losses[0] - losses[1]), rel=0.05)  # the cross term's own noise is about 1 %


def test_points_of_one_origin_count_as_one() -> None:
    score = torch.zeros(40, 2, dtype=torch.float64)
    wrong = torch.randn(10, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    once = known(score[:10], 0.5, torch.arange(10)).error(wrong)
    four_times = known(score, 0.5, torch.arange(40) % 10).error(wrong.repeat(4, 1))
    assert four_times == pytest.approx(once)
