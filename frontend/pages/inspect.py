"""Are these copies: samples of a checkpoint beside their two nearest training images."""

import streamlit as st

from frontend.components import inspect
from frontend.navigation import TITLES, go
from frontend.page import api_errors, client, loading, name_tab, notice
from frontend.requests import serve_requests

run_id = st.query_params.get("run")
if not run_id:
    notice("No run is named", "[Choose an experiment from the list](/experiments).")
    st.stop()

with api_errors(), loading("Reading the run"):
    run = client().run(run_id)
    experiment = client().experiment(run.experiment_id)
name_tab(experiment.name, TITLES["inspect"])

# Everything else is chosen in the browser and stands in the address.
chosen = inspect({"run": run_id})
serve_requests(experiment, chosen)
if chosen.go:
    go(chosen.go)
