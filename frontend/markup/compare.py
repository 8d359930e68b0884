"""The words and tables of a comparison: what is compared, what came of each run, and what must be said beside the figure."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

from frontend.charts.compared import Line
from frontend.charts.definitions import MARK, definition, differing_fields, not_measured
from frontend.charts.figure import ViewOptions
from frontend.charts.groups import run_name
from frontend.charts.marks import OnsetName
from frontend.charts.memorization import CONTROL, F_MEM
from frontend.charts.reading import NEVER, divisor, level_of, metric_info, references_of
from frontend.charts.window import window_of
from frontend.comparison import MOST_EXPERIMENTS, Comparison, Part
from frontend.markup.alternative import plain, run_words
from frontend.markup.differences import columns_of, differences
from frontend.markup.downloads import Chart, take_table
from frontend.markup.header import address
from frontend.markup.html import F_MEM as F_MEM_SIGN
from frontend.markup.html import TAU_GEN, TAU_MEM, Html, join, tag
from frontend.markup.icons import CONTROL as CONTROL_ICON
from frontend.markup.icons import GEN, LIVE, MEM, WARNING, state_icon, swatch
from frontend.markup.side import onset_cell
from frontend.markup.started import started
from frontend.markup.state import status_of
from frontend.theme import ThemeName
from frontend.words import (
    AXIS_SYMBOLS,
    INTERVAL,
    UNTIL_BEST,
    UNTIL_PEAK,
    control_words,
    duration,
    joined_names,
    level_text,
    plural,
    share_of_samples,
    steps,
)
from tauscope.contracts.curves import Curves
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.retention import Recommendation
from tauscope.contracts.run_views import RunView

Recommended = Callable[[RunView], Recommendation | None]
_NAMED = 3
MEAN_WORDS = (
    "Where three or more runs differ by their seed alone, the line is their mean over the seeds and the band its 95 % interval by"
    " Student's t over the seeds, pointwise, never taken narrower than one seed's own interval is on average; thin lines are the seeds."
    " With fewer seeds each run is a line of its own, and its band is the 95 % interval of its measurement."
)


def chosen_list(comparison: Comparison) -> Html:
    """What is compared, each with its letter and a button that takes it out."""
    return tag(
        "ul", *[_chip(part, comparison.parts) for part in comparison.parts], class_="tau-chosen-list", aria_label="Compared experiments"
    )


def _chip(part: Part, parts: Sequence[Part]) -> Html:
    status, alike = status_of(part.experiment), [other.experiment for other in parts if other.experiment.name == part.experiment.name]
    begun = f", started {started(part.experiment, alike)}" if len(alike) > 1 else ""
    where = address("experiment", id=part.experiment.id)
    count = plural(len(part.runs), "run") if part.whole else f"{len(part.runs)} of {plural(len(part.experiment.runs), 'run')}"
    return tag(
        "li",
        tag("b", part.letter),
        tag("a", part.experiment.name, href=where, data_go=where, title=part.experiment.summary or None),
        tag("span", state_icon(status.state, stale=status.stale), f"{status.title.lower()}, {count}{begun}", class_="tau-quiet"),
        tag(
            "button",
            "×",
            type="button",
            class_="tau-drop",
            data_drop=part.letter,
            data_focus=f"drop-{part.letter}",
            aria_label=f"Take {part.letter}, {part.experiment.name}, out of the comparison",
        ),
    )


def compare_finding(lines: Sequence[Line]) -> Html:
    """How many runs of how many experiments, in what they differ, and to what effect on both clocks."""
    runs = [run for line in lines for run in line.members.runs]
    parts = {line.part.letter for line in lines}
    differing, _ = differences(columns_of(lines))
    names = [item.title.partition(",")[0].rpartition(" · ")[2] for item in differing]
    listed = ", ".join(names[:_NAMED]) + (f" and {plural(len(names) - _NAMED, 'further setting')}" if len(names) > _NAMED else "")
    first = f"{plural(len(runs), 'run')} of {plural(len(parts), 'experiment')}" + (
        f"; they differ in {listed}." if names else "; no setting differs."
    )
    return join(first, " ", TAU_GEN, f" {_span(runs, 'tau_gen')}; ", TAU_MEM, f" {_span(runs, 'tau_mem')}.")


def _span(runs: Sequence[RunView], name: OnsetName) -> str:
    """The reached onsets from first to last, and how many runs have none."""
    values = sorted(run.onsets[name].value for run in runs if name in run.onsets and run.onsets[name].status is OnsetStatus.REACHED)  # type: ignore[type-var]
    if not values:
        return f"in none of {len(runs)}" if len(runs) > 1 else "not reached"
    low, high = steps(values[0]), steps(values[-1])  # type: ignore[arg-type]
    missing = len(runs) - len(values)
    return (low if low == high else f"{low} to {high}") + (f", none in {missing} of {len(runs)}" if missing else "")


def compare_notices(comparison: Comparison, lines: Sequence[Line], curves: Curves, metric: str, options: ViewOptions) -> Html:
    """What was not found, which quantities only share a name, and what has no place on the axis."""
    told = [f"There is no experiment or run {name}; it is left out." for name in comparison.missing]
    if comparison.left_out:
        told.append(f"{MOST_EXPERIMENTS} experiments are shown, {comparison.left_out} more are left out: take some out to see them.")
    told += _other_quantities(lines, curves, metric)
    nowhere = [line.name for line in lines if divisor(line.run, options) >= NEVER and line.run.step > 0]
    if nowhere:
        told.append(f"{joined_names(nowhere)}: not drawn over {AXIS_SYMBOLS[options.axis]}, for what it takes is not known of this run.")
    return join(*[tag("p", WARNING, tag("span", words), class_="tau-need", role="status") for words in told])


def _other_quantities(lines: Sequence[Line], curves: Curves, metric: str) -> list[str]:
    told: list[str] = []
    alike: dict[tuple[tuple[str, ...], tuple[tuple[str, str], ...], tuple[str, ...]], list[str]] = {}
    for name in dict.fromkeys((metric, F_MEM)):
        label = metric_info(curves, name).label
        otherwise = differing_fields(lines, name)
        fields = {key: tuple((title, theirs) for title, _, theirs in why) for key, why in otherwise.items()}
        for common in dict.fromkeys(fields.values()):
            who = [line for line in lines if fields.get(line.key) == common]
            values = [", ".join(dict.fromkeys(otherwise[line.key][place][1] for line in who)) for place in range(len(common))]
            alike.setdefault((tuple(line.name for line in who), common, tuple(values)), []).append(label)
        lacking = not_measured(lines, name)
        if lacking:
            told.append(f"{label}: not measured in {joined_names([line.name for line in lacking])}; no curve is drawn there.")
    return [_otherwise(*said, labels, lines[0].name) for said, labels in alike.items()] + told


def _otherwise(who: Sequence[str], common: Sequence[tuple[str, str]], values: Sequence[str], labels: Sequence[str], first: str) -> str:
    """One sentence for all lines and quantities that differ in the same fields."""
    why = "; ".join(f"{title}: {value}, not {theirs}" for (title, theirs), value in zip(common, values, strict=True))
    whose = f"{MARK} {' and '.join(labels)}, {joined_names(who)}"
    return f"{whose}: measured otherwise than in {first}, so the values are not one quantity. {why}."


def compare_keys(lines: Sequence[Line], charts: Sequence[Chart], stem: str, theme: ThemeName) -> Html:
    """The line of mark keys, how the curves are made, and the downloads."""
    styles = "Line style and marker: experiment; " if len({line.part.letter for line in lines}) > 1 else ""
    several = len({line.run.n_train for line in lines}) > 1
    shade = f"{'darker' if theme == 'light' else 'lighter'}: larger n" if several else ""
    keys = [
        tag("span", GEN, TAU_GEN),
        tag("span", MEM, TAU_MEM),
        tag("span", CONTROL_ICON, "control, floor"),
        tag("span", LIVE, "newest point"),
        tag("span", styles + shade) if styles or shade else None,
        tag("span", "Bars and bands: 95 %", class_="tau-right"),
    ]
    means = tag("p", MEAN_WORDS, class_="tau-notes") if any(line.is_mean for line in lines) else None
    return join(tag("div", *keys, class_="tau-keys"), means, take_table([(chart, f"{stem}-{chart.name}") for chart in charts]))


def stem_of(comparison: Comparison) -> str:
    """The beginning of file names: it changes with what is compared and with any of its settings."""
    told = [(part.experiment.id, sorted(part.chosen), part.experiment.sweep) for part in comparison.parts]
    return f"compare-{hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]}"


def charts_compared(query: Mapping[str, str], metric: str) -> tuple[Chart, ...]:
    """The whole figure, with the address of its numbers: every point as measured of every run."""
    asked = {name: query[name] for name in ("experiments", "runs") if query.get(name)}
    metrics = dict.fromkeys((metric, *references_of(metric), F_MEM, CONTROL))
    return (Chart("figure", "Both panels", "", f"/view/compare/numbers.csv?{urlencode(asked | {'metrics': ','.join(metrics)})}"),)


def result_table(lines: Sequence[Line], curves: Curves, recommended: Recommended) -> Html:
    """Both onsets of every run, the window, the checkpoint to keep, and the copies at the last one."""
    columns = ("Run", join(GEN, TAU_GEN), join(MEM, TAU_MEM), "Window", "Checkpoint to keep", "At the last checkpoint", "Computed")
    rows = [_row(line, run, recommended) for line in lines for run in line.members.runs]
    table = tag(
        "table", tag("thead", tag("tr", *[tag("th", words, scope="col") for words in columns])), tag("tbody", *rows), class_="tau-onsets"
    )
    return tag(
        "section",
        tag("h2", "Results", class_="tau-label"),
        tag("div", table, class_="tau-scrolls", tabindex=0, role="region", aria_label="Results of every run"),
        tag("div", *[tag("p", note) for note in _definitions(lines, curves)], class_="tau-notes"),
        class_="tau-card tau-flush tau-section tau-results",
    )


def _row(line: Line, run: RunView, recommended: Recommended) -> Html:
    name = tag(
        "button",
        swatch(line.drawn.colour),
        run_name(line.members, run),
        type="button",
        class_="tau-row-name",
        data_line=line.key,
        data_focus=run.id,
    )
    window = window_of(run)
    cells = [
        tag("td", name),
        onset_cell(run, run.onsets.get("tau_gen")),
        onset_cell(run, run.onsets.get("tau_mem")),
        tag(
            "td", *((tag("b", window.ratio), tag("span", window.words, class_="tau-quiet")) if window else ("none" if run.onsets else "",))
        ),
        tag("td", _keep(run, recommended(run))),
        tag("td", *_copies(run)),
        tag("td", duration(run.seconds), tag("span", f"{run.state}, τ {steps(run.step)}", class_="tau-quiet")),
    ]
    return tag("tr", *cells)


def _keep(run: RunView, found: Recommendation | None) -> Html:
    if found is None:
        return tag("span", "known once the run is over" if window_of(run) else "none: no window", class_="tau-quiet")
    if found.step is None:
        return tag("span", found.reason, class_="tau-quiet")
    where = address("inspect", run=run.id, step=found.step)
    return tag("a", f"τ {steps(found.step)}", href=where, data_go=where, title=found.reason, class_="tau-link")


def _copies(run: RunView) -> list[Html]:
    """Copies at the last checkpoint with interval, count and control."""
    share, low, high, count = (run.final.get(f"f_mem{end}") for end in ("", "_low", "_high", "_count"))
    if share is None or low is None or high is None or not count:
        return [tag("span", "not measured", class_="tau-quiet")]
    said = [tag("span", share_of_samples(round(share * count), int(count), low, high))]
    floor = [run.final.get(f"f_mem_control{end}") for end in ("", "_low", "_high", "_count")]
    if all(value is not None for value in floor) and floor[3]:
        said.append(tag("span", control_words(floor[0], floor[1], floor[2], int(floor[3])), class_="tau-quiet"))  # type: ignore[arg-type]
    return said


def _definitions(lines: Sequence[Line], curves: Curves) -> list[Html]:
    """How the onsets are defined, experiment by experiment where the definitions differ."""
    parts = {line.part.letter: line.part for line in lines}
    notes: list[Html] = []
    names: tuple[tuple[OnsetName, Html], ...] = (("tau_gen", TAU_GEN), ("tau_mem", TAU_MEM))
    for name, sign in names:
        found: dict[tuple[str, float], list[str]] = {}
        for letter, part in parts.items():
            defining = level_of(part.experiment, name)
            if defining is not None:
                found.setdefault(defining, []).append(letter)
        for (metric, level), letters in found.items():
            where = f" in {', '.join(letters)}" if len(letters) < len(parts) else ""
            line = next(line for line in lines if line.part.letter in letters)
            info = definition(line, metric) or metric_info(curves, metric)
            notes.append(join(sign, where, ": ", _crossing(name, info, level)))
    return [*notes, Html(INTERVAL)] if notes else []


def _crossing(name: OnsetName, info: MetricInfo, level: float) -> Html:
    if name == "tau_gen":
        return join(f"{info.label} first at or below {level_text(info.name, level)}, {UNTIL_BEST}.")
    what = join(F_MEM_SIGN, " minus control") if info.name == F_MEM else info.label
    return join(what, f" first at or above {level_text(info.name, level)}, {UNTIL_PEAK}.")


def compare_alternative(lines: Sequence[Line]) -> str:
    """The figure in words: the finding, then both onsets of every run."""
    runs = [f"{run_name(line.members, run)}: {run_words(run)}." for line in lines for run in line.members.runs]
    return " ".join([plain(compare_finding(lines)), *runs])
