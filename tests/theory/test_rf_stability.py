"""The largest stable rate: the spectrum's edge in closed form, held against the spectrum, against draws, and against descent itself."""

import numpy as np
import pytest

from tauscope.theory.rf_covariance import draw_equivalent, draw_exact, equivalent_covariances, exact_covariances
from tauscope.theory.rf_dynamics import Solved
from tauscope.theory.rf_model import Level, RandomFeatures
from tauscope.theory.rf_spectrum import Spectrum
from tauscope.theory.rf_stability import eigenvalue_bound, largest_eigenvalue_limit, largest_stable_eta

TWO = (Level(1.0, 0.5), Level(10.0, 0.5))
SIZES = [(16, 8, 30, 0.1), (64, 8, 100, 0.01), (8, 0.5, 40, 0.01), (16, 8, 8, 1.0)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("levels", [(Level(1.0),), TWO], ids=["one level", "two levels"])
def test_the_edge_is_where_the_saddle_point_ends(sizes: tuple[float, float, int, float], levels: tuple[Level, ...]) -> None:
    """To 1e-3: the saddle point's edges are bisected at a height of 1e-7 off the axis, and this one is the least of 4,000 values."""
    model = RandomFeatures(*sizes, "tanh", levels)
    assert largest_eigenvalue_limit(model) == pytest.approx(Spectrum.of(model).bulks[-1].high, rel=1e-3)


@pytest.mark.parametrize("sizes", [*SIZES, (2, 4, 30, 0.1), (0.5, 0.5, 40, 0.1), (4, 32, 20, 0.5), (16, 2, 8, 0.1)])
def test_no_draw_of_many_has_an_eigenvalue_above_the_bound_and_the_limit_is_their_place(sizes: tuple[float, float, int, float]) -> None:
    """The bound is made for one draw in a thousand; 30 are drawn. Their mean is within the room that it leaves."""
    model, rng = RandomFeatures(*sizes), np.random.default_rng(1)
    largest = [
        np.linalg.eigvalsh(equivalent_covariances(model, draw_equivalent(model, rng)).u)[-1] for _ in range(30 if model.n < 400 else 4)
    ]
    room = eigenvalue_bound(model) / largest_eigenvalue_limit(model)
    assert max(largest) < eigenvalue_bound(model)
    assert 1 / room < np.mean(largest) / largest_eigenvalue_limit(model) < room


@pytest.mark.parametrize("activation", ["tanh", "erf", "relu", "abs", "square"])
@pytest.mark.parametrize("sizes", [(8, 4, 20, 0.1), (1, 4, 50, 0.1), (8, 1, 12, 0.5)])
def test_descent_at_the_named_rate_converges_for_every_activation(activation: str, sizes: tuple[float, float, int, float]) -> None:
    """Exact U, so with the mean of relu, |x| and x^2, which is most of the largest eigenvalue; at three times the rate it would not."""
    model, rng = RandomFeatures(*sizes, activation), np.random.default_rng(2)
    solved = [Solved.of(model, exact_covariances(model, draw_exact(model, rng))) for _ in range(5)]
    dtau = largest_stable_eta(model) / model.d**2
    assert all(one.rate[-1] * dtau < 2 for one in solved)
    assert np.isfinite(solved[0].descent(np.array([1, 10**6]), dtau).test).all()
    assert all(one.rate[-1] * 3 * dtau > 2 for one in solved)
