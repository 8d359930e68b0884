"""A figure in words, for whoever does not see it: the finding, then both onsets of every run."""

from collections.abc import Sequence
from html import unescape
from re import sub

from frontend.charts.forecast import forecast_of
from frontend.charts.groups import Group, run_name
from frontend.charts.window import window_of
from frontend.markup.finding import finding
from frontend.markup.forecasts import forecast_words
from frontend.words import interval, steps
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset, OnsetStatus, was_compared
from tauscope.contracts.run_views import RunView


def alternative(experiment: ExperimentView, groups: Sequence[Group]) -> str:
    """Plain text."""
    runs = [f"{run_name(group, run)}: {run_words(run)}" for group in groups for run in group.runs]
    return " ".join([plain(finding(experiment, groups)), *(f"{words}." for words in runs)])


def plain(html: str) -> str:
    """The words of a piece of HTML; what stands above the line is said to be a power."""
    return unescape(sub(r"<[^>]+>", "", sub(r"<sub>([^<]*)</sub>", r"_\1", sub(r"<sup>([^<]*)</sup>", r" to the power \1", html))))


def run_words(run: RunView) -> str:
    """Both onsets, tau_split where it was compared, and the window of a run."""
    if not run.onsets:
        return "nothing measured yet"
    window = window_of(run)
    words = [f"{name} {_onset(onset)}" for name, onset in sorted(run.onsets.items())]
    made = forecast_of(run)
    words += [f"tau_mem foretold {forecast_words(made)}"] if made else []
    split = run.markers.get("tau_split")
    words += [f"tau_split {_onset(split)}"] if split is not None and was_compared(run.markers) else []
    return ", ".join([*words, f"window {window.words}" if window else "no window"])


def _onset(onset: Onset) -> str:
    if onset.status is OnsetStatus.REACHED and onset.value is not None:
        return f"{steps(onset.value)} ({interval(onset.low, onset.high)})"
    return onset.reason or onset.status.replace("_", " ")
