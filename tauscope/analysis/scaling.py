"""The law tau ~ n^a over a sweep, censored onsets included, with an interval that says what it leaves out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.optimize import minimize
from scipy.special import log_ndtr
from scipy.stats import chi2

from tauscope.contracts.onsets import Onset, OnsetStatus, PowerLawFit
from tauscope.contracts.summary import RunSummary
from tauscope.metrics.intervals import CONFIDENCE, Z95

SEEDS_FOR_SPREAD = 3
SAMPLING_ONLY = "sampling only, run-to-run spread not included: one seed per n; three are needed"
START_SPREAD = float(np.log(0.1))
# Copying that has not begun will begin later, so it bounds tau_mem from below. Quality that was not reached may never be: past its
# best a model on few images gets worse. To read "never" as "late" would bend the law of tau_gen, so such runs are left out and counted.
INFORMATIVE = {"tau_mem": {OnsetStatus.REACHED, OnsetStatus.CENSORED}, "tau_gen": {OnsetStatus.REACHED}}
MIN_ERROR = 1e-3  # A grid cell has some width; this only guards the division.


@dataclass(frozen=True)
class _Onsets:
    """Onsets in logarithms: tau or its lower bound, its standard error, and whether it is a bound."""

    log_n: Float[ndarray, " run"]
    log_tau: Float[ndarray, " run"]
    error: Float[ndarray, " run"]
    censored: Bool[ndarray, " run"]


def fit_sweep(runs: Sequence[RunSummary]) -> dict[str, PowerLawFit]:
    """Fit tau_gen and tau_mem against n_train; nothing where n_train does not vary.

    A fit over runs that differ in more than n_train and seed would mix laws, so it is refused with a note.
    """
    if len({run.params.get("n_train") for run in runs if "n_train" in run.params}) < 2:
        return {}
    return {f"{name}_vs_n": _fit(name, runs) for name in ("tau_gen", "tau_mem")}


def _fit(name: str, runs: Sequence[RunSummary]) -> PowerLawFit:
    others = {key for run in runs for key in run.params} - {"n_train", "seed", "subset"}
    if others:
        return _none(f"the runs also differ in {', '.join(sorted(others))}; compare them one by one")
    pairs = [(float(run.params["n_train"]), run.onsets[name]) for run in runs if name in run.onsets and "n_train" in run.params]
    usable = [(n, onset) for n, onset in pairs if onset.status in INFORMATIVE[name]]
    reached = {n for n, onset in usable if onset.status is OnsetStatus.REACHED}
    if len(reached) < 2:
        return _none(f"needs the onset at two values of n or more, has {len(reached)}")
    fit = _maximum_likelihood(_in_logarithms(usable), seeds=_seeds_per_n(usable))
    n_left_out = len(pairs) - len(usable)
    return (
        fit.model_copy(update={"note": f"{fit.note}; {n_left_out} of {len(pairs)} runs left out: no onset that this law can use"})
        if n_left_out
        else fit
    )


def _in_logarithms(pairs: Sequence[tuple[float, Onset]]) -> _Onsets:
    log_n, log_tau, error, censored = [], [], [], []
    for n, onset in pairs:
        is_bound = onset.status is OnsetStatus.CENSORED
        tau = onset.low if is_bound else onset.value
        assert tau is not None
        log_n.append(np.log(n))
        log_tau.append(np.log(max(tau, 1.0)))
        error.append(MIN_ERROR if is_bound else _log_error(onset))
        censored.append(is_bound)
    return _Onsets(np.array(log_n), np.array(log_tau), np.array(error), np.array(censored))


def _log_error(onset: Onset) -> float:
    """Standard error of log tau, from the wider side of its interval; an open side counts as the other."""
    assert onset.value is not None
    sides = [np.log(onset.value / onset.low)] if onset.low else []
    sides += [np.log(onset.high / onset.value)] if onset.high else []
    return max([MIN_ERROR, *(float(side) for side in sides)]) / Z95


def _maximum_likelihood(onsets: _Onsets, *, seeds: int) -> PowerLawFit:
    """log tau = log c + a log n + noise; a bound enters by the chance that tau lies beyond it (Tobit).

    The noise is the onset's own error and, once every n has several seeds, a run-to-run spread fitted along with the line.
    """
    with_spread = seeds >= SEEDS_FOR_SPREAD

    def deviance(line: Sequence[float]) -> float:
        exponent, intercept, log_spread = line
        scale = np.hypot(onsets.error, np.exp(log_spread) if with_spread else 0.0)
        z = (onsets.log_tau - intercept - exponent * onsets.log_n) / scale
        terms = np.where(onsets.censored, log_ndtr(-z), -0.5 * z**2 - np.log(scale))
        return float(-2 * terms.sum())

    def profile(exponent: float) -> float:
        """The deviance at the best intercept and spread for this exponent."""
        return float(_minimize(lambda v: deviance((exponent, v[0], v[1])), [centre - (exponent - slope) * middle, START_SPREAD])[1])

    reached = ~onsets.censored
    slope, centre = (float(v) for v in np.polyfit(onsets.log_n[reached], onsets.log_tau[reached], 1))
    middle = float(onsets.log_n[reached].mean())
    (exponent, intercept, _), minimum = _minimize(deviance, [slope, centre, START_SPREAD])
    limit = minimum + float(chi2.ppf(CONFIDENCE, 1))
    low, high = (_root(lambda a: profile(a) - limit, exponent, side) for side in (-1, +1))
    return PowerLawFit(
        exponent=exponent,
        low=low,
        high=high,
        points=int(reached.sum()),
        censored=int(onsets.censored.sum()),
        seeds=seeds,
        prefactor=float(np.exp(intercept)),
        note=f"{seeds} seeds per n, run-to-run spread included" if with_spread else SAMPLING_ONLY,
    )


def _minimize(function: Callable[[Sequence[float]], float], start: Sequence[float]) -> tuple[Sequence[float], float]:
    found = minimize(function, start, method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-7, "maxiter": 2000})
    return tuple(float(v) for v in found.x), float(found.fun)


def _root(excess: Callable[[float], float], start: float, direction: int) -> float | None:
    """Where a profile deviance passes its limit on one side of the best exponent; ``None`` if it never does."""
    step = 0.05
    inside, outside = start, start + direction * step
    while excess(outside) < 0:
        inside, step = outside, 2 * step
        outside += direction * step
        if abs(outside - start) > 50:
            return None
    for _ in range(14):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if excess(middle) < 0 else (inside, middle)
    return outside


def _seeds_per_n(pairs: Sequence[tuple[float, Onset]]) -> int:
    """The fewest runs at any n."""
    values = [n for n, _ in pairs]
    return min(values.count(n) for n in set(values))


def _none(reason: str) -> PowerLawFit:
    return PowerLawFit(exponent=None, low=None, high=None, points=0, note=reason)
