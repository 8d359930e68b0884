"""What differs between runs, and to what effect: chosen experiments and runs over shared axes."""

import streamlit as st

from frontend.charts.groups import group_runs, run_name
from frontend.charts.reading import axes_of, distinct_labels
from frontend.comparison import Comparison, Selection, find, spec_of
from frontend.components import compare
from frontend.controls import choice, one_of, put
from frontend.markup.started import started
from frontend.navigation import TITLES, go
from frontend.page import api_errors, client, loading, name_tab
from frontend.theme import LIGHT
from frontend.words import AXIS_NAMES, plural
from tauscope.analysis.metrics_info import metric_infos
from tauscope.analysis.seeds import MIN_SEEDS
from tauscope.specs import ExperimentSpec

_LISTED = 50  # The newest of the service, by name; any other is chosen on the list.
_SEEDS = {"mean": "Mean of seeds", "each": "Each seed"}


def show(selection: Selection) -> None:
    """Put a selection into the address."""
    for name in ("experiments", "runs"):
        put(name, selection.address().get(name))


def add_experiment(selection: Selection) -> None:
    """Compare the named experiment too."""
    identifier = st.session_state["compare-add"]
    if identifier:
        show(Selection((*selection.experiments, identifier), selection.runs))
    st.session_state["compare-add"] = None


def keep_runs(comparison: Comparison) -> None:
    """Compare the chosen runs and no others; an experiment of which every run is chosen stays whole."""
    kept = set(st.session_state["compare-runs"])
    chosen = [(part, [run.id for run in part.experiment.runs if run.id in kept]) for part in comparison.parts]
    whole = tuple(part.experiment.id for part, runs in chosen if len(runs) == len(part.experiment.runs))
    single = tuple(run for part, runs in chosen if len(runs) < len(part.experiment.runs) for run in runs)
    show(Selection(whole, single))


def choose_runs(comparison: Comparison) -> None:
    """Every run of the compared experiments by name, to leave some out."""
    names = {
        run.id: f"{part.letter} {run_name(group, run)}"
        for part in comparison.parts
        for group in group_runs(part.experiment, LIGHT)
        for run in group.runs
    }
    shown = [run.id for part in comparison.parts for run in part.runs]
    st.session_state["compare-runs"] = shown
    with st.popover(f"Runs: {len(shown)} of {len(names)}"):
        st.multiselect("Runs", list(names), format_func=names.__getitem__, key="compare-runs", on_change=keep_runs, args=(comparison,))


def specs_of(comparison: Comparison) -> list[ExperimentSpec]:
    """The configurations that can be read, first experiment first."""
    found = [spec_of(part.experiment, run) for part in comparison.parts for run in part.runs]
    return [spec for spec in found if spec is not None]


def qualities(comparison: Comparison) -> dict[str, str]:
    """The quantities that can stand in the upper panel, in words; the one that defines tau_gen first."""
    specs = specs_of(comparison)
    infos = {name: info for spec in reversed(specs) for name, info in metric_infos(spec).items() if info.role == "quality"}
    first = [specs[0].onsets.tau_gen.metric] if specs else []
    return distinct_labels(infos[name] for name in dict.fromkeys([*first, *infos]) if name in infos)


def axes(comparison: Comparison) -> dict[str, str]:
    """The time axes on which at least one of the runs has a place."""
    known = [axis for part in comparison.parts for axis in axes_of(part.experiment.model_copy(update={"runs": part.runs}))]
    widths = any(run.width for part in comparison.parts for run in part.runs)
    return {axis: AXIS_NAMES[axis] for axis in AXIS_NAMES if axis in known or (axis == "w_tau" and widths)}


def has_seeds(comparison: Comparison) -> bool:
    """Whether any setting has seeds enough for a mean."""
    groups = [group for part in comparison.parts for group in group_runs(part.experiment, LIGHT)]
    return any(len(group.runs) >= MIN_SEEDS for group in groups)


selection = Selection.of(st.query_params.to_dict())
with api_errors(), loading("Reading the experiments"):
    comparison = find(client(), selection) if selection else Comparison(())
    listed = client().experiments(limit=_LISTED, final=False)
name_tab(TITLES["compare"])
st.markdown("# Compare")

with st.container(horizontal=True, vertical_alignment="center", gap="small", key="compare-choose"):
    others = {item.id: f"{item.name}, {plural(len(item.runs), 'run')}, started {started(item, listed.items)}" for item in listed.items}
    for part in comparison.parts:
        others.pop(part.experiment.id, None)
    st.selectbox(
        "Add an experiment",
        list(others),
        index=None,
        format_func=others.__getitem__,
        key="compare-add",
        placeholder="Add an experiment by name",
        label_visibility="collapsed",
        on_change=add_experiment,
        args=(selection,),
        width=300,
    )
    if comparison.parts:
        choose_runs(comparison)
        metric = one_of("metric", "Quality", found := qualities(comparison), default=next(iter(found), None))
        axis = choice("axis", "Time axis", axes(comparison), default="tau") or "tau"
        seeds = choice("seeds", "Seeds", _SEEDS, default="mean") if has_seeds(comparison) else "mean"
if listed.total > len(listed.items):
    st.caption(f"The newest {len(listed.items)} of {listed.total:,} are listed here; any other can be chosen on the list of experiments.")

if not comparison.parts:
    lost = f"There is no experiment or run {', '.join(comparison.missing)}. " if comparison.missing else ""
    with st.container(border=True, key="compare-empty"):
        st.markdown(
            f"{lost}Nothing is compared yet. Choose experiments on [the list](/experiments) by their boxes, or add one by its name above."
        )
    st.stop()


def take_focus() -> None:
    """Put the line that was chosen in the table into the address; the same once more lets it go."""
    line = st.session_state["compare"].focus or None
    put("focus", None if line == st.query_params.get("focus") else line)


def drop() -> None:
    """Take an experiment out."""
    letter = st.session_state["compare"].drop
    for part in comparison.parts:
        if part.letter == letter:
            show(selection.without(part))


options = {"quality": metric, "axis": axis, "seeds": None if seeds == "mean" else seeds, "focus": st.query_params.get("focus")}
chosen = compare({"query": selection.address(), "options": options}, focus=take_focus, drop=drop)
if chosen.go:
    go(chosen.go)
