"""What an experiment found, in one sentence with its numbers first."""

from collections.abc import Sequence

from frontend.charts.groups import Group
from frontend.markup.html import TAU_MEM, Html, join, tag
from frontend.words import exponent, joined_names, steps
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset, OnsetStatus, PowerLawFit
from tauscope.contracts.runs import TERMINAL_STATES, RunState


def finding(experiment: ExperimentView, groups: Sequence[Group]) -> Html:
    """Both clocks in a sentence each; what was not reached is said so."""
    if not any(_known(onset) for run in experiment.runs for onset in run.onsets.values()):
        return Html(_before_onsets(experiment))
    return join(_quality(experiment, groups), " ", _copying(experiment, groups))


def _before_onsets(experiment: ExperimentView) -> str:
    if all(run.state is RunState.QUEUED for run in experiment.runs):
        return "Waiting for a free slot."
    if experiment.state not in TERMINAL_STATES:
        return "No onset yet."
    reasons = dict.fromkeys(onset.reason for run in experiment.runs for onset in run.onsets.values())
    return f"No onset: {'; '.join(reasons)}." if reasons else "No onset was measured."


def _known(onset: Onset) -> bool:
    return onset.status is not OnsetStatus.UNDEFINED


def _reached(experiment: ExperimentView, name: str) -> list[float]:
    onsets = [run.onsets[name] for run in experiment.runs if name in run.onsets]
    return [onset.value for onset in onsets if onset.value is not None]


def _missing(groups: Sequence[Group], name: str) -> str:
    """The groups in which no run reached the onset."""
    return joined_names([group.name for group in groups if not any(_has(run.onsets.get(name)) for run in group.runs)])


def _not_reached(groups: Sequence[Group], name: str) -> str:
    """``never`` where a run came to its end without the onset; a run that goes on, failed or was stopped has not come to it yet."""
    ended = [run.state is RunState.FINISHED for group in groups for run in group.runs if not _has(run.onsets.get(name))]
    return "never" if all(ended) else "not yet"


def _has(onset: Onset | None) -> bool:
    return onset is not None and onset.status is OnsetStatus.REACHED


def _span(values: Sequence[float]) -> str:
    low, high = steps(min(values)), steps(max(values))
    return low if low == high else f"{low} to {high}"


def _quality(experiment: ExperimentView, groups: Sequence[Group]) -> Html:
    values = _reached(experiment, "tau_gen")
    missing = _missing(groups, "tau_gen")
    if not values:
        return Html("Quality is not reached yet." if experiment.state not in TERMINAL_STATES else "Quality is never reached.")
    where = f", {_not_reached(groups, 'tau_gen')} for {missing}." if missing else " for every n." if len(groups) > 1 else "."
    return join(f"Quality arrives at τ ≈ {_span(values)}", where)


def _copying(experiment: ExperimentView, groups: Sequence[Group]) -> Html:
    values = _reached(experiment, "tau_mem")
    fit = experiment.fits.get("tau_mem_vs_n")
    if not values:
        return Html("No copying yet." if experiment.state not in TERMINAL_STATES else "Copying is not reached.")
    if fit is not None and fit.exponent is not None:
        return join("Copying waits: " if fit.low is not None and fit.low > 0 else "Copying: ", law(fit))
    missing = _missing(groups, "tau_mem")
    return join(f"Copying starts at τ ≈ {_span(values)}", f", {_not_reached(groups, 'tau_mem')} for {missing}." if missing else ".")


def law(fit: PowerLawFit) -> Html:
    """The fitted law with its interval, e.g. τ_mem ~ n^1.28 (1.23 to 1.34)."""
    assert fit.exponent is not None
    spread = (
        tag("span", f" ({exponent(fit.low)} to {exponent(fit.high)})", class_="tau-quiet")
        if fit.low is not None and fit.high is not None
        else ""
    )
    return join(TAU_MEM, " ~ n", tag("sup", exponent(fit.exponent)), spread)
