"""Where, over n and p, the model memorizes, has a window, or shows no copying."""

import streamlit as st

from frontend.components import phase
from frontend.controls import put
from frontend.exploring import exploration_form
from frontend.markup.exploration import standing
from frontend.navigation import TITLES, go
from frontend.page import api_errors, client, loading, name_tab, notice
from frontend.requests import serve_requests

identifier = st.query_params.get("id")
if not identifier:
    notice("No experiment is named", "[Choose one from the list](/experiments).")
    st.stop()

with api_errors(), loading("Reading the experiment"):
    experiment, found = client().experiment(identifier), client().explorations(identifier)
name_tab(experiment.name, TITLES["phase"])


def take(name: str) -> None:
    """Put what was chosen in the diagram into the address."""
    put(name, str(st.session_state["phase"][name]) or None)


options = {"cell": st.query_params.get("cell"), "talk": st.query_params.get("talk")}
explored = standing(found)  # The page looks again once an exploration is started, paused or ended.
chosen = phase({"id": identifier, "options": options, "explored": explored}, cell=lambda: take("cell"), talk=lambda: take("talk"))
if not options["talk"]:
    exploration_form(experiment, found)
serve_requests(experiment, chosen)
if chosen.go:
    go(chosen.go)
