"""The words of the law: what was found, the marks, what is foretold, the fitted laws with their counts."""

from collections.abc import Mapping, Sequence

from frontend.charts.forecast import forecast_of
from frontend.charts.groups import Group, run_name
from frontend.charts.law import scales_with
from frontend.charts.reading import level_of, metric_info, title_of
from frontend.markup.forecasts import forecast_words, forecasts_link, source_words
from frontend.markup.html import TAU_GEN, TAU_MEM, Html, join, tag
from frontend.markup.icons import CENSORED, FORECAST, GEN, MEM
from frontend.markup.side import measure_words
from frontend.words import UNTIL_BEST, UNTIL_PEAK, level_text, percent, plural, sentence
from frontend.words import exponent as power
from tauscope.analysis.scaling import AXES, SYMBOLS
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import OnsetStatus, PowerLawFit, ScalingVariable

_NAMED = 3


def law_finding(experiment: ExperimentView, by: ScalingVariable = "n") -> Html:
    """Both exponents in a sentence each, and how that of copying compares with the paper's."""
    mem, gen = (experiment.fits.get(f"{name}_vs_{by}") for name in ("tau_mem", "tau_gen"))
    if by not in scales_with(experiment):
        return Html(f"{SYMBOLS[by]} does not vary in this experiment, so there is no law to fit.")
    if mem is None:
        return Html(f"No law yet: it needs the onset of copying at two values of {SYMBOLS[by]}.")
    return join(_copying(mem), " ", _quality(gen) if gen else None)


# How copying compares with the paper, where tau_mem is in proportion to n and to 1/W.
_COMPARED: dict[ScalingVariable, tuple[str, str, str]] = {
    "n": ("steeper than linear", "flatter than linear", "linear growth (exponent 1) lies inside the interval"),
    "width": ("steeper than 1/W", "flatter than 1/W", "1/W (exponent −1) lies inside the interval"),
}


def _copying(fit: PowerLawFit) -> Html:
    if fit.exponent is None:
        return join("No law of copying yet: ", fit.note, ".")
    measured = join("Measured: ", TAU_MEM, f" ~ {SYMBOLS[fit.variable]}", tag("sup", power(fit.exponent)))
    if fit.low is None or fit.high is None:
        return join(measured, ".")
    steep, flat, within = _COMPARED[fit.variable]
    low, high = (fit.low, fit.high) if fit.variable == "n" else (-fit.high, -fit.low)
    compared = steep if low > 1 else flat if high < 1 else within
    return join(measured, tag("span", f" ({power(fit.low)} to {power(fit.high)})", class_="tau-quiet"), f", {compared}.")


def _quality(fit: PowerLawFit) -> Html:
    if fit.exponent is None:
        return Html("")
    if fit.low is not None and fit.high is not None and fit.low <= 0 <= fit.high:
        return join(TAU_GEN, f" shows no dependence on {SYMBOLS[fit.variable]}: exponent 0 lies inside its interval.")
    return join(TAU_GEN, f" ~ {SYMBOLS[fit.variable]}", tag("sup", power(fit.exponent)), ".")


def law_keys(experiment: ExperimentView) -> Html:
    """The marks of the law's chart, and the way to how forecasts turned out."""
    foretold = any(forecast_of(run) for run in experiment.runs)
    marks = [
        join(MEM, TAU_MEM),
        join(GEN, TAU_GEN),
        *([join(FORECAST, TAU_MEM, " foretold, 80 %")] if foretold else []),
        join(CENSORED, "not reached by then"),
    ]
    return join(*[tag("span", mark) for mark in marks], forecasts_link("Forecasts"))


def foretold_words(groups: Sequence[Group]) -> Html | None:
    """The forecasts that are drawn hollow, with their intervals and sources."""
    runs = [(group, run) for group in groups for run in group.runs]
    said = [
        tag("li", tag("b", run_name(group, run)), f": {forecast_words(made)}, from {source_words(made)}")
        for group, run in runs
        if (made := forecast_of(run)) is not None
    ]
    if not said:
        return None
    return tag(
        "div", tag("p", TAU_MEM, " foretold and not measured; no forecast takes part in a fit:"), tag("ul", *said), class_="tau-score"
    )


def law_table(experiment: ExperimentView, curves: Curves, fits: Mapping[str, PowerLawFit], level: float | None) -> Html:
    """Exponent, interval, counts and definition of each law."""
    head = ("Law", "exponent", "95 % interval", "onsets", "censored", "seeds per setting", "measured as")
    rows = [
        _law_row(experiment, curves, name, fit, level)
        for name in ("tau_mem", "tau_gen")
        for variable in AXES
        if (fit := fits.get(f"{name}_vs_{variable}"))
    ]
    if not rows:
        return Html("")
    columns = tag("thead", tag("tr", *[tag("th", words, scope="col") for words in head]))
    return tag("section", tag("table", columns, tag("tbody", *rows), class_="tau-onsets tau-laws"), class_="tau-card tau-flush")


def _law_row(experiment: ExperimentView, curves: Curves, name: str, fit: PowerLawFit, level: float | None) -> Html:
    mark, symbol = (MEM, TAU_MEM) if name == "tau_mem" else (GEN, TAU_GEN)
    spread = f"{power(fit.low)} to {power(fit.high)}" if fit.low is not None and fit.high is not None else "none"
    cells = [
        join(mark, symbol, f" ~ {SYMBOLS[fit.variable]}", tag("sup", "a" if fit.variable == "n" else "b")),
        tag("b", power(fit.exponent)) if fit.exponent is not None else "none",
        spread,
        fit.points,
        fit.censored,
        fit.seeds,
        join(
            _definition(experiment, curves, name, level),
            tag("span", f" {sentence(fit.note)} ", class_="tau-quiet"),
            _never(experiment, name),
        ),
    ]
    return tag("tr", *[tag("td", cell) for cell in cells])


def _definition(experiment: ExperimentView, curves: Curves, name: str, level: float | None) -> Html:
    defining = level_of(experiment, name)
    if defining is None:
        return Html("")
    metric, own = defining
    if name == "tau_mem":
        measured = measure_words(curves, metric) if metric == "f_mem" else title_of(metric_info(curves, metric))
        return join(measured, f" first at or above {level_text(metric, level or own)}, {UNTIL_PEAK}.")
    return join(f"{title_of(metric_info(curves, metric))} first at or below {level_text(metric, own)}, {UNTIL_BEST}.")


def _never(experiment: ExperimentView, name: str) -> Html | None:
    """Runs without this onset, by why."""
    lost: dict[str, list[str]] = {}
    for run in experiment.runs:
        onset = run.onsets.get(name)
        if onset is not None and onset.status is not OnsetStatus.REACHED:
            lost.setdefault(onset.reason or str(onset.status), []).append(run.label)
    said = [f"{', '.join(labels) if len(labels) <= _NAMED else plural(len(labels), 'run')}: {why}." for why, labels in lost.items()]
    return tag("span", " ".join(said), class_="tau-quiet") if said else None


def level_choices(experiment: ExperimentView) -> dict[str, str]:
    """The levels of copying that the law can be read at, by how the address names them; the spec's own first."""
    defining = level_of(experiment, "tau_mem")
    own = defining[1] if defining else 0.25
    return {f"{level:g}": percent(level) for level in dict.fromkeys((own, 0.1, 0.5))}
