"""Random features in closed form, against training, sampling and torch."""

import math

import numpy as np
import pytest
import torch

from tauscope.theory.errors import TheoryError
from tauscope.theory.rf_covariance import (
    Covariances,
    Draw,
    draw_equivalent,
    draw_exact,
    equivalent_covariances,
    exact_covariances,
    needed_bytes,
)
from tauscope.theory.rf_dynamics import Solved, losses_of
from tauscope.theory.rf_loop import AdamLoop, ExactGradient, Loop, SampledGradient
from tauscope.theory.rf_model import Level, RandomFeatures

TWO_LEVELS = (Level(1.0, 0.5), Level(0.2, 0.5))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def features(model: RandomFeatures, draw: Draw, x_t: np.ndarray) -> np.ndarray:
    return model.sigma(x_t @ draw.w.T / math.sqrt(model.d))


# Closed form against descent


@pytest.mark.parametrize("exact", [True, False])
def test_the_closed_form_is_gradient_descent_to_the_last_digits(exact: bool) -> None:
    model = RandomFeatures(psi_p=4, psi_n=2, d=50, t=0.1, levels=TWO_LEVELS)
    covariances = (
        exact_covariances(model, draw_exact(model, rng())) if exact else equivalent_covariances(model, draw_equivalent(model, rng()))
    )
    dtau, steps = 0.5, [1, 3, 30, 300]
    loop, found = Loop(model, ExactGradient(model, covariances), eta=dtau * model.d**2), []
    for k in range(1, 301):
        loop.advance()
        if k in steps:
            found.append(losses_of(model, covariances, loop.b))
    closed = Solved.of(model, covariances).descent(np.array(steps), dtau)
    # Losses are of order 1 and 300 steps add at most some hundred roundings of 1e-16; E_score divides by Delta.
    np.testing.assert_allclose(np.stack([closed.train, closed.test, closed.score], axis=1), found, rtol=0, atol=1e-12)


def test_small_steps_of_descent_become_gradient_flow_at_first_order() -> None:
    model = RandomFeatures(psi_p=4, psi_n=2, d=20, t=0.1)
    solved = Solved.of(model, equivalent_covariances(model, draw_equivalent(model, rng())))
    flow = solved.flow(np.array([8.0])).test
    errors = [float(abs(solved.descent(np.array([8 * m]), 1 / m).test - flow)[0]) for m in (8, 16, 32, 64)]
    slope = np.polyfit(np.log([8, 16, 32, 64]), np.log(errors), 1)[0]
    # Euler's method is of first order; the next order bends the line by less than 3 % here.
    assert slope == pytest.approx(-1, abs=0.05)


def test_contributions_of_all_eigenvalues_add_up_to_the_losses() -> None:
    model = RandomFeatures(psi_p=8, psi_n=3, d=20, t=0.1)
    solved = Solved.of(model, equivalent_covariances(model, draw_equivalent(model, rng())))
    tau = np.array([1.0, 100.0])
    train, test = solved.contributions(solved.flow_modes(tau))
    losses = solved.flow(tau)
    np.testing.assert_allclose(1 + train.sum(1), losses.train, rtol=1e-13)
    np.testing.assert_allclose(1 + test.sum(1), losses.test, rtol=1e-13)
    # Gradient flow on a convex loss never raises any mode's share of the training loss.
    assert (train <= 0).all()


def test_steps_beyond_stability_are_refused_with_the_rate_that_is_not() -> None:
    model = RandomFeatures(psi_p=8, psi_n=3, d=20, t=0.1)
    solved = Solved.of(model, equivalent_covariances(model, draw_equivalent(model, rng())))
    limit = 2 / solved.rate[-1]
    with pytest.raises(TheoryError, match=r"diverge.*Set eta below"):
        solved.descent(np.array([10]), 1.001 * limit)
    assert np.isfinite(solved.descent(np.array([10_000]), 0.999 * limit).test).all()


# The exact covariances


def monte_carlo(model: RandomFeatures, draw: Draw, repeats: int, seed: int, *, population: bool = False) -> Covariances:
    """U and V from drawn noise, ``repeats`` draws of every training point or of the population."""
    source, root = rng(seed), math.sqrt(model.noise)
    x = draw.x.T if not population else np.sqrt(model.variances) * source.standard_normal((repeats * model.n, model.d))
    x = x if population else np.repeat(x, repeats, axis=0)
    xi = source.standard_normal(x.shape)
    z = features(model, draw, model.decay * x + root * xi)
    return Covariances(z.T @ z / len(z), z.T @ xi / len(z), z.T @ z / len(z), z.T @ xi / len(z))


@pytest.mark.parametrize("activation", ["tanh", "relu", "abs"])
def test_drawn_noise_comes_to_the_exact_covariances_as_one_over_root_r(activation: str) -> None:
    model = RandomFeatures(psi_p=2, psi_n=1, d=10, t=0.2, activation=activation, levels=TWO_LEVELS)
    draw = draw_exact(model, rng())
    exact = exact_covariances(model, draw, order=24)
    assert exact.error < 1e-3
    repeats = np.array([30, 300, 3000])
    errors = np.array([[_rms(exact, monte_carlo(model, draw, int(r), seed)) for r in repeats] for seed in range(3)]).mean(0)
    slope = np.polyfit(np.log(repeats), np.log(errors), 1)[0]
    # The error is a mean over 600 entries and 3 seeds: each of the three points scatters by about 3 %, over a span of 100.
    assert slope == pytest.approx(-0.5, abs=0.05)


def _rms(one: Covariances, other: Covariances) -> float:
    return math.sqrt(((one.u - other.u) ** 2).mean() + ((one.v - other.v) ** 2).mean())


@pytest.mark.parametrize("activation", ["tanh", "erf", "relu", "abs"])
def test_the_population_s_covariances_are_those_of_fresh_points(activation: str) -> None:
    model = RandomFeatures(psi_p=2, psi_n=1, d=10, t=0.2, activation=activation, levels=TWO_LEVELS)
    draw = draw_exact(model, rng())
    exact, drawn = exact_covariances(model, draw), monte_carlo(model, draw, 15_000, 1, population=True)
    # 150,000 points: an entry, of order 1 or less, has an error of about 2.5e-3; five times that over 600 entries.
    np.testing.assert_allclose(drawn.u_pop, exact.u_pop, atol=13e-3)
    np.testing.assert_allclose(drawn.v_pop, exact.v_pop, atol=13e-3)


def test_what_the_hermite_expansion_leaves_out_is_within_its_bound() -> None:
    model = RandomFeatures(psi_p=2, psi_n=1, d=20, t=0.3, activation="relu")
    draw = draw_exact(model, rng())
    full = exact_covariances(model, draw, order=60)
    for order in (2, 4, 8):
        found = exact_covariances(model, draw, order=order)
        off = np.abs(found.u - full.u).max()
        assert 0 < off <= found.error + full.error


def test_features_that_look_one_way_are_refused() -> None:
    model = RandomFeatures(psi_p=4, psi_n=2, d=1, t=0.1)
    with pytest.raises(TheoryError, match="d = 1 is too small"):
        exact_covariances(model, draw_exact(model, rng()))


def test_the_test_loss_gives_the_distance_to_the_true_score() -> None:
    model = RandomFeatures(psi_p=3, psi_n=2, d=12, t=0.2, levels=TWO_LEVELS)
    draw = draw_exact(model, rng())
    covariances = exact_covariances(model, draw)
    b = rng(1).standard_normal((model.d, model.p)) / model.p
    _, _, score = losses_of(model, covariances, b)
    x_t = np.sqrt(model.noised_variances) * rng(2).standard_normal((200_000, model.d))
    distance = ((features(model, draw, x_t) @ b.T + x_t / model.noised_variances) ** 2).mean(1)
    assert abs(distance.mean() - score) < 4 * distance.std() / math.sqrt(len(distance))


def test_the_gaussian_equivalent_comes_near_the_exact_losses_as_d_grows() -> None:
    tau = np.array([3.0, 30.0, 300.0])
    apart = []
    for d in (10, 40):
        model = RandomFeatures(psi_p=4, psi_n=2, d=d, t=0.1)
        both = [
            np.mean([Solved.of(model, make(model, draw(model, rng(seed)))).flow(tau).test for seed in range(12)], axis=0)
            for draw, make in ((draw_exact, exact_covariances), (draw_equivalent, equivalent_covariances))
        ]
        apart.append(np.abs(both[0] / both[1] - 1).max())
    # Measured: 9.3 % at d = 10, 5.4 % at 20, 1.1 % at 40, with standard errors of 2.6, 0.8 and 0.4 %.
    assert apart[1] < 0.5 * apart[0] and apart[1] < 0.03


# Without p


def test_leaving_out_directions_that_no_data_reach_changes_no_loss() -> None:
    model = RandomFeatures(psi_p=12, psi_n=2, d=15, t=0.1, levels=TWO_LEVELS)
    whole = draw_equivalent(model, rng(), whole=True)
    assert whole.omega is not None and len(whole.w) == model.p
    r = np.linalg.qr(np.hstack([whole.w, whole.omega]), mode="r")
    reduced = Draw(r[:, : model.d], whole.x, r[:, model.d :])
    tau = np.geomspace(1, 1e5, 9)
    one, other = (Solved.of(model, equivalent_covariances(model, draw)).flow(tau) for draw in (whole, reduced))
    # The same numbers but for rounding, which the division by Delta = 0.18 and losses up to 5 enlarge.
    np.testing.assert_allclose(other.train, one.train, rtol=1e-11)
    np.testing.assert_allclose(other.test, one.test, rtol=1e-11)


def test_the_reduced_draw_has_the_law_of_the_whole_one() -> None:
    model = RandomFeatures(psi_p=6, psi_n=2, d=8, t=0.1)
    tau = np.geomspace(1, 1e3, 4)
    runs = {
        whole: np.array(
            [
                Solved.of(model, equivalent_covariances(model, draw_equivalent(model, rng(seed + 1000 * whole), whole=whole)))
                .flow(tau)
                .test
                for seed in range(100)
            ]
        )
        for whole in (False, True)
    }
    error = np.sqrt(sum(found.var(0, ddof=1) / len(found) for found in runs.values()))
    # Eight comparisons of means and spreads: 4 standard errors are passed by chance in 0.05 % of cases.
    assert (np.abs(runs[False].mean(0) - runs[True].mean(0)) < 4 * error).all()
    assert (np.abs(np.log(runs[False].std(0) / runs[True].std(0))) < 4 / math.sqrt(100)).all()


def test_reduced_rows_are_counted() -> None:
    model = RandomFeatures(psi_p=64, psi_n=2, d=10, t=0.1)
    draw = draw_equivalent(model, rng())
    assert draw.w.shape == (30, 10) and equivalent_covariances(model, draw).alone == 610
    assert needed_bytes(model, exact=True) > 8 * 8 * 640**2 > needed_bytes(model, exact=False)


# A real loop


def test_adam_is_torch_s_adam() -> None:
    model = RandomFeatures(psi_p=3, psi_n=2, d=6, t=0.2)
    covariances = exact_covariances(model, draw_exact(model, rng()))
    loop = AdamLoop(model, ExactGradient(model, covariances), eta=0.05)
    a = torch.zeros(model.d, model.p, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([a], lr=0.05)
    u, v = torch.from_numpy(covariances.u), torch.from_numpy(covariances.v)
    for _ in range(20):
        loop.advance()
        optimizer.zero_grad()
        b = a / math.sqrt(model.p)
        loss = (model.noise * (b @ u * b).sum() + 2 * math.sqrt(model.noise) * (b * v.T).sum()) / model.d
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(loop.b, (a / math.sqrt(model.p)).detach().numpy(), rtol=1e-10)


def test_the_mean_over_noise_of_the_sampled_gradient_is_the_exact_one() -> None:
    model = RandomFeatures(psi_p=2, psi_n=2, d=6, t=0.2)
    draw = draw_exact(model, rng())
    b = rng(1).standard_normal((model.d, model.p))
    exact = ExactGradient(model, exact_covariances(model, draw, order=20))(b)
    sampled = SampledGradient(model, draw, rng(2), noise_draws=20)
    drawn = np.array([sampled(b) for _ in range(200)])
    error = drawn.std(0, ddof=1) / math.sqrt(len(drawn))
    # 72 entries: the largest deviation of as many normal numbers is below 5 but for 4 in 100,000.
    assert (np.abs(drawn.mean(0) - exact) < 5 * error).all()


# Bad input


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"levels": (Level(1.0, 0.5), Level(0.0, 0.5))}, "Sigma is singular"),
        ({"levels": (Level(1.0, 0.999), Level(0.5, 0.001))}, "a direction for each level"),
        ({"t": 0.0}, "without noise"),
        ({"psi_n": 0.01}, "n = 0 at d = 10"),
        ({"activation": "gelu"}, "Choose from tanh"),
    ],
)
def test_sizes_that_make_no_model_are_refused(changed: dict[str, object], words: str) -> None:
    with pytest.raises(TheoryError, match=words):
        RandomFeatures(**({"psi_p": 4, "psi_n": 2, "d": 10, "t": 0.1} | changed))  # type: ignore[arg-type]
