"""Random features: losses in closed form beside the points of a loop, the map over both ratios, or the spectrum of U."""

import streamlit as st

from frontend.charts.figure import ViewOptions
from frontend.charts.rf_map import MAPS
from frontend.closed_form_view import map_times
from frontend.components import closed
from frontend.controls import choice, put, select
from frontend.navigation import TITLES, go
from frontend.page import api_errors, client, loading, name_tab, notice
from frontend.requests import serve_requests
from frontend.spectrum_view import chosen_run, run_choices

identifier = st.query_params.get("id")
if not identifier:
    notice("No experiment is named", "[Choose one from the list](/experiments).")
    st.stop()

with api_errors(), loading("Reading the experiment"):
    experiment = client().experiment(identifier)
name_tab(experiment.name, TITLES["closed"])

talk = st.query_params.get("talk")
hidden = "-hidden" if talk else ""
first, times = chosen_run(experiment, ViewOptions(focus=st.query_params.get("n"))), map_times(experiment)
shown = at = None
with st.container(
    key=f"spectrum-controls{hidden}", horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"
):
    if times:
        shown = choice("map", "Map", MAPS, default=next(iter(MAPS)))
        at = select("at", "Map at", times, default=list(times)[-1])
    run = select("run", "Run", run_choices(experiment, ViewOptions()), default=first.id)

chosen = closed(
    {"id": identifier, "options": {"run": run, "map": shown, "at": at, "talk": talk}},
    talk=lambda: put("talk", str(st.session_state["closed"]["talk"]) or None),
)
serve_requests(experiment, chosen)
if chosen.go:
    go(chosen.go)
