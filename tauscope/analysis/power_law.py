"""The likelihood of a power law tau ~ c x_1^a_1 x_2^a_2 ... over runs, bounds on tau included, and how far an exponent may depart.

A measured tau enters with its own error, a bound by the chance that tau lies beyond it (Tobit 1958, with bounds on either side).
Where runs repeat, a run-to-run spread is fitted along with the line. Intervals are by profile likelihood; where the spread is
fitted they are widened as Student's t widens a normal one: for one normal spread and no bounds that is exact.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float, Int
from numpy import ndarray

from tauscope.metrics.intervals import Z95

_SPREAD_RANGE = (1e-4, 10.0)  # Of log tau; a spread below or above it is none, or no law.
_STEEPEST = 50.0  # An exponent that the runs do not exclude up to here has no end.
_LOG_SQRT_2_PI = 0.5 * np.log(2 * np.pi)


@dataclass(frozen=True)
class LogOnsets:
    """Onsets and what they depend on, in logarithms.

    Attributes:
        x: log of each variable.
        log_tau: log tau, or the bound on it.
        error: standard error of log tau; for a bound, the one that a measurement there would have had.
        side: 0 for a measured tau, 1 for one that is later than its bound, -1 for an earlier one.
    """

    x: Float[ndarray, "run variable"]
    log_tau: Float[ndarray, " run"]
    error: Float[ndarray, " run"]
    side: Int[ndarray, " run"]


@dataclass(frozen=True)
class _Best:
    """Coefficients, spread and deviance at a maximum of the likelihood."""

    coefficients: Float[ndarray, " coefficient"]
    spread: float
    deviance: float


class PowerLaw:
    """The law of maximum likelihood.

    Args:
        onsets: at least as many measured ones as there are coefficients, and such that the variables can be told apart.
        with_spread: whether the runs repeat, so that a run-to-run spread can be fitted.

    Attributes:
        exponents: of each variable.
        spread: run-to-run standard deviation of log tau, or ``None`` where it was not fitted.
        prefactor: tau where every variable is 1.
    """

    def __init__(self, onsets: LogOnsets, *, with_spread: bool) -> None:
        self._onsets = onsets
        self._with_spread = with_spread
        self._centre = onsets.x[onsets.side == 0].mean(axis=0)
        self._design = np.column_stack([np.ones(len(onsets.x)), onsets.x - self._centre])
        best = self._best(self._design, onsets.log_tau, _start(self._design, onsets))
        self._found = best
        self.exponents = best.coefficients[1:]
        self.spread = best.spread if with_spread else None
        self.prefactor = float(np.exp(best.coefficients[0] - self.exponents @ self._centre))

    def departure(self, variable: int, exponent: float) -> float:
        """How far an exponent lies from the best one, in standard normal units; it has the sign of the difference.

        Its square is the profile deviance above the minimum, mapped, where a spread was fitted to ``m`` measured onsets with
        ``f`` degrees of freedom left, through t^2 = f (exp(deviance / m) - 1) and Student's distribution.
        """
        column = variable + 1
        others = np.delete(self._design, column, axis=1)
        target = self._onsets.log_tau - exponent * self._design[:, column]
        profile = self._best(others, target, (np.delete(self._found.coefficients, column), self._found.spread))
        excess = max(0.0, profile.deviance - self._found.deviance)
        return float(np.copysign(self._normal(excess), exponent - self.exponents[variable]))

    def _normal(self, excess: float) -> float:
        """A rise of the deviance in standard normal units."""
        if not self._with_spread:
            return float(np.sqrt(excess))
        measured = int((self._onsets.side == 0).sum())
        freedom = measured - self._design.shape[1]
        if freedom < 1:
            return 0.0  # Nothing is left to tell a spread from the law, so no exponent is excluded.
        t = np.sqrt(freedom * np.expm1(min(excess / measured, 500.0)))
        return float(-scipy.special.ndtri(scipy.special.stdtr(freedom, -t)))

    def end(self, variable: int, direction: int) -> float | None:
        """The end of the 95 % interval of an exponent, below (-1) or above (+1) it; ``None`` where it has none."""

        def inside(exponent: float) -> float:
            return Z95 - abs(self.departure(variable, exponent))

        return boundary(inside, float(self.exponents[variable]), direction)

    def further(self, x: Float[ndarray, " variable"]) -> tuple[float, float, float] | None:
        """log tau of a further run where log of each variable is ``x``, with its 95 % prediction interval; (value, low, high).

        The interval holds the error of the law and the scatter of runs about it, by Student's t as in linear regression (exact for one
        normal scatter and no bounds; bounds enter by their observed information). ``None`` without a scatter or a degree of freedom.
        """
        measured = int((self._onsets.side == 0).sum())
        freedom = measured - self._design.shape[1]
        if not self._with_spread or freedom < 1:
            return None
        scatter = self._found.spread * np.sqrt(measured / freedom)  # The likelihood's own estimate is too small by this.
        weight = _information(self._found.coefficients, scatter, self._design, self._onsets)
        place = np.append(1.0, x - self._centre)
        variance = place @ np.linalg.inv(self._design.T @ (weight[:, None] * self._design)) @ place
        value, half = float(place @ self._found.coefficients), float(scipy.special.stdtrit(freedom, 0.975) * np.sqrt(variance + scatter**2))
        return value, value - half, value + half

    def _best(self, design: Float[ndarray, "run coefficient"], target: Float[ndarray, " run"], start: tuple[ndarray, float]) -> _Best:
        """Maximize the likelihood over the coefficients, and the spread if it is fitted."""
        coefficients, spread = start
        scale = np.hypot(self._onsets.error, spread)
        unit = 1 / np.sqrt(np.maximum(((design / scale[:, None]) ** 2).sum(axis=0), 1e-12))  # Coefficients of like curvature.

        def deviance(at: ndarray) -> tuple[float, ndarray]:
            value, slope = _deviance(at[:-1] * unit, at[-1], design, target, self._onsets, with_spread=self._with_spread)
            return value, slope * np.append(unit, 1.0)

        bounds = [(None, None)] * len(coefficients) + [tuple(np.log(_SPREAD_RANGE))]
        options = {"ftol": 1e-14, "gtol": 1e-7, "maxiter": 500}
        found = scipy.optimize.minimize(
            deviance, np.append(coefficients / unit, np.log(spread)), jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
        return _Best(found.x[:-1] * unit, float(np.exp(found.x[-1])), float(found.fun))


def boundary(inside: Callable[[float], float], start: float, direction: int) -> float | None:
    """Where a function that is positive at ``start`` falls to zero on one side; ``None`` if it does not within reach."""
    step, edge = 0.05, start
    while inside(edge := edge + direction * step) > 0:
        step *= 2
        if abs(edge - start) > _STEEPEST:
            return None
    return float(scipy.optimize.brentq(inside, edge - direction * step, edge, xtol=1e-5))


def _start(design: Float[ndarray, "run coefficient"], onsets: LogOnsets) -> tuple[ndarray, float]:
    """Least squares over what was measured."""
    measured = onsets.side == 0
    coefficients = np.linalg.lstsq(design[measured], onsets.log_tau[measured], rcond=None)[0]
    residual = float(np.std(onsets.log_tau[measured] - design[measured] @ coefficients))
    return coefficients, float(np.clip(residual, 1e-2, 1.0))


def _deviance(
    coefficients: ndarray, log_spread: float, design: ndarray, target: ndarray, onsets: LogOnsets, *, with_spread: bool
) -> tuple[float, ndarray]:
    """-2 log likelihood and its gradient in the coefficients and the log of the spread."""
    spread = np.exp(log_spread) if with_spread else 0.0
    scale = np.hypot(onsets.error, spread)
    z = (target - design @ coefficients) / scale
    bound, side = onsets.side != 0, onsets.side
    log_chance = scipy.special.log_ndtr(-side * z)
    value = np.where(bound, log_chance, -0.5 * z**2 - np.log(scale)).sum()
    hazard = side * np.exp(-0.5 * z**2 - _LOG_SQRT_2_PI - np.where(bound, log_chance, 0.0))
    pull = np.where(bound, hazard, z)  # -d log likelihood / dz
    in_scale = (pull * z - ~bound) / scale
    slope = np.append(design.T @ (pull / scale), (in_scale * spread**2 / scale).sum())
    return float(-2 * value), -2 * slope


def _information(coefficients: ndarray, spread: float, design: ndarray, onsets: LogOnsets) -> Float[ndarray, " run"]:
    """Minus the second derivative of each run's log likelihood in its own log tau."""
    scale = np.hypot(onsets.error, spread)
    u = onsets.side * (onsets.log_tau - design @ coefficients) / scale
    hazard = np.exp(-0.5 * u**2 - _LOG_SQRT_2_PI - scipy.special.log_ndtr(-u))
    return np.asarray(np.where(onsets.side == 0, 1.0, hazard * (hazard - u)) / scale**2)
