"""The cells an onset may lie in, found in one pass over the points, against the definition read literally."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float
from numpy import ndarray
from scipy.optimize import isotonic_regression
from scipy.special import xlogy

from tauscope.analysis.onsets import CHI2_95, Curve, consistent_cells
from tauscope.contracts.points import Point
from tauscope.metrics.intervals import Z95, clopper_pearson


def literal_deviance(curve: Curve, level: float) -> Float[ndarray, " cell"]:
    """For each cell a rising curve fitted anew to the points on either side; SciPy's isotonic regression is the reference."""
    shares = bool(curve.count.all())
    weights = curve.count if shares else 1 / np.maximum((curve.high - curve.low) / (2 * Z95), 1e-12) ** 2

    def fit(part: slice) -> Float[ndarray, " point"]:
        return isotonic_regression(curve.value[part], weights=weights[part]).x if len(curve.value[part]) else np.empty(0)

    found = []
    for cell in range(len(curve.step) + 1):
        fitted = np.concatenate([np.minimum(fit(slice(0, cell)), level), np.maximum(fit(slice(cell, None)), level)])
        if shares:
            p = np.clip(fitted, 1e-12, 1 - 1e-12)
            found.append(-2 * (weights * (xlogy(curve.value, p) + xlogy(1 - curve.value, 1 - p))).sum())
        else:
            found.append((weights * (curve.value - fitted) ** 2).sum())
    return np.array(found)


def assert_as_defined(curve: Curve, level: float) -> None:
    below = np.arange(len(curve.step))[None, :] < np.arange(len(curve.step) + 1)[:, None]
    alone = ~np.where(below, curve.low > level, curve.high < level).any(axis=1)
    deviance = literal_deviance(curve, level)
    excess = deviance - deviance.min()
    # Rounding may move a cell that lies on the threshold itself, and no other.
    decided = np.abs(excess - CHI2_95) > 1e-6 * (1 + np.abs(deviance))
    expected = alone | (excess <= CHI2_95)
    assert (consistent_cells(curve, level) == expected)[decided | alone].all()


@given(copies=st.lists(st.integers(0, 40), min_size=1, max_size=40), level=st.floats(0.01, 0.99))
def test_cells_of_a_share_are_those_of_its_binomial_likelihood(copies: list[int], level: float) -> None:
    ends = np.array([clopper_pearson(count, 40) for count in copies])
    steps = np.arange(1.0, len(copies) + 1)
    assert_as_defined(Curve(steps, np.array(copies) / 40, ends[:, 0], ends[:, 1], np.full(len(copies), 40.0)), level)


@given(
    points=st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 1)), min_size=1, max_size=40),
    level=st.floats(-3, 3),
)
def test_cells_of_a_mean_are_those_of_its_gaussian_likelihood(points: list[tuple[float, float]], level: float) -> None:
    value, half = (np.array(column) for column in zip(*points, strict=True))
    steps = np.arange(1.0, len(points) + 1)
    assert_as_defined(Curve(steps, value, value - half, value + half, np.zeros(len(points))), level)


def test_a_curve_without_error_crosses_in_one_cell_alone() -> None:
    value = np.linspace(-1, 1, 1000) ** 3
    cells = consistent_cells(Curve(np.arange(1.0, 1001), value, value, value, np.zeros(1000)), 0.1)
    assert np.flatnonzero(cells).tolist() == [int((value < 0.1).sum())]


def test_a_long_noisy_curve_has_the_cells_of_the_definition() -> None:
    n, rng = 1000, np.random.default_rng(0)
    steps = np.geomspace(5, 4000, n)
    count = rng.binomial(384, 0.65 / (1 + (300 / steps) ** 3))
    ends = np.array([clopper_pearson(int(k), 384) for k in count])
    curve = Curve(steps, count / 384, ends[:, 0], ends[:, 1], np.full(n, 384.0))
    assert_as_defined(curve, 0.25)


@given(
    rows=st.lists(
        st.tuples(st.floats(-3, 3) | st.none(), st.floats(0, 1) | st.none(), st.floats(0, 1) | st.none(), st.integers(1, 500) | st.none()),
        max_size=12,
    ),
    share=st.booleans(),
)
def test_a_stored_series_is_the_same_curve_as_its_points(
    rows: list[tuple[float | None, float | None, float | None, int | None]], share: bool
) -> None:
    told = [dict(zip(("value", "low", "high", "count"), row, strict=True)) | {"step": 5 + at} for at, row in enumerate(rows)]
    points = [Point.model_validate(item | {"metric": "m", "reason": "diverged" if item["value"] is None else None}) for item in told]
    known = [item for item in told if item["value"] is not None]
    stored = Curve.of_columns({name: [item[name] for item in told] for name in ("step", "value", "low", "high", "count")}, share=share)
    assert stored.step.tolist() == [item["step"] for item in known]
    assert stored.low.tolist() == [item["value"] if item["low"] is None else item["low"] for item in known]
    assert stored.high.tolist() == [item["value"] if item["high"] is None else item["high"] for item in known]
    assert stored.count.tolist() == [(item["count"] or 0) if share else 0 for item in known]
    for name in ("step", "value", "low", "high", "count"):
        assert getattr(Curve.of(points, "m", share=share), name).tolist() == getattr(stored, name).tolist()
