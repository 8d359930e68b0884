"""tau_mem of a cell of the phase diagram, foretold by the law of the other cells."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tauscope.analysis.scaling import AXES, SYMBOLS, FittedLaw, fit_law
from tauscope.contracts.phase import Interval
from tauscope.contracts.summary import RunSummary
from tauscope.contracts.wording import number

_MOST = 700.0  # e to this is still a number.


class Prediction(NamedTuple):
    """tau_mem of one further run, 95 %, or ``None``; and what it rests on, or why there is none."""

    interval: Interval | None
    words: str


def predict_tau_mem(others: Sequence[RunSummary], n: int, width: int) -> Prediction:
    """tau_mem at (n, W) by the law tau ~ n^a W^b of other runs.

    Args:
        others: runs of other cells whose ``params`` hold their ``n_train`` and ``width``.
    """
    place = {"n": n, "width": width}
    fitted = fit_law("tau_mem", others, with_scatter=True)
    unknown = _beyond_the_law(fitted, others, place)
    if fitted.law is None or unknown:
        return Prediction(None, f"no prediction: {_why(fitted, others) if fitted.law is None else unknown}")
    found = fitted.law.further(np.log([float(place[name]) for name in fitted.variables]))
    if found is None:
        return Prediction(None, f"no prediction: {fitted.reached} onsets of other cells leave no scatter about the law to judge it by")
    value, low, high = (float(np.exp(min(log_tau, _MOST))) for log_tau in found)
    exponents = zip(fitted.variables, fitted.law.exponents, strict=True)
    law = " ".join(f"{SYMBOLS[name]}^{exponent:.2f}" for name, exponent in exponents).replace("-", "−")
    counts = f"{fitted.reached} onsets of other cells, {fitted.later} censored"
    interval = Interval(value=value, low=low, high=high)
    return Prediction(interval, f"predicted tau_mem {number(value)} ({number(low)} to {number(high)}) by tau ~ {law} over {counts}")


def _beyond_the_law(fitted: FittedLaw, others: Sequence[RunSummary], place: dict[str, int]) -> str:
    """Why the law says nothing here: a variable that it does not hold has another value here than it had there."""
    for variable, names in AXES.items():
        seen = {run.params[names[0]] for run in others}
        if variable not in fitted.variables and seen != {place[variable]}:
            return f"the other cells have one {SYMBOLS[variable]}, and not that of this one"
    return ""


def _why(fitted: FittedLaw, others: Sequence[RunSummary]) -> str:
    return f"the law of the other cells {fitted.reason}" if fitted.variables else f"the other cells have {len(others)} runs at one n and W"
