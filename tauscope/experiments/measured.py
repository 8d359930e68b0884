"""Points as a measurement makes them: an estimate with its interval, quantiles, or nothing with the reason."""

import numpy as np
from torch import Tensor

from tauscope.contracts.points import Point

QUANTILES = (0.1, 0.5, 0.9)


def measured_point(step: int, metric: str, estimate: tuple[float, float, float], count: int) -> Point:
    """An estimate (value, low, high) at a step."""
    value, low, high = estimate
    return Point(step=step, metric=metric, value=value, low=low, high=high, count=count)


def diverged_point(step: int, metric: str, count: int) -> Point:
    """A point that could not be measured because the network is no longer finite."""
    return Point(step=step, metric=metric, value=None, count=count, reason="diverged")


def quantile_points(step: int, name: str, values: Tensor) -> list[Point]:
    """The 10, 50 and 90 % quantiles of values over samples."""
    quantiles = np.quantile(values.cpu().numpy(), QUANTILES)
    return [
        Point(step=step, metric=f"{name}_q{round(100 * q)}", value=float(value), count=len(values))
        for q, value in zip(QUANTILES, quantiles, strict=True)
    ]
