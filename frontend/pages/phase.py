"""Where, over n and p, the model memorizes, has a window, or shows no copying."""

import streamlit as st

from frontend.components import phase
from frontend.controls import put
from frontend.exploring import exploration_form
from frontend.navigation import TITLES, go
from frontend.page import api_errors, client, loading, name_tab, notice
from frontend.requests import serve_requests

identifier = st.query_params.get("id")
if not identifier:
    notice("No experiment is named", "[Choose one from the list](/experiments).")
    st.stop()

with api_errors(), loading("Reading the experiment"):
    experiment = client().experiment(identifier)
name_tab(experiment.name, TITLES["phase"])


def take(name: str) -> None:
    """Put what was chosen in the diagram into the address."""
    put(name, str(st.session_state["phase"][name]) or None)


options = {"cell": st.query_params.get("cell"), "talk": st.query_params.get("talk")}
chosen = phase({"id": identifier, "options": options}, cell=lambda: take("cell"), talk=lambda: take("talk"))
exploration_form(experiment)
serve_requests(experiment, chosen)
if chosen.go:
    go(chosen.go)
