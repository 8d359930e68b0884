"""Where in frequency the denoiser of a run errs, and how its losses part over all noise levels."""

import streamlit as st

from frontend.charts.figure import ViewOptions
from frontend.charts.loss_grid import MAPS
from frontend.charts.spectrum import SETS
from frontend.components import spectrum
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
name_tab(experiment.name, TITLES["spectrum"])

talk = st.query_params.get("talk")
hidden = "-hidden" if talk else ""
first = chosen_run(experiment, ViewOptions(focus=st.query_params.get("n")))
with st.container(
    key=f"spectrum-controls{hidden}", horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"
):
    of_set = choice("set", "Error of", SETS, default="held_out")
    shown = choice("map", "Map", MAPS, default="gap")
    run = select("run", "Run", run_choices(experiment, ViewOptions()), default=first.id)

chosen = spectrum(
    {"id": identifier, "options": {"run": run, "set": of_set, "map": shown, "talk": talk}},
    talk=lambda: put("talk", str(st.session_state["spectrum"]["talk"]) or None),
)
serve_requests(experiment, chosen)
if chosen.go:
    go(chosen.go)
