"""How forecasts turned out: each against its outcome, and all of them together, one a run."""

from collections.abc import Callable, Iterable, Sequence
from math import log
from statistics import fmean

from tauscope.contracts.forecasts import Coverage, Forecast, ForecastScore, KeptForecast, ScoredForecast, Verdict
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.metrics.intervals import clopper_pearson

Ends = tuple[float | None, float | None]


def verdict(forecast: Forecast, outcome: Onset | None) -> Verdict:
    """How the 80 % interval turned out.

    A censored outcome refutes a forecast whose upper end it has passed, and leaves every other open.
    """
    return _verdict((forecast.low, forecast.high), outcome)


def _verdict(ends: Ends, outcome: Onset | None) -> Verdict:
    low, high = ends
    if outcome is None or low is None or high is None:
        return Verdict.OPEN
    match outcome.status:
        case OnsetStatus.REACHED:
            assert outcome.value is not None
            return Verdict.EARLIER if outcome.value < low else Verdict.LATER if outcome.value > high else Verdict.INSIDE
        case OnsetStatus.BEFORE_FIRST if outcome.high is not None and outcome.high < low:
            return Verdict.EARLIER
        case OnsetStatus.CENSORED if outcome.low is not None and outcome.low > high:
            return Verdict.LATER
        case _:
            return Verdict.OPEN


def materially_new(made: Forecast, last: Forecast | None, *, share: float = 0.05) -> bool:
    """Whether a forecast says something that the last one did not: another reason, or an end or the median moved by ``share``."""
    if last is None or made.median is None or last.median is None:
        return last is None or made.reason != last.reason
    pairs = ((made.low, last.low), (made.median, last.median), (made.high, last.high))
    return any(abs(log(now / before)) > log(1 + share) for now, before in pairs if now and before)


def score(judged: Iterable[ScoredForecast]) -> ForecastScore:
    """Coverage and error of forecasts, one a run, whether their run has ended or not; what is not known yet is left out and counted."""
    judged = list(judged)
    scored = tuple(item for item in judged if item.forecast.verdict is not Verdict.OPEN)
    reached = [item for item in scored if item.outcome.status is OnsetStatus.REACHED]
    compared = [item for item in reached if item.forecast.plain is not None]
    return ForecastScore(
        coverage_80=_coverage(scored, 0.8, lambda forecast: (forecast.low, forecast.high)),
        coverage_95=_coverage(scored, 0.95, lambda forecast: (forecast.low_95, forecast.high_95)),
        n_configurations=len({item.configuration for item in scored}),
        error=_error(reached, lambda forecast: forecast.median),
        error_compared=_error(compared, lambda forecast: forecast.median),
        error_plain=_error(compared, lambda forecast: forecast.plain),
        n_compared=len(compared),
        n_open=len(judged) - len(scored),
        n_refuted=sum(item.outcome.status is OnsetStatus.CENSORED for item in scored),
        scored=scored,
    )


def _coverage(scored: Sequence[ScoredForecast], nominal: float, ends: Callable[[KeptForecast], Ends]) -> Coverage:
    verdicts = [_verdict(ends(item.forecast), item.outcome) for item in scored]
    decided = [found for found in verdicts if found is not Verdict.OPEN]
    covered = decided.count(Verdict.INSIDE)
    low, high = clopper_pearson(covered, len(decided)) if decided else (0.0, 1.0)
    share = covered / len(decided) if decided else None
    return Coverage(nominal=nominal, covered=covered, count=len(decided), share=share, low=low, high=high)


def _error(scored: Sequence[ScoredForecast], prediction: Callable[[KeptForecast], float | None]) -> float | None:
    """Mean of |log(prediction / tau_mem)|."""
    errors = []
    for item in scored:
        predicted, outcome = prediction(item.forecast), item.outcome.value
        assert predicted is not None and outcome is not None
        errors.append(abs(log(predicted / outcome)))
    return fmean(errors) if errors else None
