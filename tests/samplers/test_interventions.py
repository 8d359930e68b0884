"""What is changed of a score while sampling: a filter of known response, and a projection on a known direction."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tauscope.process import Diffusion, linear_schedule
from tauscope.process.diffusion import predict_x0
from tauscope.samplers import sample_ddim
from tauscope.samplers.low_pass import low_pass_gain, low_passed
from tauscope.samplers.projection import from_held_out, from_network, from_population, projected
from tauscope.theory.empirical import empirical_eps
from tauscope.theory.mixture import Mixture

SIZE = 8


@pytest.fixture
def diffusion() -> Diffusion:
    return linear_schedule(1000, beta_min=1e-4, beta_max=2e-2, first_trained_index=1)


def wave(k: int, l: int) -> Tensor:  # noqa: E741
    """One real Fourier mode of an 8x8 image."""
    rows, columns = torch.meshgrid(torch.arange(SIZE).double(), torch.arange(SIZE).double(), indexing="ij")
    return torch.cos(2 * torch.pi * (k * rows + l * columns) / SIZE)[None, None]


@pytest.mark.parametrize(("k", "l", "kept"), [(0, 0, 1.0), (1, 1, 1.0), (2, 0, 0.5), (0, 3, 0.0), (4, 4, 0.0)])
def test_a_wave_is_kept_by_the_filters_gain_at_its_frequency(k: int, l: int, kept: float, diffusion: Diffusion) -> None:  # noqa: E741
    """At cut-off 2 and edge 1: all up to 1.5 cycles per image, half at 2, nothing from 2.5 on."""
    x_t, t = torch.randn(3, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0), dtype=torch.float64), torch.full((3,), 200)
    alpha_bar = float(diffusion.alpha_bar[200])

    def says_wave(x: Tensor, _: Tensor) -> Tensor:
        return (x - alpha_bar**0.5 * wave(k, l)) / (1 - alpha_bar) ** 0.5

    eps = low_passed(says_wave, diffusion, cutoff=2.0, edge=1.0)(x_t, t)
    assert torch.allclose(predict_x0(x_t, eps, alpha_bar), (kept * wave(k, l)).expand(3, 1, SIZE, SIZE), atol=1e-12)


def test_a_filter_that_keeps_all_changes_nothing_but_rounding(diffusion: Diffusion) -> None:
    x_t = torch.randn(4, 2, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    for index in (1, 100, 999):
        t = torch.full((4,), index)
        plain = 0.3 * x_t
        assert torch.allclose(low_passed(lambda x, _: 0.3 * x, diffusion, cutoff=9.0, edge=1.0)(x_t, t), plain, atol=2e-4)


def test_the_gain_falls_from_one_to_zero_and_is_sharp_without_an_edge() -> None:
    soft, sharp = (low_pass_gain((SIZE, SIZE), cutoff=2.0, edge=edge) for edge in (2.0, 0.0))
    radius = np.hypot(*np.meshgrid(SIZE * np.fft.fftfreq(SIZE), SIZE * np.fft.fftfreq(SIZE)))
    order = np.argsort(radius.ravel())
    assert (np.diff(soft.numpy().ravel()[order]) <= 1e-12).all()
    assert float(soft[0, 0]) == 1
    assert np.array_equal(sharp.numpy(), radius <= 2)


def test_samples_hold_no_frequency_that_was_filtered_out(diffusion: Diffusion) -> None:
    x_T = torch.randn(16, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    model = low_passed(lambda x, t: (1 - diffusion.alpha_bar[t]).sqrt().view(-1, 1, 1, 1) * x, diffusion, cutoff=2.0, edge=1.0)
    samples = sample_ddim(model, diffusion, x_T, steps=20, generator=torch.Generator())
    power = torch.fft.fft2(samples).abs().square().mean(0)[0]
    gone = low_pass_gain((SIZE, SIZE), cutoff=2.0, edge=1.0) == 0
    assert float(power[gone].max()) < 1e-20 < 1e-4 < float(power[~gone].min())


def mixture() -> Mixture:
    return Mixture.of(torch.tensor([[1.0] * 6, [-1.0] * 6]), 1.0)


def population(x_t: Tensor, alpha_bar: float) -> Tensor:
    return -((1 - alpha_bar) ** 0.5) * mixture().noised(alpha_bar).score(x_t)


@pytest.mark.parametrize(("share", "left"), [(0.0, 0.0), (0.4, 0.0), (1.0, 0.0), (1.3, 0.3), (-0.5, -0.5)])
def test_what_leads_from_the_population_to_the_training_set_is_taken_out(share: float, left: float, diffusion: Diffusion) -> None:
    """A score that is a share of the way keeps what exceeds the clip, and all that leads away from the training set."""
    train, _ = mixture().sample(16, torch.Generator().manual_seed(0))
    x_t, index = torch.randn(9, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64), 150
    alpha_bar = float(diffusion.alpha_bar[index])
    known, exact = population(x_t, alpha_bar), empirical_eps(x_t, train, alpha_bar=alpha_bar)
    model = projected(lambda x, t: known + share * (exact - known), diffusion, from_population(train, population))
    assert torch.allclose(model(x_t, torch.full((9,), index)), known + left * (exact - known), atol=1e-12)


def test_what_was_learned_since_an_earlier_step_is_taken_out_as_far_as_it_leads_to_the_training_set(diffusion: Diffusion) -> None:
    train, _ = mixture().sample(16, torch.Generator().manual_seed(0))
    x_t, alpha_bar = torch.randn(5, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64), float(diffusion.alpha_bar[150])

    def earlier(x: Tensor, t: Tensor) -> Tensor:
        assert t.tolist() == [150] * 5
        return 0.9 * population(x, alpha_bar)

    def later(x: Tensor, t: Tensor) -> Tensor:
        return earlier(x, t) + 0.6 * (empirical_eps(x, train, alpha_bar=alpha_bar) - earlier(x, t))

    model = projected(later, diffusion, from_network(train, earlier))
    t = torch.full((5,), 150)
    assert torch.allclose(model(x_t, t), earlier(x_t, t), atol=1e-12)
    assert torch.equal(projected(earlier, diffusion, from_network(train, earlier))(x_t, t), earlier(x_t, t))


def test_what_is_orthogonal_to_that_direction_stays(diffusion: Diffusion) -> None:
    train, _ = mixture().sample(16, torch.Generator().manual_seed(0))
    x_t, alpha_bar = torch.randn(5, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64), float(diffusion.alpha_bar[150])
    known = population(x_t, alpha_bar)
    delta = empirical_eps(x_t, train, alpha_bar=alpha_bar) - known
    other = torch.randn(5, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    other -= (other * delta).sum(1, keepdim=True) / delta.square().sum(1, keepdim=True) * delta
    model = projected(lambda x, t: known + other + 0.7 * delta, diffusion, from_population(train, population))
    assert torch.allclose(model(x_t, torch.full((5,), 150)), known + other, atol=1e-12)


def test_a_memorizers_score_moves_to_the_middle_of_both_sets_and_one_that_knows_neither_stays(diffusion: Diffusion) -> None:
    train, _ = mixture().sample(16, torch.Generator().manual_seed(0))
    held_out, _ = mixture().sample(16, torch.Generator().manual_seed(5))
    x_t, t = torch.randn(7, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64), torch.full((7,), 150)
    alpha_bar = float(diffusion.alpha_bar[150])
    first, second = (empirical_eps(x_t, part, alpha_bar=alpha_bar) for part in (train, held_out))
    direction = from_held_out(train, held_out)
    assert torch.allclose(projected(lambda x, _: first, diffusion, direction)(x_t, t), (first + second) / 2, atol=1e-12)
    middle = (first + second) / 2
    assert torch.allclose(projected(lambda x, _: middle, diffusion, direction)(x_t, t), middle, atol=1e-12)
    half = projected(lambda x, _: first, diffusion, direction, most=0.25)(x_t, t)
    assert torch.allclose(half, first - 0.25 * (first - second), atol=1e-12)


def test_samples_of_an_exact_memorizer_are_the_training_points_and_with_the_projection_none_of_them(diffusion: Diffusion) -> None:
    flat, _ = mixture().sample(32, torch.Generator().manual_seed(0))
    train = flat.view(32, 6, 1, 1)  # Samplers take what has the shape of images.
    x_T = torch.randn(200, 6, 1, 1, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

    def memorizer(x: Tensor, t: Tensor) -> Tensor:
        return empirical_eps(x, train, alpha_bar=float(diffusion.alpha_bar[int(t[0])]))

    def copied(model: object) -> float:
        samples = sample_ddim(model, diffusion, x_T, steps=50, generator=torch.Generator())  # type: ignore[arg-type]
        nearest = torch.cdist(samples.flatten(1), flat).topk(2, largest=False).values
        return float((nearest[:, 0] / nearest[:, 1] < 1 / 3).double().mean())

    assert copied(memorizer) > 0.95
    # Of a population in six dimensions k^d = (1/3)^6 = 0.1 % have so small a gap ratio.
    assert copied(projected(memorizer, diffusion, from_population(train, lambda x, a: population(x.flatten(1), a).view(x.shape)))) < 0.03
