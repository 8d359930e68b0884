"""What moves the two clocks: each setting of a sweep beside the others, at one training time."""

import streamlit as st

from frontend.components import interventions
from frontend.navigation import TITLES, go
from frontend.page import api_errors, client, loading, name_tab, notice
from frontend.requests import serve_requests

identifier = st.query_params.get("id")
if not identifier:
    notice("No experiment is named", "[Choose one from the list](/experiments).")
    st.stop()

with api_errors(), loading("Reading the experiment"):
    experiment = client().experiment(identifier)
name_tab(experiment.name, TITLES["interventions"])

chosen = interventions({"id": identifier, "options": {}})
serve_requests(experiment, chosen)
if chosen.go:
    go(chosen.go)
