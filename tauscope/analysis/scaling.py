"""The law tau ~ n^a W^b over a sweep, censored onsets included, with intervals that say what they leave out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tauscope.analysis.power_law import LogOnsets, PowerLaw
from tauscope.contracts.onsets import Onset, OnsetStatus, PowerLawFit, ScalingVariable
from tauscope.contracts.summary import RunSummary
from tauscope.metrics.intervals import Z95

ONSETS = ("tau_gen", "tau_mem")
SEEDS_FOR_SPREAD = 3
SAMPLING_ONLY = "sampling only, run-to-run spread not included"
# What a law scales with, by the names that an axis may give it.
AXES: dict[ScalingVariable, tuple[str, ...]] = {"n": ("n_train", "dataset.n_train", "psi_n"), "width": ("width", "network.base_width")}
SYMBOLS: dict[ScalingVariable, str] = {"n": "n", "width": "W"}
REPEATS = {"seed", "subset", "dataset.subset"}
# Copying that has not begun will begin later, so it bounds tau_mem from below. Quality that was not reached may never be: past its
# best a model on few images gets worse. To read "never" as "late" would bend the law of tau_gen, so such runs are left out and counted.
# What had begun by the first measurement bounds either from above.
BOUNDS = {"tau_mem": {OnsetStatus.CENSORED, OnsetStatus.BEFORE_FIRST}, "tau_gen": {OnsetStatus.BEFORE_FIRST}}
MIN_ERROR = 1e-3  # A grid cell has some width; this only guards the division.


@dataclass(frozen=True)
class FittedLaw:
    """A law as it was fitted, or why there is none: the profile of its likelihood is what two sweeps are compared by."""

    law: PowerLaw | None
    variables: tuple[ScalingVariable, ...]
    seeds: int
    reached: int = 0
    later: int = 0
    earlier: int = 0
    left_out: str = ""
    reason: str = ""
    uneven: bool = False  # Some settings have more than `seeds` runs.

    @property
    def with_spread(self) -> bool:
        return self.seeds >= SEEDS_FOR_SPREAD

    @property
    def note(self) -> str:
        """What the interval holds and what was left out; or why there is none."""
        cell = " and ".join(SYMBOLS[name] for name in self.variables)
        repeats = "one seed" if self.seeds == 1 else f"{self.seeds} seeds"
        holds = f"{'at least ' * self.uneven}{self.seeds} seeds per {cell}, run-to-run spread included"
        entered = "1 onset before the first measurement enters as an upper bound"
        early = entered if self.earlier == 1 else f"{self.earlier} onsets before the first measurement enter as upper bounds"
        told = holds if self.with_spread else f"{SAMPLING_ONLY}: {repeats} {'at some' if self.uneven else 'per'} {cell}; three are needed"
        return self.reason or "; ".join([told, *[early] * bool(self.earlier), *[self.left_out] * bool(self.left_out)])

    def fit(self, variable: ScalingVariable) -> PowerLawFit:
        """The exponent of one variable with its interval; those of the others were fitted along."""
        if self.law is None:
            return PowerLawFit(exponent=None, low=None, high=None, points=0, variable=variable, note=self.note)
        place = self.variables.index(variable)
        others = {name: float(self.law.exponents[k]) for k, name in enumerate(self.variables) if k != place}
        return PowerLawFit(
            exponent=float(self.law.exponents[place]),
            low=self.law.end(place, -1),
            high=self.law.end(place, +1),
            points=self.reached,
            censored=self.later,
            seeds=self.seeds,
            prefactor=self.law.prefactor,
            variable=variable,
            jointly=others,
            spread=self.law.spread,
            note=self.note,
        )


def fit_sweep(runs: Sequence[RunSummary]) -> dict[str, PowerLawFit]:
    """Fit tau_gen and tau_mem against n_train, the width W, or both together; nothing where neither varies.

    The keys are ``tau_mem_vs_n``, ``tau_mem_vs_width`` and so on. A fit over runs that differ in more than these, seed and
    subset would mix laws, so it is refused with a note.
    """
    laws = {name: fit_law(name, runs) for name in ONSETS}
    return {f"{name}_vs_{variable}": law.fit(variable) for name, law in laws.items() for variable in law.variables}


def fit_law(name: str, runs: Sequence[RunSummary], *, with_scatter: bool = False) -> FittedLaw:
    """The law of one onset over the runs of a sweep, in all the variables that vary.

    Args:
        with_scatter: fit the scatter of runs about the law also where too few repeat; lack of fit is then part of it.
    """
    variables = tuple(variable for variable in AXES if len({scaled(run.params, variable) for run in runs} - {None}) > 1)
    others = {key for run in runs for key in run.params} - REPEATS - {key for names in AXES.values() for key in names}
    if not variables or others:
        return FittedLaw(None, variables, 1, reason=f"the runs also differ in {', '.join(sorted(others))}; compare them one by one")
    placed = [(_place(run, variables), run.onsets[name]) for run in runs if name in run.onsets]
    pairs = [(place, onset) for place, onset in placed if None not in place]
    usable = [(place, onset) for place, onset in pairs if _informs(name, onset)]
    seeds = _seeds(usable)
    reached = [place for place, onset in usable if onset.status is OnsetStatus.REACHED]
    if reason := _not_identified(reached, variables):
        return FittedLaw(None, variables, seeds, reason=reason)
    onsets = _in_logarithms(usable)
    gone = len(pairs) - len(usable)
    return FittedLaw(
        PowerLaw(onsets, with_spread=with_scatter or seeds >= SEEDS_FOR_SPREAD),
        variables,
        seeds,
        reached=len(reached),
        later=int((onsets.side > 0).sum()),
        earlier=int((onsets.side < 0).sum()),
        left_out=f"{gone} of {len(pairs)} runs left out: no onset that this law can use" if gone else "",
        uneven=len(set(Counter(place for place, _ in usable).values())) > 1,
    )


def scaled(params: Mapping[str, Any], variable: ScalingVariable) -> float | None:
    """The value of a variable among a run's axis values, or ``None`` where it is no axis."""
    return next((float(params[name]) for name in AXES[variable] if name in params), None)


_Place = tuple[float | None, ...]


def _place(run: RunSummary, variables: Sequence[ScalingVariable]) -> _Place:
    return tuple(scaled(run.params, variable) for variable in variables)


def _informs(name: str, onset: Onset) -> bool:
    if onset.status not in BOUNDS[name]:
        return onset.status is OnsetStatus.REACHED
    return (onset.low if onset.status is OnsetStatus.CENSORED else onset.high) is not None


def _not_identified(reached: Sequence[_Place], variables: Sequence[ScalingVariable]) -> str:
    for k, variable in enumerate(variables):
        values = {place[k] for place in reached}
        if len(values) < 2:
            return f"needs the onset at two values of {SYMBOLS[variable]} or more, has {len(values)}"
    design = np.array([[1.0, *(np.log(value) for value in place if value)] for place in reached])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return "n and W change together where the onset was reached, so their exponents cannot be told apart; cross the two axes"
    return ""


def _in_logarithms(pairs: Sequence[tuple[_Place, Onset]]) -> LogOnsets:
    side = np.array([_SIDES[onset.status] for _, onset in pairs])
    tau = np.array([(onset.value, onset.low, onset.high)[s] for s, (_, onset) in zip(side, pairs, strict=True)], dtype=float)
    # A bound is what a measurement would have shown, had it been made: it errs as much as the others do.
    errors = np.array([_log_error(onset) if onset.value is not None else np.nan for _, onset in pairs])
    errors = np.where(np.isnan(errors), np.nanmedian(errors), errors)
    x = np.array([[np.log(value) for value in place if value] for place, _ in pairs])
    return LogOnsets(x, np.log(np.maximum(tau, 1.0)), errors, side)


_SIDES = {OnsetStatus.REACHED: 0, OnsetStatus.CENSORED: 1, OnsetStatus.BEFORE_FIRST: -1}


def _log_error(onset: Onset) -> float:
    """Standard error of log tau, from the wider side of its interval; an open side counts as the other."""
    assert onset.value is not None
    sides = [np.log(onset.value / onset.low)] if onset.low else []
    sides += [np.log(onset.high / onset.value)] if onset.high else []
    return max([MIN_ERROR, *(float(side) for side in sides)]) / Z95


def _seeds(pairs: Sequence[tuple[_Place, Onset]]) -> int:
    """The fewest runs of any setting."""
    places = [place for place, _ in pairs]
    return min((places.count(place) for place in set(places)), default=1)
