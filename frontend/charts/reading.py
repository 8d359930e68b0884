"""What a figure needs to know from an experiment and its curves before it draws them."""

from collections import Counter
from collections.abc import Iterable

from frontend.charts.figure import ViewOptions
from frontend.words import Axis
from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.run_views import RunView

FRECHET = "frechet_pca"
# Points a series: what it takes to place labels and find ranges, and what the browser draws, fewer of each of many runs.
DESCRIBED, MAX_DRAWN = 120, 800
_MIN_DRAWN, _DRAWN_IN_ALL = 150, 8_000


NEVER = 1e12  # Divides a time that is not known to where no axis reaches.
_FAR = 3  # Budgets.


def kind_of(experiment: ExperimentView) -> str:
    """The kind of an experiment."""
    return str(experiment.sweep.get("base", {}).get("kind", "image_ddpm"))


def divisor(run: RunView, options: ViewOptions) -> float:
    """What training time is divided by on the chosen axis."""
    match options.axis:
        case "tau_n":
            return float(run.n_train or 1)
        case "w_tau":
            return 1 / run.width if run.width else NEVER
        case "epochs":
            return (run.n_train or 1) / (run.batch_size or 1)
        case "seconds":
            return run.step / run.seconds if run.seconds > 0 and run.step > 0 else NEVER
        case _:
            return 1.0


def drawn_points(n_runs: int) -> int:
    """How many points a series the browser draws."""
    return max(_MIN_DRAWN, min(MAX_DRAWN, _DRAWN_IN_ALL // max(1, n_runs)))


def axes_of(experiment: ExperimentView) -> tuple[Axis, ...]:
    """The time axes that all runs can be drawn on."""
    axes: list[Axis] = ["tau", "tau_n"]
    axes += ["w_tau"] if all(run.width for run in experiment.runs) and len({run.width for run in experiment.runs}) > 1 else []
    axes += ["epochs"] if all(run.batch_size and run.n_train for run in experiment.runs) else []
    axes += ["seconds"] if any(run.seconds > 0 and run.step > 0 for run in experiment.runs) else []
    return tuple(axes)


def level_of(experiment: ExperimentView, onset: str) -> tuple[str, float] | None:
    """Metric and level that define an onset, from the sweep or, failing that, from a run's result."""
    stated = experiment.sweep.get("base", {}).get("onsets", {}).get(onset)
    if stated:
        return str(stated["metric"]), float(stated["level"])
    found: Onset | None = next((run.onsets[onset] for run in experiment.runs if onset in run.onsets), None)
    return (found.metric, found.level) if found else None


def copying_metric(experiment: ExperimentView) -> str:
    """The quantity that defines tau_mem; f_mem unless the kind has another."""
    defining = level_of(experiment, "tau_mem")
    return defining[0] if defining else "f_mem"


def quality_choices(experiment: ExperimentView, curves: Curves) -> tuple[str, ...]:
    """The quantities the quality panel can show, the one that defines tau_gen first."""
    defining = level_of(experiment, "tau_gen")
    names = [defining[0]] if defining else []
    names += [name for name, info in curves.metrics.items() if info.role == "quality" or name == FRECHET]
    return tuple(dict.fromkeys(names))


def references_of(metric: str) -> tuple[str, ...]:
    """What must be drawn beside a quality: of one that is measured on samples what real images score, and what a copier would."""
    return () if metric.startswith("loss_") else (f"{metric}_floor", f"{metric}_train")


def loss_indices(curves: Curves) -> tuple[int, ...]:
    """Diffusion indices at which both a train and a held-out loss are measured."""
    indices = {info.index for name, info in curves.metrics.items() if name.startswith("loss_train@") and info.index is not None}
    return tuple(sorted(i for i in indices if f"loss_held_out@{i}" in curves.metrics))


def metric_info(curves: Curves, metric: str) -> MetricInfo:
    """How a metric is named; before its first point its own name has to do."""
    known = curves.metrics.get(metric)
    return known or MetricInfo(
        name=metric,
        label=metric.replace("loss_held_out@", "held-out loss at index ").replace("_", " "),
        unit="",
        role="quality",
        definition="",
        control=None,
        log_scale=True,
        index=None,
        alpha_bar=None,
    )


def title_of(info: MetricInfo) -> str:
    """A metric's label with a capital."""
    return info.label[:1].upper() + info.label[1:]


def headed(title: str, info: MetricInfo) -> str:
    """A panel's heading: the title, and how its quantity is to be read."""
    return ", ".join(part for part in (f"<b>{title}</b>", info.better_words) if part)


def short_label(info: MetricInfo) -> str:
    """A metric's label without what its title says in full: where it is measured, and on how many components."""
    return title_of(info).partition(" (")[0].partition(" on ")[0].replace(" at index ", " ")


def distinct_labels(infos: Iterable[MetricInfo]) -> dict[str, str]:
    """Short labels by name; where two are alike, whole titles."""
    known = list(infos)
    counts = Counter(short_label(info) for info in known)
    return {info.name: short_label(info) if counts[short_label(info)] == 1 else title_of(info).partition(" (")[0] for info in known}


def series_of(curves: Curves, run: RunView, metric: str) -> Series | None:
    """One series, if it has points."""
    series = curves.runs.get(run.id, {}).get(metric)
    return series if series and series.step else None


def has_interval(curves: Curves, metric: str) -> bool:
    """Whether any point of a metric carries an interval."""
    return any(low is not None for run in curves.runs.values() if metric in run for low in run[metric].low)


def value_range(curves: Curves, metrics: Iterable[str]) -> tuple[float, float] | None:
    """Smallest and largest value over all runs, intervals included."""
    wanted = set(metrics)
    series = [item for run in curves.runs.values() for name, item in run.items() if name in wanted]
    values = [value for item in series for column in (item.value, item.low, item.high) for value in column if value is not None]
    return (min(values), max(values)) if values else None


def time_range(experiment: ExperimentView, curves: Curves, options: ViewOptions) -> tuple[float, float]:
    """The span of the time axis: from the first measurement to the longest budget, known before the first point, or to a forecast."""
    known = [run for run in experiment.runs if divisor(run, options) < NEVER]
    firsts = [
        series.step[0] / divisor(run, options)
        for run in known
        for series in curves.runs.get(run.id, {}).values()
        if series.step and series.step[0] > 0
    ]
    schedule = experiment.sweep.get("base", {}).get("measurement", {}).get("schedule", {})
    planned = schedule.get("first") or next(iter(schedule.get("at", ())), 1)
    firsts += [planned / divisor(run, options) for run in known]
    lasts = [max(run.steps, _foretold(run)) / divisor(run, options) for run in known]
    low, high = min(firsts, default=1.0), max(lasts, default=10.0)
    return low, max(high, low * 10)


def _foretold(run: RunView) -> float:
    """How far the axis reaches for a run's forecast: to its upper end, but never far beyond the budget."""
    high = run.forecast.high if run.forecast is not None else None
    return min(high or 0.0, _FAR * run.steps)


def measured_span(curves: Curves, run: RunView, metric: str) -> tuple[float, float]:
    """First and last step at which a metric of a run was measured; what the run has done where it was not."""
    series = series_of(curves, run, metric)
    return (series.step[0], series.step[-1]) if series else (1, run.step)
