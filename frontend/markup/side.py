"""The column beside the chart: the focused n, the onsets of every n, and what needs attention."""

from collections.abc import Sequence

from frontend.charts.forecast import forecast_of
from frontend.charts.groups import Group, heading, run_name, seed_name
from frontend.charts.reading import metric_info
from frontend.charts.seed_lines import seed_onsets
from frontend.charts.window import no_window, window_of
from frontend.markup.forecasts import forecast_words, source_words
from frontend.markup.header import address, offers
from frontend.markup.html import F_MEM, TAU_GEN, TAU_MEM, TAU_SPLIT, TAU_TEST, Html, join, signed, tag, text
from frontend.markup.icons import GEN, MEM, SPLIT, WARNING, swatch
from frontend.markup.keep import keep_lines
from frontend.markup.state import silence
from frontend.words import (
    INTERVAL,
    UNTIL_BEST,
    UNTIL_FALLEN,
    UNTIL_PEAK,
    UNTIL_RISEN,
    control_words,
    exponent,
    level_text,
    onset_words,
    rough,
    sentence,
    share_of_samples,
    steps,
)
from tauscope.analysis.seeds import MIN_SEEDS
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset, OnsetStatus, was_compared
from tauscope.contracts.retention import RunCheckpoints
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import TERMINAL_STATES, RunState

_OPEN = 2  # Notices of one kind that are read without a click.
_LONG = 16  # Letters of a run's name that are not broken into lines beside its numbers.


def focus_card(group: Group, checkpoints: RunCheckpoints | None = None) -> Html:
    """The focused n: its window, the checkpoint to keep where one is known, and how many samples of the last checkpoint are copies."""
    run = group.runs[0]
    window = window_of(run)
    ended = run.state in TERMINAL_STATES
    value = tag(
        "div", f"τ {steps(window.start)} to {steps(window.end)}" if window else "No window" if ended else "No window yet", class_="tau-key"
    )
    reason = no_window(run) if ended else no_window(run).replace("never reached by", "not reached by")
    about = f"{window.ratio} as long as quality took" + (", still open" if window.open else "") if window else reason
    keep = [keep_lines(run, checkpoints)] if checkpoints and checkpoints.recommendation.step is not None else []
    title = tag("div", f"Window, {run_name(group, run)}", class_="tau-label")
    rows = [*_over_seeds(group), title, value, tag("div", about), *_ends(run), *keep, *_forecast(run), *_copies(run)]
    history = tag("a", "Run history", class_="tau-button", href=address("run", id=run.id), data_go=address("run", id=run.id))
    history = join(history, _twin_button(run)) if offers("twin", run.kind) else history
    if not run.step or not offers("inspect", run.kind):
        return tag("section", *rows, tag("div", history, class_="tau-buttons"), class_="tau-card tau-focus")
    link = tag(
        "a", "Inspect samples", class_="tau-button tau-primary", href=address("inspect", run=run.id), data_go=address("inspect", run=run.id)
    )
    return tag("section", *rows, tag("div", link, history, class_="tau-buttons"), class_="tau-card tau-focus")


def _ends(run: RunView) -> list[Html]:
    """Where the window's ends come from: each onset with its interval."""
    window = window_of(run)
    if window is None:
        return []
    gen, spread = onset_words(run.onsets["tau_gen"])
    opens = join("opens at the upper end of ", TAU_GEN, f" {gen} ({spread})")
    if window.open:
        return [tag("div", opens, class_="tau-quiet")]
    mem, spread = onset_words(run.onsets["tau_mem"])
    return [tag("div", opens, ", closes at the lower end of ", TAU_MEM, f" {mem} ({spread})", class_="tau-quiet")]


def _over_seeds(group: Group) -> list[Html]:
    """The onsets over the seeds with their intervals; of those that some seeds have not reached, how many have."""
    if len(group.runs) < MIN_SEEDS:
        return []
    found, said = seed_onsets(group), []
    for name, symbol in (("tau_gen", TAU_GEN), ("tau_mem", TAU_MEM)):
        reached = sum(name in run.onsets and run.onsets[name].value is not None for run in group.runs)
        value, spread = onset_words(found[name]) if name in found else (f"reached by {reached} of {len(group.runs)}", "")
        said.append(tag("div", symbol, ": ", tag("b", value), f" ({spread})" if spread else None))
    title = tag("div", f"{group.name}, {len(group.runs)} seeds: geometric mean, 95 %", class_="tau-label")
    return [tag("div", title, *said, class_="tau-seeds")]


def _twin_button(run: RunView) -> Html:
    """To the run's twin, or one click that adds it."""
    if run.twin_id is None:
        said = "Add the same run on other images; tau_split is where the two agree most"
        return tag("button", "Add its twin", type="button", class_="tau-button", data_action="twin", title=said)
    where = address("run", id=run.twin_id)
    return tag("a", "Its twin", class_="tau-button", href=where, data_go=where)


def _forecast(run: RunView) -> list[Html]:
    """When copying is expected, and from what."""
    made = forecast_of(run)
    if made is None:
        return []
    return [
        tag("div", TAU_MEM, " foretold: ", tag("b", forecast_words(made))),
        tag("div", f"from {source_words(made)}", class_="tau-quiet"),
    ]


def _copies(run: RunView) -> list[Html]:
    share, low, high = run.final.get("f_mem"), run.final.get("f_mem_low"), run.final.get("f_mem_high")
    count = run.final.get("f_mem_count") or run.final.get("n_generated")
    if share is None or low is None or high is None or not count:
        return []
    copied = tag("b", share_of_samples(round(share * count), int(count), low, high))
    return [tag("div", copied), *_control(run), tag("div", "at the last checkpoint", class_="tau-quiet")]


def _control(run: RunView) -> list[Html]:
    return [tag("div", said)] if (said := last_control(run)) else []


def last_control(run: RunView) -> str:
    """The held-out control with its interval and count; empty where there is none."""
    share, low, high, count = (run.final.get(f"f_mem_control{end}") for end in ("", "_low", "_high", "_count"))
    if share is None or low is None or high is None or not count:
        return ""
    return control_words(share, low, high, int(count))


def onset_table(experiment: ExperimentView, curves: Curves, groups: Sequence[Group], focus: Group | None) -> Html:
    """Both onsets and the markers of every run with intervals, and the window's length; tau_split where a run was compared with a twin."""
    names = {"tau_test": TAU_TEST} | ({"tau_split": TAU_SPLIT} if any(was_compared(run.markers) for run in experiment.runs) else {})
    marked = [tag("th", SPLIT if name == "tau_split" else None, symbol) for name, symbol in names.items()]
    head = tag("tr", tag("th", heading(groups)), tag("th", GEN, TAU_GEN), tag("th", MEM, TAU_MEM), *marked, tag("th", "window"))
    rows = [_row(group, run, tuple(names), apart=heading(groups), focused=group is focus) for group in groups for run in group.runs]
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="tau-onsets")
    shown = tag("div", table, class_="tau-scrolls", tabindex=0)
    return tag("section", shown, *_definitions(experiment, curves), class_="tau-card tau-flush")


def _row(group: Group, run: RunView, markers: Sequence[str], *, apart: str, focused: bool) -> Html:
    whole = run is group.runs[0] or apart == "n"
    words = (run_name(group, run) if whole else seed_name(group, run)).removeprefix(f"{apart} = ")
    name = tag(
        "button",
        swatch(group.colour),
        words,
        type="button",
        class_="tau-row-name tau-long" if len(words) > _LONG else "tau-row-name",
        data_focus=group.key,
    )
    window = window_of(run)
    cells = [
        tag("td", name),
        onset_cell(run, run.onsets.get("tau_gen")),
        onset_cell(run, run.onsets.get("tau_mem")),
        *[onset_cell(run, run.markers.get(name)) for name in markers],
        tag("td", window.ratio if window else "none" if run.onsets else ""),
    ]
    return tag("tr", *cells, class_="tau-focused" if focused else None)


def onset_cell(run: RunView, onset: Onset | None) -> Html:
    """A cell of a table: an onset with its interval, or its state and the reason."""
    if onset is None:
        return tag("td", tag("span", "not measured", class_="tau-quiet"))
    value, spread = onset_words(onset)
    if onset.status is OnsetStatus.CENSORED and run.state is RunState.RUNNING:
        spread = "still running"
    strong = onset.status is OnsetStatus.REACHED
    return tag("td", tag("b" if strong else "span", value), tag("span", spread, class_="tau-quiet"))


def _definitions(experiment: ExperimentView, curves: Curves) -> list[Html]:
    """How the onsets are defined, and the law with what its interval leaves out."""
    notes = []
    gen, mem = _any_onset(experiment, "tau_gen"), _any_onset(experiment, "tau_mem")
    if gen:
        notes.append(
            join(TAU_GEN, f": {metric_info(curves, gen.metric).label} first at or below {level_text(gen.metric, gen.level)}, {UNTIL_BEST}")
        )
    if mem:
        notes.append(
            join(TAU_MEM, ": ", measure_words(curves, mem.metric), f" first at or above {level_text(mem.metric, mem.level)}, {UNTIL_PEAK}")
        )
        notes.append(Html(INTERVAL))
    test = next((run.markers["tau_test"] for run in experiment.runs if "tau_test" in run.markers), None)
    if test:
        notes.append(join(TAU_TEST, f": {metric_info(curves, test.metric).label} at its least; {UNTIL_RISEN}"))
    split = next((run.markers["tau_split"] for run in experiment.runs if was_compared(run.markers)), None)
    if split:
        notes.append(join(TAU_SPLIT, f": {metric_info(curves, split.metric).label} at its highest; {UNTIL_FALLEN}"))
    fit = experiment.fits.get("tau_mem_vs_n")
    if fit is not None:
        counted = f"{fit.points} onsets" + (f", {fit.censored} censored" if fit.censored else "")
        law = f"Exponent {exponent(fit.exponent)}, {counted}: {fit.note}" if fit.exponent is not None else f"No exponent: {fit.note}"
        notes.append(tag("span", law))
    return [tag("div", *[tag("p", note) for note in notes], class_="tau-notes")] if notes else []


def measure_words(curves: Curves, metric: str) -> Html:
    """What tau_mem is read from."""
    return join(F_MEM, " minus control") if metric == "f_mem" else text(metric_info(curves, metric).label)


def _any_onset(experiment: ExperimentView, name: str) -> Onset | None:
    return next((run.onsets[name] for run in experiment.runs if name in run.onsets), None)


def notices(experiment: ExperimentView, groups: Sequence[Group]) -> list[Html]:
    """What needs attention: failed runs with reason and remedy, what policies stopped, what runs wait for, mixed code, silence."""
    failed = [
        _notice(f"{run_name(group, run)} failed at τ {steps(run.step)}", run.reason)
        for group in groups
        for run in group.runs
        if run.state is RunState.FAILED
    ]
    stopped = [
        _notice(f"{run_name(group, run)} was stopped by its policy", sentence(run.verdict.reason))
        for group in groups
        for run in group.runs
        if run.state is RunState.STOPPED and run.verdict
    ]
    begun = [
        _notice(f"{run_name(group, run)} does not train yet", sentence(run.reason))
        for group in groups
        for run in group.runs
        if run.state is RunState.RUNNING and run.reason and not run.steps_per_second and run.step < run.steps
    ]
    trained = [
        _notice(f"{run_name(group, run)} is trained and not yet finished", sentence(run.reason))
        for group in groups
        for run in group.runs
        if run.state is RunState.RUNNING and run.reason and run.step >= run.steps
    ]
    found = [*_folded(failed), *_folded(stopped), *_folded(begun), *_folded(trained), *_waiting(groups), *_folded(_images(groups))]
    found += [
        _notice(f"{run_name(group, run)} mixes code versions", f"{run.code_note}.", warning=True)
        for group in groups
        for run in group.runs
        if run.code_note
    ]
    silent = silence(experiment)
    if silent is not None:
        found.append(
            _notice(f"No news for {rough(silent)}", "The run resumes by itself from its checkpoint when a worker is back.", warning=True)
        )
    return found


def _folded(alike: list[Html]) -> list[Html]:
    """The first ones open and the rest behind one line, so that they push nothing else off the page."""
    if len(alike) <= _OPEN + 1:
        return alike
    rest = tag("details", tag("summary", f"and {len(alike) - _OPEN} more"), *alike[_OPEN:], class_="tau-details")
    return [*alike[:_OPEN], rest]


def _waiting(groups: Sequence[Group]) -> list[Html]:
    """What queued runs wait for, each reason once."""
    names: dict[str, list[str]] = {}
    for group in groups:
        for run in group.runs:
            if run.waiting:
                names.setdefault(run.waiting, []).append(run_name(group, run))
    return [_notice(f"{', '.join(which)} cannot start yet", f"{reason}.", warning=True) for reason, which in names.items()]


def _images(groups: Sequence[Group]) -> list[Html]:
    """What is worth knowing of the images, each sentence once."""
    names: dict[str, list[str]] = {}
    for group in groups:
        for run in group.runs:
            for remark in run.remarks:
                names.setdefault(remark, []).append(run_name(group, run))
    return [_notice(f"Data of {', '.join(which)}", sentence(remark), warning=True) for remark, which in names.items()]


def _notice(title: str, body: str, *, warning: bool = False) -> Html:
    head = tag("div", WARNING if warning else None, tag("b", title), class_="tau-notice-head")
    return tag(
        "section",
        head,
        tag("p", signed(body) if body else "No reason was recorded."),
        class_="tau-card tau-notice" + (" tau-warn" if warning else ""),
        role="status",
    )
