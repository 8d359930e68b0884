"""Which checkpoint to use: trained enough to generate well, and not so long that it copies."""

from collections.abc import Mapping, Sequence

from tauscope.contracts.forecasts import Forecast
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tauscope.contracts.retention import Margin, Recommendation
from tauscope.contracts.wording import counted_words, interval_percent, measured_words, percent

_REACHED = (OnsetStatus.REACHED, OnsetStatus.BEFORE_FIRST)


def recommend(points: Sequence[Point], onsets: Mapping[str, Onset], forecast: Forecast | None = None) -> Recommendation:
    """The earliest measured step between the onsets whose quality cannot be told from the best there.

    The window goes from the upper end of tau_gen's interval to the lower end of tau_mem's, or to the last measured step
    where that was not reached, both included. A step counts as measured if both quality and f_mem were. Quality is better
    when lower; two values cannot be told apart if their 95 % intervals overlap. ``forecast`` is what the margin is told by
    where tau_mem was not reached; it has no part in the choice.
    """
    if not {"tau_gen", "tau_mem"} <= onsets.keys():
        return Recommendation(step=None, reason="nothing was measured yet")
    tau_gen, tau_mem = onsets["tau_gen"], onsets["tau_mem"]
    measured = _measured(points, tau_gen.metric)
    window = _window(measured, tau_gen, tau_mem)
    if isinstance(window, str):
        return Recommendation(step=None, reason=window)
    first, last = window
    inside = [(step, *pair) for step, pair in sorted(measured.items()) if first <= step <= last]
    if not inside:
        return Recommendation(step=None, reason=f"nothing was measured between tau_gen (by {first:,.0f}) and tau_mem (from {last:,.0f})")
    best = min((quality for _, quality, _ in inside), key=_value)
    step, quality, f_mem = next(row for row in inside if _low(row[1]) <= _high(best))
    margin = _margin(step, tau_mem, forecast)
    words = f"step {step:,}: {quality.metric} {measured_words(quality)}, f_mem {counted_words(f_mem)}, {margin.words}"
    reason = _why(step, best, window, tau_mem)
    return Recommendation(step=step, quality=quality, f_mem=f_mem, margin=margin, reason=reason, summary=words)


def _measured(points: Sequence[Point], metric: str) -> dict[int, tuple[Point, Point]]:
    """By step, the quality and f_mem where both have a value."""
    quality = {point.step: point for point in points if point.metric == metric and point.value is not None}
    f_mem = {point.step: point for point in points if point.metric == "f_mem" and point.value is not None}
    return {step: (quality[step], f_mem[step]) for step in quality.keys() & f_mem.keys()}


def _window(measured: dict[int, tuple[Point, Point]], tau_gen: Onset, tau_mem: Onset) -> tuple[float, float] | str:
    """First and last step that may be recommended, or why there is none."""
    if tau_gen.status not in _REACHED:
        return f"tau_gen was not reached: {tau_gen.reason}"
    if tau_gen.high is None:
        return "tau_gen has no upper end yet: a later measurement must confirm it"
    if tau_mem.status is OnsetStatus.UNDEFINED or not measured:
        return f"tau_mem is not known: {tau_mem.reason or 'no step has both quality and f_mem'}"
    last = float(max(measured)) if tau_mem.status is OnsetStatus.CENSORED else (tau_mem.low or 0.0)
    if tau_gen.high > last:
        return f"tau_gen (by {tau_gen.high:,.0f}) is not clearly before tau_mem (from {last:,.0f}): no step is both good and free of copies"
    return tau_gen.high, last


def _margin(step: int, tau_mem: Onset, forecast: Forecast | None) -> Margin:
    """The earlier of two steps has the more of it; where tau_mem was not reached its forecast counts, or else its lower bound alone."""
    if tau_mem.value is None and forecast is not None and forecast.median and forecast.low and forecast.high:
        return _foretold(step / forecast.median, step / forecast.high, step / forecast.low)
    high = step / tau_mem.low if tau_mem.low and step <= tau_mem.low else None
    if tau_mem.value is None:
        least = f"which is not before {tau_mem.low or 0:,.0f}"
        words = f"at most {percent(high)} of tau_mem, {least}" if high is not None else f"margin to tau_mem not known, {least}"
        return Margin(share=None, low=None, high=high, words=words)
    share, low = step / tau_mem.value, step / tau_mem.high if tau_mem.high else None
    spread = f" ({interval_percent(low or 0, high)})" if high is not None else ""
    return Margin(share=share, low=low, high=high, words=f"{percent(share)} of tau_mem{spread}")


def _foretold(share: float, low: float, high: float) -> Margin:
    words = f"{percent(share)} of the predicted tau_mem (80 %: {interval_percent(low, high)})"
    return Margin(share=share, low=low, high=high, predicted=True, words=words)


def _why(step: int, best: Point, window: tuple[float, float], tau_mem: Onset) -> str:
    end = f"the last measured step {window[1]:,.0f}" if tau_mem.status is OnsetStatus.CENSORED else f"tau_mem (from {window[1]:,.0f})"
    among = f"between tau_gen (by {window[0]:,.0f}) and {end}"
    if step == best.step:
        return f"the best quality {among}"
    return f"the earliest step whose quality cannot be told from the best (at {best.step:,}) {among}"


def _value(point: Point) -> float:
    assert point.value is not None
    return point.value


def _low(point: Point) -> float:
    return _value(point) if point.low is None else point.low


def _high(point: Point) -> float:
    return _value(point) if point.high is None else point.high
