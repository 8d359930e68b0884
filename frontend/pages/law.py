"""How the onsets scale with n, and whether the copying curves collapse."""

import streamlit as st

from frontend.charts.law import scales_with
from frontend.components import law
from frontend.controls import choice, put
from frontend.markup.collapse import LETTERS
from frontend.markup.law import level_choices
from frontend.navigation import TITLES, go
from frontend.page import api_errors, client, loading, name_tab, notice
from frontend.requests import serve_requests

identifier = st.query_params.get("id")
if not identifier:
    notice("No experiment is named", "[Choose one from the list](/experiments).")
    st.stop()

with api_errors(), loading("Reading the experiment"):
    experiment = client().experiment(identifier)
name_tab(experiment.name, TITLES["law"])

levels = level_choices(experiment)
talk = st.query_params.get("talk")
hidden = "-hidden" if talk else ""
with st.container(key=f"law-controls{hidden}", horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
    st.caption("Copying level")
    measure = choice("measure", "Copying level", levels, default=next(iter(levels)))
    by = None
    if len(scales_with(experiment)) > 1:
        st.caption("Scale with")
        by = choice("by", "Scale with", {"n": "n", "width": "W"}, default="n")


def take(name: str) -> None:
    """Put what was chosen beside the charts into the address."""
    put(name, str(st.session_state["law"][name]) or None)


exponents = {letter: st.query_params.get(letter) for letter in LETTERS.values()}
options = exponents | {"measure": measure, "by": by, "talk": talk}
chosen = law({"id": identifier, "options": options}, a=lambda: take("a"), b=lambda: take("b"), talk=lambda: take("talk"))
serve_requests(experiment, chosen)
if chosen.go:
    go(chosen.go)
