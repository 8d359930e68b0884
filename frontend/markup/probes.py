"""The words of the probes page: what a probe foretold, every run's warning, and how good each probe proved on this data set."""

from collections.abc import Mapping, Sequence

from frontend.charts.groups import Group, run_name
from frontend.charts.reading import metric_info, short_label
from frontend.markup.header import address
from frontend.markup.html import TAU_MEM, Html, join, tag
from frontend.markup.icons import CENSORED, CONTROL, MEM, RAISED, WARNING, swatch
from frontend.markup.sections import section, table
from frontend.words import interval, interval_percent, number, onset_words, percent, plural, probe_value, sentence, steps
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.run_views import RunView
from tauscope.contracts.warnings import ExperimentWarnings, FalseAlarms, Lead, Outcome, ProbeCalibration, RunWarning

NEVER_REPLACES = Html("A probe never replaces f<sub>mem</sub>: it says that copying may be near, not that there is any.")

_OUTCOMES = {
    Outcome.EARLY: "before copying",
    Outcome.LATE: "late",
    Outcome.MISSED: "missed",
    Outcome.FALSE: "false alarm",
    Outcome.QUIET: "neither warned nor copied",
    Outcome.UNDECIDED: "undecided",
}


def probe_choices(metrics: Mapping[str, MetricInfo]) -> dict[str, str]:
    """The probes that can be shown, by name, the one to begin with first."""
    gaps = sorted((name for name in metrics if name.startswith("loss_gap@")), key=lambda name: -int(name.partition("@")[2]))
    listed = [*gaps, *(name for name in metrics if name not in gaps and metrics[name].role == "warning")]
    return {name: short_label(metrics[name]) for name in listed}


def probes_finding(found: ProbeCalibration | None, info: MetricInfo) -> Html:
    """How far ahead the probe warned and how often in vain, in one sentence."""
    if found is None:
        return Html("No probe was measured in this experiment yet.")
    name = f"{short_label(info)} on {found.dataset}"
    if found.level is None:
        return join(f"{name}: {found.note}.")
    counted = plural(found.lead.count, "run") if found.lead else ""
    lead = f"copying came a median {lead_words(found.lead)} as late as the warning, in {counted}" if found.lead else "no warning"
    alarms = f"; {false_words(found.false_alarms)}" if found.false_alarms else ""
    return join(f"{name}: {lead}{alarms}.")


def lead_words(lead: Lead) -> str:
    """``2.3 times (1.9 to 2.6)``; without an interval the reason."""
    spread = (
        f"({number(lead.low)} to {number(lead.high)})" if lead.low is not None and lead.high is not None else "(no interval under six runs)"
    )
    return f"{number(lead.value)} times {spread}"


def false_words(alarms: FalseAlarms) -> str:
    """``0 of 9 warnings false, under 34 % at 95 %``."""
    false = round(alarms.value * alarms.count)
    if not false:
        return f"0 of {plural(alarms.count, 'run')} with a false alarm, under {percent(alarms.high)} at 95 %"
    spread = interval_percent(alarms.low, alarms.high)
    return f"{false} of {plural(alarms.count, 'run')} with a false alarm: {percent(alarms.value)} ({spread})"


def probe_keys() -> Html:
    """The marks of the chart."""
    marks = (join(RAISED, "warning"), join(MEM, TAU_MEM), join(CENSORED, "not by then"), join(CONTROL, "control"), "Bars and bands: 95 %")
    return tag("div", *[tag("span", mark) for mark in marks], class_="tau-keys")


def warning_table(groups: Sequence[Group], warnings: Mapping[str, RunWarning], metric: str) -> Html:
    """Each run's warning and copying with intervals, the lead between them, and what became of it."""
    head = ("n", "warning level", "warning", TAU_MEM, "lead", "outcome")
    rows = [_warning_row(group, run, warnings.get(run.id), metric) for group in groups for run in group.runs]
    return section("Every run", table(head, rows, "No run yet."))


def _warning_row(group: Group, run: RunView, warning: RunWarning | None, metric: str) -> list[object]:
    name = join(swatch(group.colour), run_name(group, run).removeprefix("n = "))
    if warning is None:
        return [name, "not measured", "", "", "", ""]
    level = probe_value(metric, warning.level) if warning.level is not None else "none"
    lead = warning.lead
    ratio = f"{number(lead.value)}×" if lead else ""
    spread = f" ({interval(lead.low, lead.high)})" if lead and lead.low is not None else ""
    return [
        name,
        join(level, tag("span", f" {warning.note}", class_="tau-quiet")),
        _onset_cell(warning.onset, "no level"),
        _onset_cell(run.onsets.get("tau_mem"), "not measured"),
        join(ratio, tag("span", spread, class_="tau-quiet")),
        _OUTCOMES[warning.outcome] if warning.outcome else "",
    ]


def _onset_cell(onset: Onset | None, missing: str) -> Html:
    if onset is None:
        return tag("span", missing, class_="tau-quiet")
    value, spread = onset_words(onset)
    return join(tag("b" if onset.status is OnsetStatus.REACHED else "span", value), tag("span", f" {spread}", class_="tau-quiet"))


def calibration_table(calibrations: Sequence[ProbeCalibration], metrics: Mapping[str, MetricInfo]) -> Html:
    """Every probe on the data set: level, lead, false alarms, and how its runs came out, each with its count."""
    head = ("Probe", "level", "lead, median", "false alarms", "outcomes", "runs", "note")
    rows = [_calibration_row(found, metrics.get(found.metric)) for found in calibrations]
    return section("Every probe, judged on runs it was not calibrated on", table(head, rows, "No run with a probe has finished yet."))


def _calibration_row(found: ProbeCalibration, info: MetricInfo | None) -> list[object]:
    sign = "at or below " if found.falling else "at or above "
    level = sign + probe_value(found.metric, found.level) if found.level is not None else "none"
    alarms, lead = found.false_alarms, found.lead
    told = [f"{count} {_OUTCOMES[kind]}" for kind, count in found.outcomes.items() if count]
    return [
        short_label(info) if info else found.metric,
        level,
        f"{lead_words(lead)}, {plural(lead.count, 'run')}" if lead else "none",
        false_words(alarms) if alarms else "none",
        ", ".join(told) or "none",
        f"{found.runs} of {plural(found.configurations, 'configuration')}",
        sentence(found.note),
    ]


def definitions(calibrations: Sequence[ProbeCalibration], info: MetricInfo) -> Html:
    """How the shown probe is measured, and what a warning, its level and a false alarm are."""
    first = next(iter(calibrations), None)
    rule = (
        "A warning is the first sustained crossing of the level. A false alarm is one that copying did not follow, by the last step or by "
        f"τ_mem, within {first.most_early:g} times its own time. The level is the most sensitive one at which, and at every stricter one, "
        f"at most {percent(first.most_false)} of the runs have a false alarm. Every number here is of runs that had no part in their level:"
        " all runs of a configuration, whatever their seed, are left out together."
        if first
        else ""
    )
    measured = tag("p", tag("b", info.label), f": {info.definition} Unit: {info.unit}.")
    return tag("details", tag("summary", "How this is measured"), measured, tag("p", rule), class_="tau-details")


def warning_cards(experiment: ExperimentView, curves: Curves, groups: Sequence[Group], found: ExperimentWarnings) -> list[Html]:
    """For the watch page: runs that a probe warned of and that do not copy yet; one card, one line a run."""
    lines = [line for group in groups for run in group.runs if (line := _raised(group, run, curves, found)) is not None]
    if not lines:
        return []
    where = address("probes", id=experiment.id)
    head = tag("div", WARNING, tag("b", "Copying may be near"), class_="tau-notice-head")
    link = tag("a", "Probes and their lead times", href=where, data_go=where)
    body = [tag("p", line) for line in lines]
    return [tag("section", head, *body, tag("p", NEVER_REPLACES, " ", link), class_="tau-card tau-notice tau-warn", role="status")]


def _raised(group: Group, run: RunView, curves: Curves, found: ExperimentWarnings) -> Html | None:
    """The first probe, in the order of the page's choices, that warned of a run that does not copy yet."""
    mem = run.onsets.get("tau_mem")
    if mem is not None and mem.status in (OnsetStatus.REACHED, OnsetStatus.BEFORE_FIRST):
        return None
    mine = {item.metric: item for item in found.warnings if item.run_id == run.id}
    raised = [mine[name] for name in probe_choices(found.metrics) if name in mine and _is_raised(mine[name])]
    if not raised:
        return None
    first = raised[0]
    assert first.onset is not None and first.level is not None
    past = next((item for item in found.calibrations if item.metric == first.metric), None)
    lead = f" Copying came a median {lead_words(past.lead)} as late, in {plural(past.lead.count, 'run')}" if past and past.lead else ""
    alarms = f"; {false_words(past.false_alarms)}." if past and past.false_alarms else "." if lead else ""
    more = f" So say {plural(len(raised) - 1, 'other probe')}." if len(raised) > 1 else ""
    return join(
        tag("b", run_name(group, run)),
        f": {short_label(metric_info(curves, first.metric))} passed {probe_value(first.metric, first.level)} at τ "
        f"{steps(first.onset.value or 0)} ({interval(first.onset.low, first.onset.high)}).{lead}{alarms}{more}",
    )


def _is_raised(warning: RunWarning) -> bool:
    return warning.onset is not None and warning.onset.status is OnsetStatus.REACHED
