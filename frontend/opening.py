"""How every page of an experiment begins and ends: what the address names is read, controls stand beside the tabs, the header is served."""

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from frontend.charts.figure import ViewOptions
from frontend.controls import put, select
from frontend.navigation import TITLES, go
from frontend.page import api_errors, client, loading, name_tab, notice
from frontend.requests import serve_requests
from frontend.spectrum_view import chosen_run, run_choices
from tauscope.contracts.experiments import ExperimentView


def opened(page: str, words: str = "Reading the experiment") -> ExperimentView:
    """The experiment that the address names; where it names none, or none that is there, the page says so and ends."""
    identifier = st.query_params.get("id")
    if not identifier:
        notice("No experiment is named", "[Choose one from the list](/experiments).")
        st.stop()
    with api_errors(), loading(words):
        experiment = client().experiment(identifier)
    name_tab(experiment.name, TITLES[page])
    return experiment


def beside_tabs(page: str) -> DeltaGenerator:
    """The place of a page's controls, which talk mode hides."""
    hidden = "-hidden" if st.query_params.get("talk") else ""
    return st.container(
        key=f"{page}-controls{hidden}", horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"
    )


def run_control(experiment: ExperimentView) -> str | None:
    """The run that is shown: that of the address, or the first of the group in focus."""
    first = chosen_run(experiment, ViewOptions(focus=st.query_params.get("n")))
    return select("run", "Run", run_choices(experiment, ViewOptions()), default=first.id)


def taking(component: str, trigger: str, name: str = "") -> Callable[[], None]:
    """Puts what was chosen in a component into the address, under ``name`` or that of the trigger."""
    return lambda: put(name or trigger, str(st.session_state[component][trigger] or "") or None)


def served(experiment: ExperimentView, chosen: Any) -> None:
    """Do what the header's buttons ask for, and follow a link."""
    serve_requests(experiment, chosen)
    if chosen.go:
        go(chosen.go)
