"""C_T, authenticity, the FLD gap and the Vendi score: by their definitions, and telling copies from real images."""

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu
from sklearn.neighbors import NearestNeighbors

from tauscope.metrics.authenticity import authenticity
from tauscope.metrics.c_t import ThreeSampleTest, k_means, rank_z
from tauscope.metrics.distances import squared_distances
from tauscope.metrics.likelihood_gap import fit_log_widths, likelihood_gap
from tauscope.metrics.vendi import vendi_interval, vendi_score

RNG = np.random.default_rng(0)
TRAIN, HELD_OUT, FRESH = (RNG.normal(size=(300, 6)) for _ in range(3))
COPIES = TRAIN[RNG.integers(300, size=300)] + 0.01 * RNG.normal(size=(300, 6))


def nearest(rows: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    found: tuple[np.ndarray, np.ndarray] = NearestNeighbors(n_neighbors=k).fit(TRAIN).kneighbors(rows)
    return found


def test_c_t_with_one_cell_is_the_mann_whitney_statistic_of_nearest_distances() -> None:
    ours, theirs = nearest(FRESH)[0][:, 0], nearest(HELD_OUT)[0][:, 0]
    u = mannwhitneyu(ours, theirs).statistic
    expected = (u - 300 * 300 / 2) / np.sqrt(300 * 300 * 601 / 12)
    assert ThreeSampleTest(TRAIN, HELD_OUT, cells=1).statistic(FRESH)[0] == pytest.approx(expected)
    assert rank_z(np.ones(4), np.ones(5))[0] == 0


def test_c_t_is_far_below_zero_for_copies_above_for_blurred_samples_and_about_zero_for_real_ones() -> None:
    test = ThreeSampleTest(TRAIN, HELD_OUT)
    assert test.statistic(COPIES)[2] < -5
    assert test.statistic(2 * FRESH)[1] > 5
    value, low, high = test.statistic(FRESH)
    assert low < 0 < high
    assert abs(value) < 2.5


def test_c_t_has_an_interval_also_where_every_sample_is_a_copy() -> None:
    """No held-out image is as near: U is 0, and leaving samples out would never change it."""
    value, low, high = ThreeSampleTest(TRAIN, HELD_OUT).statistic(TRAIN[:16])
    assert low <= value < high < 0


def test_the_interval_of_c_t_covers_zero_for_real_images() -> None:
    rng = np.random.default_rng(4)
    draws = [ThreeSampleTest(*rng.normal(size=(2, 100, 3)), cells=2).statistic(rng.normal(size=(80, 3))) for _ in range(100)]
    assert sum(low <= 0 <= high for _, low, high in draws) >= 88  # 95 % expected; below 88 has a chance of 0.1 %


def test_samples_that_share_no_cell_with_real_images_have_no_c_t() -> None:
    train = np.concatenate([TRAIN, TRAIN + 100])
    with pytest.raises(ValueError, match="nothing in common"):
        ThreeSampleTest(train, HELD_OUT, cells=2).statistic(FRESH + 100)


def test_c_t_sees_copying_in_a_single_cell() -> None:
    """What the cells are for: half the samples lie elsewhere and are farther from the training images than real ones."""
    rng = np.random.default_rng(1)
    centres = np.array([[0.0] * 4, [50.0] * 4])
    train, held_out = (centres[np.arange(400) % 2] + rng.normal(size=(400, 4)) for _ in range(2))
    copied = train[::2] + 0.001
    far = centres[1] + 3 * rng.normal(size=(200, 4))
    test = ThreeSampleTest(train, held_out, cells=2)
    assert test.statistic(copied)[0] < -10
    assert len(k_means(train, 2)) == 2
    assert test.statistic(np.concatenate([copied, far]))[0] == pytest.approx(
        (test.statistic(copied)[0] + test.statistic(far)[0]) / 2, rel=1e-9
    )


def test_authenticity_is_the_share_of_samples_farther_off_than_the_image_they_are_nearest_to() -> None:
    distance, index = nearest(FRESH)
    own = nearest(TRAIN, 2)[0][:, 1]
    expected = np.mean(distance[:, 0] >= own[index[:, 0]])
    value, low, high = authenticity(FRESH, TRAIN)
    assert value == expected
    assert low < value < high
    assert authenticity(COPIES, TRAIN)[2] < 0.05


def test_a_copied_duplicate_is_not_authentic() -> None:
    doubled = np.concatenate([TRAIN, TRAIN])
    assert authenticity(COPIES, doubled) == authenticity(COPIES, TRAIN)


def test_the_widths_of_the_fld_are_those_of_its_published_optimisation() -> None:
    """Restated with autograd and torch's Adam, 50 steps at rate 0.5."""
    squared = squared_distances(TRAIN, FRESH[:40])
    to_mean = squared_distances(TRAIN, TRAIN.mean(0, keepdims=True))[:, 0]
    between, origin = torch.from_numpy(squared), 0.81 * torch.from_numpy(to_mean)[:, None]
    widths = ((between.min(0).values + 1e-3) / 6).log().requires_grad_()
    width_0 = torch.zeros((), dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([widths, width_0], lr=0.5)
    for _ in range(50):
        adam.zero_grad()
        each = [-0.5 * d / w.exp() - 3 * (w + np.log(2 * np.pi)) for d, w in ((between, widths), (origin, width_0))]
        loss = -torch.logsumexp(torch.cat([each[0] - np.log(40), each[1]], 1), 1).mean() / 6
        loss.backward()
        adam.step()
        widths.data.clamp_(-40, 20)
    assert fit_log_widths(squared, to_mean, 6) == pytest.approx(widths.detach().numpy(), abs=1e-6)


def test_the_fld_gap_is_far_below_zero_for_copies_and_about_zero_for_real_images() -> None:
    copied, real = likelihood_gap(COPIES, TRAIN, HELD_OUT), likelihood_gap(FRESH, TRAIN, HELD_OUT)
    assert copied[2] < -50
    assert real[0] > copied[2] / 4
    assert real[1] < real[0] < real[2]


def test_a_feature_without_spread_does_not_break_the_fld_gap() -> None:
    with_constant = [np.column_stack([rows, np.ones(300)]) for rows in (FRESH, TRAIN, HELD_OUT)]
    assert np.isfinite(likelihood_gap(*with_constant)).all()


@pytest.mark.parametrize("dim", [3, 80])
def test_the_vendi_score_is_the_exponential_entropy_of_the_eigenvalues_of_all_cosines(dim: int) -> None:
    """On either side of n = d the whole n x n matrix of cosines is the definition."""
    rows = np.random.default_rng(2).normal(size=(40, dim))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    weights = np.linalg.eigvalsh(unit @ unit.T / 40)
    weights = weights[weights > 0]
    assert vendi_score(rows) == pytest.approx(np.exp(-(weights * np.log(weights)).sum()), rel=1e-9)


def test_the_vendi_score_counts_different_samples() -> None:
    assert vendi_score(np.repeat(np.eye(5), 8, axis=0)) == pytest.approx(5)
    assert vendi_score(np.ones((9, 4))) == pytest.approx(1)
    value, low, high = vendi_interval(np.random.default_rng(3).normal(size=(200, 4)))
    assert low < value < high
    with pytest.raises(ValueError, match="cosine with others is undefined"):
        vendi_score(np.zeros((3, 2)))
