"""Two sweeps, Adam and SGD or minibatches and full batches: is an exponent different?

The sweeps share no parameter, so the likelihood of both as a function of the difference d of an exponent is the profile of the
first plus that of the second, its exponent d away, at its best over the exponent itself. Each profile is on the scale on which
its own 95 % interval covers (``PowerLaw.departure``), so that few runs with an unknown spread do not pass for many.
"""

from collections.abc import Sequence

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

from tauscope.analysis.power_law import PowerLaw, boundary
from tauscope.analysis.scaling import AXES, ONSETS, SAMPLING_ONLY, SYMBOLS, FittedLaw, fit_law, scaled
from tauscope.contracts.comparison import ExponentComparison, LawComparison
from tauscope.contracts.onsets import OnsetStatus, PowerLawFit, ScalingVariable
from tauscope.contracts.summary import RunSummary
from tauscope.metrics.intervals import Z95

_REACH, _GRID = 4.0, 33  # A profile is tabulated over so many half intervals to each side, at so many exponents.


def compare_laws(first: tuple[str, Sequence[RunSummary]], second: tuple[str, Sequence[RunSummary]]) -> LawComparison:
    """Compare the exponents of two sweeps, each given by its name and its runs.

    Failed runs are left out, as the laws themselves do. A sweep without a law is compared too, and the note says why there is none.
    """
    ours, theirs = ([run for run in runs if run.state != "failed"] for _, runs in (first, second))
    found = {}
    for name in ONSETS:
        laws = fit_law(name, ours), fit_law(name, theirs)
        for variable in AXES:
            if any(variable in law.variables for law in laws):
                found[f"{name}_vs_{variable}"] = _compared(name, variable, laws, (ours, theirs))
    return LawComparison(first=first[0], second=second[0], exponents=found)


def _compared(
    name: str, variable: ScalingVariable, laws: tuple[FittedLaw, FittedLaw], runs: tuple[Sequence[RunSummary], Sequence[RunSummary]]
) -> ExponentComparison:
    fits = [law.fit(variable) if variable in law.variables else None for law in laws]
    if reason := _incomparable(name, variable, fits, runs):
        return ExponentComparison(difference=None, first=fits[0], second=fits[1], note=reason)
    difference, low, high, p_value = exponent_difference(*[(law.law, law.variables.index(variable)) for law in laws if law.law])
    with_spread = all(law.with_spread for law in laws)
    return ExponentComparison(
        difference=difference,
        low=low,
        high=high,
        p_value=p_value if with_spread else None,
        first=fits[0],
        second=fits[1],
        note="; ".join([_holds(laws), *_ranges(variable, runs)]),
    )


def exponent_difference(first: tuple[PowerLaw, int], second: tuple[PowerLaw, int]) -> tuple[float, float | None, float | None, float]:
    """The second law's exponent minus the first's: difference, both ends of its 95 % interval, and the p-value of none.

    Args:
        first, second: a law and the place of the variable whose exponent is compared.
    """
    difference = float(second[0].exponents[second[1]] - first[0].exponents[first[1]])
    (a, departure_a), (b, departure_b) = (_profile(*law) for law in (first, second))

    def squared(d: float) -> float:
        shared = np.concatenate([a, b - d])
        return float((_at(shared, a, departure_a) ** 2 + _at(shared + d, b, departure_b) ** 2).min())

    low, high = (boundary(lambda d: Z95**2 - squared(d), difference, side) for side in (-1, +1))
    return difference, low, high, float(2 * scipy.special.ndtr(-np.sqrt(squared(0.0))))


def _profile(law: PowerLaw, variable: int) -> tuple[Float[ndarray, " exponent"], Float[ndarray, " exponent"]]:
    """Exponents around the best one, dense enough to be searched, and how far each departs from it."""
    best = float(law.exponents[variable])
    ends = [law.end(variable, side) for side in (-1, +1)]
    half = max(abs(end - best) for end in ends if end is not None)
    coarse = best + half * np.linspace(-_REACH, _REACH, _GRID)
    departures = np.array([law.departure(variable, float(exponent)) for exponent in coarse])
    fine = np.linspace(coarse[0], coarse[-1], 32 * _GRID)
    return fine, np.interp(fine, coarse, departures)


def _at(
    exponents: Float[ndarray, " any"], grid: Float[ndarray, " exponent"], departures: Float[ndarray, " exponent"]
) -> Float[ndarray, " any"]:
    """The departure at any exponent; past the table it goes on as straight as it left it."""
    inside = np.interp(exponents, grid, departures)
    slopes = np.array([departures[1] - departures[0], departures[-1] - departures[-2]]) / (grid[1] - grid[0])
    below, above = np.minimum(exponents - grid[0], 0.0), np.maximum(exponents - grid[-1], 0.0)
    return inside + slopes[0] * below + slopes[1] * above


def _incomparable(
    name: str, variable: ScalingVariable, fits: Sequence[PowerLawFit | None], runs: tuple[Sequence[RunSummary], Sequence[RunSummary]]
) -> str:
    for which, fit in zip(("first", "second"), fits, strict=True):
        if fit is None:
            return f"{SYMBOLS[variable]} does not vary in the {which} sweep"
        if fit.exponent is None:
            return f"no exponent in the {which} sweep: {fit.note}"
        if fit.low is None and fit.high is None:
            return f"the exponent of the {which} sweep has no interval: too few onsets were reached to tell a spread between runs from it"
    definitions = [_definitions(name, part) for part in runs]
    if definitions[0] != definitions[1]:
        return (
            f"the onsets are defined differently: {' and '.join(definitions[0])} in the first, {' and '.join(definitions[1])} in the second"
        )
    return ""


def _definitions(name: str, runs: Sequence[RunSummary]) -> list[str]:
    onsets = [run.onsets[name] for run in runs if name in run.onsets]
    return sorted({f"{onset.metric} at {onset.level:g}" for onset in onsets if onset.status is not OnsetStatus.UNDEFINED})


def _holds(laws: tuple[FittedLaw, FittedLaw]) -> str:
    without = [which for which, law in zip(("first", "second"), laws, strict=True) if not law.with_spread]
    if not without:
        return "run-to-run spread included, one for each sweep"
    return f"{SAMPLING_ONLY} in the {' and the '.join(without)} sweep: three seeds of every setting are needed, and for a p-value"


def _ranges(variable: ScalingVariable, runs: tuple[Sequence[RunSummary], Sequence[RunSummary]]) -> list[str]:
    """Where the two were not measured over the same values: an exponent may drift along its range."""
    values = [{value for run in part if (value := scaled(run.params, variable)) is not None} for part in runs]
    if values[0] == values[1]:
        return []
    told = [f"{min(part):,g} to {max(part):,g} in the {which}" for part, which in zip(values, ("first", "second"), strict=True)]
    return [f"{SYMBOLS[variable]} differs: {', '.join(told)}"]
