"""A run on a mixture against what is known of it: the scores of its population and of its training points."""

import streamlit as st

from frontend.charts.figure import ViewOptions
from frontend.components import mixture
from frontend.controls import put, select
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
name_tab(experiment.name, TITLES["mixture"])

talk = st.query_params.get("talk")
hidden = "-hidden" if talk else ""
first = chosen_run(experiment, ViewOptions(focus=st.query_params.get("n")))
indices = {str(index): str(index) for index in experiment.sweep["base"].get("measurement", {}).get("score_indices", [])}
with st.container(key=f"mixture-controls{hidden}", horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
    index = select("index", "Index", indices, default=list(indices)[len(indices) // 2]) if indices else None
    run = select("run", "Run", run_choices(experiment, ViewOptions()), default=first.id)

chosen = mixture(
    {"id": identifier, "options": {"run": run, "index": index, "talk": talk}},
    talk=lambda: put("talk", str(st.session_state["mixture"]["talk"]) or None),
)
serve_requests(experiment, chosen)
if chosen.go:
    go(chosen.go)
