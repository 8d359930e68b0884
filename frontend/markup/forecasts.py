"""Forecasts in words and tables: a run's own beside what happened, and how all of them turned out."""

from datetime import UTC, datetime
from math import exp

from frontend.markup.header import address
from frontend.markup.html import TAU_MEM, Html, join, tag
from frontend.markup.sections import section, table
from frontend.words import interval, level_text, onset_words, percent, plural, sentence, steps
from tauscope.contracts.forecasts import Coverage, Forecast, ForecastCalibration, ForecastScore, KeptForecast, RunForecasts, Verdict

VERDICTS = {
    Verdict.INSIDE: "inside the 80 % interval",
    Verdict.EARLIER: "earlier than foretold",
    Verdict.LATER: "later than foretold",
    Verdict.OPEN: "open",
}
_COLUMNS = ("Made at τ", "On, UTC", join(TAU_MEM, " foretold"), "80 % interval", "95 % interval", "τ ~ n alone", "From", "Turned out")
_SCORE_COLUMNS = (
    "Forecast",
    "80 % interval held",
    "95 % interval held",
    "Mean error",
    "With pilots",
    "τ ~ n alone, there",
    "Not yet known",
)


def forecast_words(made: Forecast) -> str:
    """``1,360 (80 %: 1,100 to 1,700)``, or why there is none."""
    if made.median is None or made.low is None or made.high is None:
        return f"no forecast: {made.reason}"
    return f"{steps(made.median)} (80 %: {interval(made.low, made.high)})"


def source_words(made: Forecast) -> str:
    """What a forecast was drawn from, with counts."""
    if made.median is None:
        return ""
    sources = [plural(made.n_pilots, "pilot")] if made.n_pilots else ["no pilot"]
    sources += [f"its loss gap at {level_text('f_mem', made.gap_level)}"] if made.gap_level is not None else []
    return f"{' and '.join(sources)}, and {plural(made.n_runs, 'run')} of {plural(made.n_configurations, 'configuration')}"


def forecasts_link(words: str = "How forecasts turned out", kind: str = "tau-link") -> Html:
    """The way to the page that scores all forecasts."""
    return tag("a", words, class_=kind, href=address("forecasts"), data_go=address("forecasts"))


def run_forecasts(found: RunForecasts) -> Html:
    """Every kept forecast of a run, and the onset they were about."""
    body = join(
        tag("p", _outcome(found)),
        table(_COLUMNS, [_cells(item) for item in found.forecasts], "None yet: a forecast is made when the first point arrives."),
        tag("p", forecasts_link(kind="tau-button")),
    )
    return section("Forecasts of copying", body)


def _outcome(found: RunForecasts) -> Html:
    if found.outcome is None:
        return join(TAU_MEM, " is not measured yet.")
    value, spread = onset_words(found.outcome)
    unsettled = "" if found.outcome.value is not None else ", the run is over" if found.ended else ", the run goes on"
    return join(TAU_MEM, f": {value} ({spread}){unsettled}.")


def _cells(item: KeptForecast) -> tuple[object, ...]:
    made_on = f"{datetime.fromtimestamp(item.made_at, UTC):%Y-%m-%d %H:%M:%S}"
    if item.median is None:
        return steps(item.step), made_on, sentence(f"none: {item.reason}"), "", "", "", "", ""
    plain = steps(item.plain) if item.plain is not None else "no pilot"
    ends = interval(item.low, item.high), interval(item.low_95, item.high_95)
    return steps(item.step), made_on, tag("b", steps(item.median)), *ends, plain, source_words(item), VERDICTS[item.verdict]


def calibration_finding(found: ForecastCalibration) -> Html:
    """How often the last forecasts held, in one sentence with the numbers first."""
    score = found.last
    if not score.coverage_80.count:
        return Html("No forecast has an outcome yet.")
    return join(f"{_coverage(score.coverage_80)}: how often the 80 % interval of a run's last forecast before ", TAU_MEM, " held it.")


def calibration_table(found: ForecastCalibration) -> Html:
    """Coverage, error and the plain law's error, for each run's first forecast and its last."""
    rows = [_score_cells("first of a run", found.first), _score_cells(join("last before ", TAU_MEM), found.last)]
    notes = [
        f"One forecast a run, of {plural(found.last.n_configurations, 'configuration')}. Intervals of shares: Clopper and Pearson, 95 %, "
        "as if runs were independent; runs of one configuration are alike, so with few configurations they are too narrow.",
        "Mean error: the mean of |log(foretold / measured)|, as a factor; for runs with pilots, beside that of the plain law.",
        join("Forecasts made once the run was past ", TAU_MEM, ", though nobody could know it yet, are left out."),
        "Not yet known: runs whose last measured step lies before their forecast's upper end. A run beyond that end counts as missed, "
        f"though its onset is not known: {found.last.n_refuted} of the last forecasts.",
        f"Method {found.version}.",
    ]
    return section(
        "How forecasts turned out", join(table(_SCORE_COLUMNS, rows, ""), *[tag("p", note, class_="tau-quiet") for note in notes])
    )


def _score_cells(name: str | Html, score: ForecastScore) -> tuple[object, ...]:
    errors = [_factor(score.error), _factor(score.error_compared), _factor(score.error_plain)]
    compared = f"{errors[1]}, {plural(score.n_compared, 'run')}" if score.n_compared else errors[1]
    return name, _coverage(score.coverage_80), _coverage(score.coverage_95), errors[0], compared, errors[2], str(score.n_open)


def _coverage(found: Coverage) -> str:
    if found.share is None:
        return "no outcome yet"
    return f"{found.covered} of {found.count}, {percent(found.share)} ({percent(found.low)} to {percent(found.high)})"


def _factor(error: float | None) -> str:
    return f"a factor {exp(error):.2f}" if error is not None else "not known"
