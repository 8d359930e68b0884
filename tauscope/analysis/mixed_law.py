"""A line in log n for each of several configurations, each line drawn towards what the others have in common.

    y = c_g + a_g (log n - centre) + e,    c_g ~ N(mu, spread_c^2),  a_g ~ N(a, spread_a^2),  e ~ N(0, spread^2)

for run of configuration g (Gelman and Hill 2007, ch. 12). The common values are estimated by moments, each with a weak prior in
place of data that are not there; a configuration's own line is their Gaussian posterior given its runs, in closed form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

_ANYWHERE = 50.0  # Standard deviation of a logarithm: no preference among numbers that a computer can hold.
_PASSES = 8  # A bound is replaced by its expectation under the law of the pass before; three passes agree to 1 %.


class Observation(NamedTuple):
    """A run's log n and its y, or a lower bound of it."""

    log_n: float
    y: float
    is_bound: bool = False


class Estimate(NamedTuple):
    """Mean and standard deviation of a run's y before it is seen, and the exponent of the line behind it."""

    mean: float
    deviation: float
    exponent: float


@dataclass(frozen=True)
class Prior:
    """What is assumed before any run is seen; each spread counts as much as ``weight`` runs or configurations."""

    exponent: float
    exponent_error: float
    spread_exponent: float
    spread_runs: float
    spread_configurations: float
    weight: float = 2.0


Groups = Mapping[str, Sequence[Observation]]


@dataclass(frozen=True)
class MixedLaw:
    """What the configurations have in common. ``mean_error`` is the standard error of ``mean``; all logarithms are natural."""

    centre: float
    mean: float
    mean_error: float
    exponent: float
    exponent_error: float
    spread_exponent: float
    spread_runs: float
    spread_configurations: float

    @classmethod
    def fit(cls, groups: Groups, prior: Prior) -> "MixedLaw | None":
        """The common law of configurations, or ``None`` without a single run whose y is known."""
        known = {name: list(group) for name, group in groups.items() if any(not item.is_bound for item in group)}
        if not known:
            return None
        law = cls._moments({name: [item for item in group if not item.is_bound] for name, group in known.items()}, prior)
        if any(item.is_bound for group in known.values() for item in group):
            for _ in range(_PASSES):
                law = cls._moments({name: law.imputed(group) for name, group in known.items()}, prior)
        return law

    @classmethod
    def vague(cls, prior: Prior) -> "MixedLaw":
        """Nothing in common but the prior: where the line stands is for a configuration's own runs to say."""
        return cls(0.0, 0.0, _ANYWHERE, prior.exponent, prior.exponent_error, prior.spread_exponent, prior.spread_runs, 0.0)

    @classmethod
    def _moments(cls, groups: Groups, prior: Prior) -> "MixedLaw":
        centre = float(np.mean([item.log_n for group in groups.values() for item in group]))
        tables = [_table(group, centre) for group in groups.values()]
        within = np.concatenate([table - table.mean(0) for table in tables])
        weight = (prior.spread_runs / prior.exponent_error) ** 2
        total = float((within[:, 0] ** 2).sum()) + weight
        exponent = (float((within[:, 0] * within[:, 1]).sum()) + weight * prior.exponent) / total
        residual = within[:, 1] - exponent * within[:, 0]
        freedom = len(within) - len(tables) + prior.weight
        variance = (float((residual**2).sum()) + prior.weight * prior.spread_runs**2) / freedom
        intercepts = np.array([table[:, 1].mean() - exponent * table[:, 0].mean() for table in tables])
        by_chance = (len(tables) - 1) * variance * float(np.mean([1 / len(table) for table in tables]))
        excess = max(0.0, float(((intercepts - intercepts.mean()) ** 2).sum()) - by_chance)
        between = (excess + prior.weight * prior.spread_configurations**2) / (len(tables) - 1 + prior.weight)
        return cls(
            centre=centre,
            mean=float(intercepts.mean()),
            mean_error=float(np.sqrt(between / len(tables))),
            exponent=exponent,
            exponent_error=float(np.sqrt(variance / total)),
            spread_exponent=prior.spread_exponent,
            spread_runs=float(np.sqrt(variance)),
            spread_configurations=float(np.sqrt(between)),
        )

    def imputed(self, group: Sequence[Observation]) -> list[Observation]:
        """The group with each bound replaced by the expectation of what lies beyond it, given its known runs."""
        known = [item for item in group if not item.is_bound]
        return known + [self._beyond(item, known) for item in group if item.is_bound]

    def _beyond(self, item: Observation, known: Sequence[Observation]) -> Observation:
        mean, deviation, _ = self._from(known, item.log_n)
        z = (item.y - mean) / deviation
        hazard = float(np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - scipy.special.log_ndtr(-z)))  # Mean of a normal beyond z.
        return Observation(item.log_n, mean + deviation * hazard)

    def estimate(self, own: Sequence[Observation], log_n: float) -> Estimate:
        """What is to be expected of a further run of a configuration, given its runs so far."""
        return self._from(self.imputed(own), log_n)

    def _from(self, own: Sequence[Observation], log_n: float) -> Estimate:
        mean = np.array([self.mean, self.exponent])
        covariance = np.diag([self.spread_configurations**2 + self.mean_error**2, self.spread_exponent**2 + self.exponent_error**2])
        if own:
            table = _table(own, self.centre)
            design = np.column_stack([np.ones(len(own)), table[:, 0]])
            gain = covariance @ design.T @ np.linalg.inv(design @ covariance @ design.T + self.spread_runs**2 * np.eye(len(own)))
            mean = mean + gain @ (table[:, 1] - design @ mean)
            covariance = covariance - gain @ design @ covariance
        place = np.array([1.0, log_n - self.centre])
        return Estimate(float(place @ mean), float(np.sqrt(place @ covariance @ place + self.spread_runs**2)), float(mean[1]))


def _table(group: Sequence[Observation], centre: float) -> Float[ndarray, "run 2"]:
    return np.array([[item.log_n - centre, item.y] for item in group])
