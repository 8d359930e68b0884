"""The learned score of one-dimensional runs between the population's and that of the training points."""

import streamlit as st

from frontend.components import score
from frontend.controls import one_of, put
from frontend.navigation import TITLES, go
from frontend.page import api_errors, client, loading, name_tab, notice
from frontend.requests import serve_requests
from frontend.score_view import seed_choices

identifier = st.query_params.get("id")
if not identifier:
    notice("No experiment is named", "[Choose one from the list](/experiments).")
    st.stop()

with api_errors(), loading("Reading the experiment"):
    experiment = client().experiment(identifier)
name_tab(experiment.name, TITLES["score"])

talk, seeds = st.query_params.get("talk"), seed_choices(experiment)
hidden = "-hidden" if talk else ""
seed = None
if seeds:
    with st.container(key=f"score-controls{hidden}", horizontal=True, horizontal_alignment="right", gap="small"):
        seed = one_of("seed", "Seed", seeds, default=next(iter(seeds)))


def take(name: str) -> None:
    """Put what was chosen beside the figures into the address."""
    put(name, str(st.session_state["score"][name]) or None)


options = {"seed": seed, "at": st.query_params.get("at"), "talk": talk}
chosen = score({"id": identifier, "options": options}, at=lambda: take("at"), talk=lambda: take("talk"))
serve_requests(experiment, chosen)
if chosen.go:
    go(chosen.go)
