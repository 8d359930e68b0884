"""What the buttons of an experiment's header ask of the API."""

from typing import Any

import streamlit as st

from frontend.charts.groups import group_runs, run_name
from frontend.page import api_errors, client
from frontend.theme import PALETTES
from frontend.words import plural, steps
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState


def serve_requests(experiment: ExperimentView, chosen: Any) -> None:
    """Pause and resume at once, since each undoes the other; stop after asking once. ``chosen`` is a component's result."""
    if chosen.stop:
        _confirm_stop(experiment)
    elif chosen.extend:
        _ask_steps(experiment)
    elif chosen.pause or chosen.resume:
        with api_errors():
            if chosen.pause:
                client().pause(experiment.id)
            else:
                client().resume(experiment.id)
        st.rerun()


def add_twin(run: RunView) -> None:
    """Add the twin of a run, unless it is there."""
    with api_errors():
        client().add_twin(run.id)
    st.rerun()


@st.dialog("Stop this experiment?")
def _confirm_stop(experiment: ExperimentView) -> None:
    st.markdown(f"**{experiment.name}** ends within seconds. What was measured is kept; a stopped run goes on only if you extend it.")
    if st.button("Stop all runs", type="primary"):
        with api_errors():
            client().stop(experiment.id)
        st.rerun()


@st.dialog("Stop this run?")
def confirm_stop_run(run: RunView) -> None:
    """Stop one run after asking once."""
    st.markdown(f"It ends within seconds, at about τ = {steps(run.step)}. What was measured is kept; it goes on only if you extend it.")
    if st.button("Stop it", type="primary"):
        with api_errors():
            client().stop_run(run.id)
        st.rerun()


@st.dialog("Train further")
def _ask_steps(experiment: ExperimentView) -> None:
    st.markdown("A run goes on from its last checkpoint, with the same randomness as if it had never stopped.")
    runs = {run.id: run for run in experiment.runs if run.state in (RunState.FINISHED, RunState.STOPPED)}
    names = {run.id: run_name(group, run) for group in group_runs(experiment, PALETTES["light"]) for run in group.runs}
    chosen = st.multiselect("Runs", list(runs), default=list(runs), format_func=names.__getitem__)
    factor = st.number_input("Steps, times what they were given", min_value=1.1, value=2.0, step=0.5, format="%.1f")
    asked = {identifier: round(runs[identifier].steps * factor) for identifier in chosen}
    st.caption("; ".join(f"{names[identifier]}: τ to {steps(total)}" for identifier, total in asked.items()) or "Choose a run.")
    if st.button(f"Extend {plural(len(asked), 'run')}", type="primary", disabled=not asked):
        with api_errors():
            for identifier, total in asked.items():
                client().extend_run(identifier, total)
        st.rerun()
