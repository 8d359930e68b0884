"""The line of mark keys under the chart, and how what it shows was measured."""

from frontend.charts.figure import ViewOptions
from frontend.charts.forecast import forecast_of
from frontend.charts.groups import group_runs
from frontend.charts.reading import copying_metric, level_of, metric_info, quality_choices
from frontend.charts.seed_lines import seed_lines
from frontend.markup.forecasts import forecasts_link
from frontend.markup.html import TAU_GEN, TAU_MEM, TAU_SPLIT, Html, join, tag
from frontend.markup.icons import CENSORED, CONTROL, FORECAST, GEN, LIVE, MEM, SPLIT, WINDOW
from frontend.words import level_text
from tauscope.analysis.seeds import MIN_SEEDS
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import was_compared
from tauscope.contracts.points import MetricInfo


def mark_keys(experiment: ExperimentView, curves: Curves, options: ViewOptions) -> Html:
    """One line of marks, and the definitions of what is drawn."""
    keys = [
        tag("span", GEN, TAU_GEN),
        tag("span", MEM, TAU_MEM),
        *(_foretold() if any(forecast_of(run) for run in experiment.runs) else []),
        *([tag("span", SPLIT, TAU_SPLIT)] if any(was_compared(run.markers) for run in experiment.runs) else []),
        tag("span", CENSORED, "not reached by then"),
        tag("span", WINDOW, "window"),
        tag("span", CONTROL, "control, floor"),
        tag("span", LIVE, "newest point"),
        tag("span", "Bars and bands: 95 %", class_="tau-right"),
    ]
    return join(tag("div", *keys, class_="tau-keys"), _seeds(experiment, curves, options), *_definitions(experiment, curves, options))


def _foretold() -> list[Html]:
    return [tag("span", FORECAST, TAU_MEM, " foretold, 80 %"), forecasts_link("Forecasts")]


def _seeds(experiment: ExperimentView, curves: Curves, options: ViewOptions) -> Html | None:
    """What lines and bands are where a setting has seeds, and which settings have too few for an interval."""
    drawn = seed_lines(group_runs(experiment, options.palette), curves, apart=options.apart)
    lines = [line for line in drawn if len(line.members.runs) > 1]
    if not lines or options.view == "path":
        return None
    means = "; ".join(line.heading for line in lines if line.is_mean)
    singly = "; ".join(line.members.name for line in lines if not line.is_mean)
    why = "" if options.apart else f", which takes {MIN_SEEDS} that have begun"
    said = [f"Thick: the mean over the seeds; band: its 95 % interval by Student's t; thin: each seed: {means}."] if means else []
    said += [f"Each seed by itself, with no interval over seeds{why}: {singly}."] if singly else []
    return tag("p", " ".join(said), " ", _other_way(options) if means or options.apart else None, class_="tau-seeds tau-quiet")


def _other_way(options: ViewOptions) -> Html:
    words, value = ("Show the mean of the seeds", "") if options.apart else ("Show each seed", "each")
    return tag("button", words, type="button", class_="tau-link", data_seeds=value)


def _definitions(experiment: ExperimentView, curves: Curves, options: ViewOptions) -> list[Html]:
    quality = options.quality or next(iter(quality_choices(experiment, curves)), None)
    copying = copying_metric(experiment)
    shown = [name for name in (quality, copying, f"{copying}_control") if name and name in curves.metrics]
    entries = [_definition(metric_info(curves, name)) for name in shown]
    defining = level_of(experiment, "tau_gen")
    if defining and quality != defining[0]:
        info = metric_info(curves, defining[0])
        entries.append(tag("p", TAU_GEN, f" is defined by another quantity: {info.label} at or below {level_text(*defining)}"))
    return [tag("details", tag("summary", "How this is measured"), *entries, class_="tau-details")] if entries else []


def _definition(info: MetricInfo) -> Html:
    known = info.index is not None and info.alpha_bar is not None and "alpha_bar" not in info.label
    place = f" (index {info.index}, alpha_bar {info.alpha_bar:.3f})" if known else ""
    return tag("p", tag("b", info.label + place), f": {info.definition} Unit: {info.unit}.")
