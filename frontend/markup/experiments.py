"""The list of experiments: one row each with its state, its rail in miniature, its finding and its progress."""

import math
from collections.abc import Sequence

from frontend.charts.groups import Group, group_runs, run_name
from frontend.charts.window import window_of
from frontend.markup.finding import finding
from frontend.markup.header import address
from frontend.markup.html import TAU_GEN, TAU_MEM, Html, join, tag
from frontend.markup.icons import GEN, MEM, WINDOW, state_icon
from frontend.markup.settings import settings_text, varies_text
from frontend.markup.started import started
from frontend.markup.state import elapsed, is_live, progress, status_of, time_left
from frontend.theme import Palette
from frontend.words import ago, steps
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState
from tauscope.contracts.storage import StorageView

_WIDTH, _LEFT = 150, 2
_KEYS = tag(
    "p",
    tag("span", GEN, TAU_GEN),
    tag("span", MEM, TAU_MEM),
    tag("span", WINDOW, "window: after quality, before copying"),
    class_="tau-list-keys",
)
_MOST_LINES = 12  # More do not fit into a row of 80 px.


def experiment_rows(experiments: Sequence[ExperimentView], *, total: int, filtered: bool, palette: Palette) -> Html:
    """The table with a button for what is not shown yet, or a sentence where it is empty."""
    if not experiments:
        return _empty(filtered)
    head = ("Experiment", "State", "Windows, log τ", "Finding", "Progress", "Started", Html('<span class="tau-hidden">Manage</span>'))
    header = tag("div", *[tag("span", words, role="columnheader") for words in head], class_="tau-row tau-head", role="row")
    table = tag(
        "div",
        header,
        *[_row(item, experiments, palette) for item in experiments],
        class_="tau-table",
        role="table",
        aria_label="Experiments",
    )
    return join(table, _more(len(experiments), total), _KEYS)


def _empty(filtered: bool) -> Html:
    words = "Nothing matches. Clear the search, or choose All." if filtered else "No experiment yet. Launch a preset to see the two clocks."
    way_out = ("/experiments", "Show all") if filtered else ("/launch", "Launch")
    link = tag("a", way_out[1], class_="tau-button tau-primary", href=way_out[0], data_go=way_out[0])
    return tag("div", tag("p", words), link, class_="tau-empty")


def _more(shown: int, total: int) -> Html | None:
    if shown >= total:
        return None
    words = f"{shown:,} of {total:,} shown"
    return tag(
        "div",
        tag("span", words, class_="tau-quiet"),
        tag("button", "Show more", type="button", class_="tau-button", data_more="yes"),
        class_="tau-more",
    )


def storage_line(storage: StorageView) -> Html:
    """How much space artifacts take, with the warning where a quota is nearly used up."""
    if storage.warning:
        return tag("p", tag("b", storage.words), f". {storage.warning}", class_="tau-notes", role="status")
    return tag("p", storage.words, class_="tau-notes") if storage.bytes_used else Html("")


def _row(experiment: ExperimentView, listed: Sequence[ExperimentView], palette: Palette) -> Html:
    status = status_of(experiment)
    groups = group_runs(experiment, palette)
    href = address("experiment", id=experiment.id)
    settings = ", ".join([*settings_text(experiment)[:2], varies_text(experiment)]).strip(", ")
    link = tag("a", experiment.name, href=href, data_go=href, data_focus=experiment.id, class_="tau-name", title=experiment.summary or None)
    name = join(_pick(experiment), link, tag("span", settings, class_="tau-quiet"), _tags(experiment))
    state = join(
        tag("span", state_icon(status.state, stale=status.stale), tag("b", status.title)), tag("span", status.detail, class_="tau-quiet")
    )
    cells = [
        name,
        state,
        mini_rail(groups),
        _finding(experiment, groups),
        _progress(experiment),
        join(
            tag("span", ago(experiment.server_time - experiment.created_at)),
            tag("span", started(experiment, listed), class_="tau-quiet"),
        ),
        _manage(experiment),
    ]
    return tag("div", *[tag("div", cell, role="cell") for cell in cells], class_="tau-row", role="row", data_go=href)


def _tags(experiment: ExperimentView) -> Html | None:
    links = [
        tag("a", name, href=address("experiments", tag=name), data_go=address("experiments", tag=name), class_="tau-tag")
        for name in experiment.tags
    ]
    return tag("span", *links, class_="tau-tags") if links else None


def _pick(experiment: ExperimentView) -> Html:
    words = f"Choose {experiment.name} for a comparison"
    return tag("input", type="checkbox", class_="tau-pick", data_pick=experiment.id, data_focus=f"p{experiment.id}", aria_label=words)


def _manage(experiment: ExperimentView) -> Html:
    words = f"Tags, archive and delete: {experiment.name}"
    return tag(
        "button", "⋯", type="button", class_="tau-manage", data_manage=experiment.id, data_focus=f"m{experiment.id}", aria_label=words
    )


def _finding(experiment: ExperimentView, groups: tuple[Group, ...]) -> Html:
    """The finding; where a run failed, the reason with what to do about it."""
    failed = next(((group, run) for group in groups for run in group.runs if run.state is RunState.FAILED), None)
    if failed is None:
        return tag("span", finding(experiment, groups))
    group, run = failed
    log, again = address("run", id=run.id), address("launch", **{"from": experiment.id})
    ways = join(_link("See the log", log), " or ", _link("launch a changed copy", again))
    what = tag("span", f"{run_name(group, run)} failed at τ {steps(run.step)}")
    return join(what, tag("span", run.reason, class_="tau-quiet tau-reason", title=run.reason), tag("span", ways, class_="tau-quiet"))


def _link(words: str, href: str) -> Html:
    return tag("a", words, href=href, data_go=href, class_="tau-link")


def _progress(experiment: ExperimentView) -> Html:
    if not is_live(experiment):
        return tag("span", elapsed(experiment))
    share = 100 * progress(experiment)
    bar = tag(
        "span",
        tag("span", style=f"width:{share:.1f}%"),
        class_="tau-bar",
        role="progressbar",
        aria_valuenow=f"{share:.0f}",
        aria_label="training steps done",
    )
    return join(bar, tag("span", time_left(experiment) or f"{share:.0f} % of all steps", class_="tau-quiet"))


def mini_rail(groups: tuple[Group, ...]) -> Html:
    """Every run as a line on a small log τ axis: its window, and only the onsets it reached."""
    runs = _spread([(group, run) for group in groups for run in group.runs])
    if not any(run.step for _, run in runs):
        return tag("span", "no measurements yet", class_="tau-quiet")
    longest = max(run.steps for _, run in runs)
    gap = 11 if len(runs) <= 5 else 55 // len(runs)
    lines = [_mini_row(group, run, 8 + gap * position, longest) for position, (group, run) in enumerate(runs)]
    height = 16 + gap * (len(runs) - 1)
    words = "; ".join(f"{group.name}: " + ", ".join(_onset_text(run)) for group, run in runs)
    box = f'width="{_WIDTH + 6}" height="{height}" viewBox="0 0 {_WIDTH + 6} {height}"'
    return Html(f'<svg {box} role="img" aria-label="{text_attribute(words)}">{"".join(lines)}</svg>')


def _spread(runs: list[tuple[Group, RunView]]) -> list[tuple[Group, RunView]]:
    """As many runs as fit, evenly chosen, the first and the last among them."""
    if len(runs) <= _MOST_LINES:
        return runs
    return [runs[round(position * (len(runs) - 1) / (_MOST_LINES - 1))] for position in range(_MOST_LINES)]


def text_attribute(words: str) -> str:
    """Text as it may stand between double quotes."""
    return words.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def _onset_text(run: RunView) -> list[str]:
    return [
        f"{name} {steps(onset.value) if onset.value is not None else onset.reason or onset.status}" for name, onset in run.onsets.items()
    ] or ["no onset yet"]


def _mini_row(group: Group, run: RunView, y: int, longest: int) -> str:
    def at(step: float) -> float:
        return _LEFT + _WIDTH * math.log(max(step, 1)) / math.log(max(longest, 2))

    parts = [f'<path d="M{_LEFT} {y}H{at(run.steps):.1f}" stroke="var(--tau-rule)" stroke-width="2"/>']
    parts.append(f'<path d="M{_LEFT} {y}H{at(run.step):.1f}" stroke="{group.colour}" stroke-width="2"/>')
    window = window_of(run)
    if window is not None:
        width = at(window.end) - at(window.start)
        parts.append(
            f'<rect x="{at(window.start):.1f}" y="{y - 4}" width="{width:.1f}" height="8" fill="var(--tau-quality)" opacity=".28"/>'
        )
    for name, onset in run.onsets.items():
        if onset.status is OnsetStatus.REACHED and onset.value is not None:
            parts.append(_mini_mark(name, at(onset.value), y))
    return "".join(parts)


def _mini_mark(name: str, x: float, y: int) -> str:
    if name == "tau_gen":
        return f'<circle cx="{x:.1f}" cy="{y}" r="3.5" fill="var(--tau-quality)"/>'
    return f'<path d="M{x:.1f} {y - 5}l5 5-5 5-5-5z" fill="var(--tau-memorization)"/>'
