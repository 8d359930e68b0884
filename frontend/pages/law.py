"""How the onsets scale with n, and whether the copying curves collapse."""

import streamlit as st

from frontend.components import law
from frontend.controls import choice, put
from frontend.markup.law import level_choices
from frontend.navigation import go
from frontend.page import api_errors, client, loading, notice
from frontend.requests import serve_requests

identifier = st.query_params.get("id")
if not identifier:
    notice("No experiment is named", "[Choose one from the list](/experiments).")
    st.stop()

with api_errors(), loading("Reading the experiment"):
    experiment = client().experiment(identifier)

levels = level_choices(experiment)
with st.container(key="law-controls", horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
    st.caption("Copying level")
    measure = choice("measure", "Copying level", levels, default=next(iter(levels)))


def take_exponent() -> None:
    """Put the slider's exponent into the address."""
    put("a", str(st.session_state["law"]["a"]))


chosen = law({"id": identifier, "options": {"a": st.query_params.get("a"), "measure": measure}}, a=take_exponent)
serve_requests(experiment, chosen)
if chosen.go:
    go(chosen.go)
