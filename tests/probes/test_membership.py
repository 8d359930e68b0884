"""Membership scores against known distributions, and the attacks against networks whose answers are known."""

import numpy as np
import pytest
import torch
from scipy.special import ndtr
from torch import Tensor

from tauscope.metrics.intervals import clopper_pearson
from tauscope.probes.attacks import loss_scores, pia_scores, sima_scores
from tauscope.probes.membership import auc_interval, separation
from tauscope.process import linear_schedule

DIFFUSION = linear_schedule(1000, beta_min=1e-4, beta_max=2e-2, first_trained_index=1)
TRAIN, HELD_OUT = (torch.randn(32, 1, 4, 4, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
INDEX, SMALL = 100, 10


class Memorizer:
    """Predicts the noise that the nearest training image would have had: the exact answer of a perfect copier at little noise."""

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        alpha_bar = DIFFUSION.at(t, like=x_t)
        distance = torch.cdist((x_t / alpha_bar.sqrt()).flatten(1), TRAIN.flatten(1))
        return (x_t - alpha_bar.sqrt() * TRAIN[distance.argmin(1)]) / (1 - alpha_bar).sqrt()


class Ignorant:
    """The exact answer for standard normal data, of which both sets are draws: it knows neither."""

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        return (1 - DIFFUSION.at(t, like=x_t)).sqrt() * x_t


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.5])
def test_the_auc_of_two_gaussians_is_the_closed_form(shift: float) -> None:
    rng = np.random.default_rng(3)
    found = separation(rng.normal(shift, 1, 20_000), rng.normal(0, 1, 20_000))
    assert found.auc[0] == pytest.approx(ndtr(shift / 2**0.5), abs=0.01)  # Three standard errors at AUC 1/2.
    assert found.auc[1] < found.auc[0] < found.auc[2]


def test_the_auc_is_the_share_of_pairs_in_order_with_ties_counted_half() -> None:
    members, others = np.array([1.0, 2.0, 2.0, 5.0]), np.array([0.0, 2.0, 3.0])
    pairs = [(a > b) + 0.5 * (a == b) for a in members for b in others]
    assert separation(members, others).auc[0] == pytest.approx(sum(pairs) / 12)


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.5])
def test_the_interval_of_the_auc_covers_the_truth_for_few_members(shift: float) -> None:
    rng = np.random.default_rng(4)
    truth = ndtr(shift / 2**0.5)
    trials = [separation(rng.normal(shift, 1, 16), rng.normal(0, 1, 128)).auc for _ in range(1000)]
    covered = sum(bool(low <= truth <= high) for _, low, high in trials)
    assert clopper_pearson(covered, 1000)[1] >= 0.95  # What was seen does not speak against 95 %.


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_perfect_separation_of_few_images_is_not_called_certain(value: float) -> None:
    low, high = auc_interval(value, 16, 128)
    assert low <= value <= high
    assert high - low > 0.05


def test_hits_are_counted_above_a_threshold_that_one_percent_of_the_non_members_exceed() -> None:
    found = separation(np.array([97.5, 98.5, 99.5, 200.0]), np.arange(100.0))
    assert found.tpr is not None
    assert found.tpr[0] == 0.75  # One of 100 non-members, 99, may lie above; the threshold is the next one, 98.
    assert found.tpr[1:] == clopper_pearson(3, 4)


def test_one_percent_of_fewer_than_a_hundred_is_not_reported() -> None:
    assert separation(np.ones(5), np.zeros(99)).tpr is None


def test_scores_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="diverged"):
        separation(np.array([np.nan]), np.zeros(3))


def attack(name: str, network: Memorizer | Ignorant, images: Tensor) -> np.ndarray:
    match name:
        case "loss":
            eps = torch.randn(images.shape, generator=torch.Generator().manual_seed(5))
            return loss_scores(network, images, eps, DIFFUSION, index=INDEX).numpy()
        case "pia":
            return pia_scores(network, images, DIFFUSION, index=INDEX).numpy()
        case _:
            return sima_scores(network, images, index=SMALL).numpy()


@pytest.mark.parametrize("name", ["loss", "pia", "sima"])
def test_every_attack_finds_the_members_of_a_perfect_copier(name: str) -> None:
    found = separation(attack(name, Memorizer(), TRAIN), attack(name, Memorizer(), HELD_OUT))
    assert found.auc[0] > 0.99


@pytest.mark.parametrize("name", ["loss", "pia", "sima"])
def test_no_attack_tells_members_from_others_where_the_network_knows_neither(name: str) -> None:
    found = separation(attack(name, Ignorant(), TRAIN), attack(name, Ignorant(), HELD_OUT))
    assert found.auc[1] < 0.5 < found.auc[2]


def test_the_attacks_are_their_formulas() -> None:
    """For eps_hat = sqrt(1 - alpha_bar) x every score has a closed form in x."""
    x = HELD_OUT.double()
    a1, at = (float(DIFFUSION.alpha_bar[i]) for i in (1, INDEX))
    eps_0 = (1 - a1) ** 0.5 * x
    x_t = at**0.5 * x + (1 - at) ** 0.5 * eps_0
    pia = -(eps_0 - (1 - at) ** 0.5 * x_t).flatten(1).abs().pow(4).sum(1).pow(0.25)
    sima = -((1 - float(DIFFUSION.alpha_bar[SMALL])) ** 0.5 * x).flatten(1).abs().pow(4).sum(1).pow(0.25)
    np.testing.assert_allclose(attack("pia", Ignorant(), HELD_OUT), pia.numpy(), rtol=1e-5)  # float32 networks
    np.testing.assert_allclose(attack("sima", Ignorant(), HELD_OUT), sima.numpy(), rtol=1e-5)
