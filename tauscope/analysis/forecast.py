"""tau_mem foretold while a run is young: from its pilots, from its own loss gap, and from what runs before it did.

Two sources, each a line in log n per configuration with the configurations drawn together (``mixed_law``):

- the **law**: log tau_mem over log n, through the runs of the same configuration (the pilots);
- the **gap**: log(tau_mem / tau at which the loss gap crossed the highest level so far).

They are combined by precision. Their errors are neither independent nor quite Gaussian, so the width is not taken from theory: every
earlier run is foretold as if its configuration were new, at the moment it crossed the same level, from pilots no larger than itself,
and the errors in units of their claimed deviation, averaged by configuration, scale the claim. The forecast is a Student t with as many
degrees of freedom as there are configurations behind that scale, cut off where tau_mem is known not to lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy

from tauscope.analysis.mixed_law import Estimate, MixedLaw, Observation, Prior
from tauscope.analysis.trajectories import Trajectory
from tauscope.contracts.forecasts import Forecast
from tauscope.contracts.onsets import Onset, OnsetStatus

# The exponent is 1 on CelebA (arXiv:2505.17638) and about 1.3 on 8x8 digits (docs/results.md).
LAW_PRIOR = Prior(exponent=1.15, exponent_error=0.25, spread_exponent=0.1, spread_runs=0.15, spread_configurations=0.5)
# A gap opens in proportion to n, so what the exponent of tau_mem has above 1 is left to the ratio of the two.
GAP_PRIOR = Prior(exponent=0.15, exponent_error=0.25, spread_exponent=0.1, spread_runs=0.15, spread_configurations=0.25)
PROBABILITIES = {"low_95": 0.025, "low": 0.1, "median": 0.5, "high": 0.9, "high_95": 0.975}
SCALE_WEIGHT = 4.0  # The claimed deviation counts as right in so many configurations.


@dataclass(frozen=True)
class Source:
    """What a forecast is drawn from: mean and deviation of log tau_mem, in natural logarithms."""

    mean: float
    deviation: float
    exponent: float | None
    level: float | None


@dataclass
class Knowledge:
    """What earlier runs of one data set teach; laws and scales are worked out when first asked for.

    Args:
        runs: the earlier runs, of any configuration, whatever became of them.
    """

    runs: Sequence[Trajectory]
    _laws: dict[tuple[str, float | None], MixedLaw | None] = field(default_factory=dict)
    _scales: dict[float | None, tuple[float, float]] = field(default_factory=dict)

    def forecast(self, run: Trajectory, *, step: int) -> Forecast:
        """Foretell a run's tau_mem from what is known of it at ``step``; its onset gives the bound below which tau_mem cannot lie."""
        reason = self._obstacle(run)
        source = None if reason else self._source(run, self._pilots(run))
        if source is None:
            return _none(step, reason or "no earlier run of this data set has copied by this definition yet")
        scale, freedom = self._scale(source.level)
        bound = _bound(run.onset)
        return Forecast(
            step=step,
            **_quantiles(source.mean, scale * source.deviation, freedom, bound),
            bound=bound,
            plain=plain_law(self._pilots(run), run.n_train),
            n_pilots=sum(_reached(pilot) for pilot in self._pilots(run)),
            exponent=source.exponent,
            gap_level=source.level,
            n_runs=sum(_reached(other) for other in self.runs),
            n_configurations=len({other.configuration for other in self.runs if _reached(other)}),
        )

    def _obstacle(self, run: Trajectory) -> str:
        if run.onset is not None and run.onset.status in {OnsetStatus.REACHED, OnsetStatus.BEFORE_FIRST}:
            return "tau_mem is measured"
        return ""

    def _pilots(self, run: Trajectory) -> list[Trajectory]:
        return [other for other in self.runs if other is not run and other.configuration == run.configuration]

    def _source(self, run: Trajectory, pilots: Sequence[Trajectory], *, level: float | None = None) -> Source | None:
        """Law and gap combined by precision; ``level`` is the gap level to read, by default the highest crossed one that teaches."""
        levels = sorted(run.crossings, reverse=True) if level is None else [level]
        law = self._estimate(run, pilots, None)
        gap, used = next(((found, at) for at in levels if (found := self._estimate(run, pilots, at))), (None, None))
        if gap is None or used is None:
            return Source(law.mean, law.deviation, law.exponent, None) if law else None
        shifted = Estimate(gap.mean + float(np.log(run.crossings[used])), gap.deviation, gap.exponent)
        if law is None:
            return Source(shifted.mean, shifted.deviation, None, used)
        weights = np.array([law.deviation**-2, shifted.deviation**-2])
        mean = float(weights @ [law.mean, shifted.mean] / weights.sum())
        return Source(mean, float(weights.sum() ** -0.5), law.exponent, used)

    def _estimate(self, run: Trajectory, pilots: Sequence[Trajectory], level: float | None) -> Estimate | None:
        own = [seen for pilot in pilots if (seen := _observed(pilot, level))]
        known = any(not seen.is_bound for seen in own)
        law = self._law(run.configuration, level)
        if law is None:
            return MixedLaw.vague(_prior(level)).estimate(own, float(np.log(run.n_train))) if known else None
        return law.estimate(own if known else [], float(np.log(run.n_train)))

    def _law(self, without: str, level: float | None) -> MixedLaw | None:
        """What all configurations but one have in common."""
        if (without, level) not in self._laws:
            groups: dict[str, list[Observation]] = {}
            for run in self.runs:
                if run.configuration != without and (seen := _observed(run, level)):
                    groups.setdefault(run.configuration, []).append(seen)
            self._laws[without, level] = MixedLaw.fit(groups, _prior(level))
        return self._laws[without, level]

    def _scale(self, level: float | None) -> tuple[float, float]:
        """By what the claimed deviation is to be multiplied at this stage, and the degrees of freedom of that factor."""
        if level not in self._scales:
            errors: dict[str, list[float]] = {}
            for run in self.runs:
                error = self._standard_error(run, level)
                if error is not None:
                    errors.setdefault(run.configuration, []).append(error**2)
            squares = [float(np.mean(group)) for group in errors.values()]
            scale = np.sqrt((sum(squares) + SCALE_WEIGHT) / (len(squares) + SCALE_WEIGHT))
            self._scales[level] = float(scale), len(squares) + SCALE_WEIGHT
        return self._scales[level]

    def _standard_error(self, run: Trajectory, level: float | None) -> float | None:
        """How far a known run lies from its forecast at this stage, in claimed deviations."""
        if not _reached(run) or (level is not None and level not in run.crossings):
            return None
        pilots = [pilot for pilot in self._pilots(run) if pilot.n_train <= run.n_train]
        bare = Trajectory(run.configuration, run.n_train, None, {level: run.crossings[level]} if level is not None else {})
        source = self._source(bare, pilots)
        if source is None or source.level != level:
            return None
        assert run.onset is not None and run.onset.value is not None
        return (float(np.log(run.onset.value)) - source.mean) / source.deviation


def plain_law(pilots: Sequence[Trajectory], n_train: int) -> float | None:
    """What tau proportional to n, through the known pilots' geometric mean of tau / n, says of a run with ``n_train`` images, in steps."""
    rates = [pilot.onset.value / pilot.n_train for pilot in pilots if pilot.onset is not None and pilot.onset.value is not None]
    return n_train * float(np.exp(np.mean(np.log(rates)))) if rates else None


def _prior(level: float | None) -> Prior:
    return LAW_PRIOR if level is None else GAP_PRIOR


def _reached(run: Trajectory) -> bool:
    return run.onset is not None and run.onset.status is OnsetStatus.REACHED


def _observed(run: Trajectory, level: float | None) -> Observation | None:
    """The run's log tau_mem, or what it has above the gap's crossing; a censored onset is a bound."""
    if run.onset is None or (level is not None and level not in run.crossings):
        return None
    tau = {OnsetStatus.REACHED: run.onset.value, OnsetStatus.CENSORED: run.onset.low}.get(run.onset.status)
    if not tau:
        return None
    start = 1.0 if level is None else run.crossings[level]
    return Observation(float(np.log(run.n_train)), float(np.log(tau / start)), run.onset.status is OnsetStatus.CENSORED)


def _bound(onset: Onset | None) -> float:
    return float(onset.low or 0.0) if onset is not None and onset.status is OnsetStatus.CENSORED else 0.0


def _quantiles(mean: float, deviation: float, freedom: float, bound: float) -> dict[str, float]:
    """Quantiles in steps of a Student t in log tau, given that tau is above ``bound``."""
    beyond = float(scipy.stats.t.sf((np.log(bound) - mean) / deviation, freedom)) if bound > 0 else 1.0
    places = {name: scipy.stats.t.isf((1 - p) * beyond, freedom) for name, p in PROBABILITIES.items()}
    return {name: float(np.exp(mean + deviation * place)) for name, place in places.items()}


def _none(step: int, reason: str) -> Forecast:
    return Forecast(step=step, median=None, low=None, high=None, low_95=None, high_95=None, reason=reason)
