"""What warns of copying before it begins, how far ahead, and how often in vain."""

import streamlit as st

from frontend.components import probes
from frontend.controls import put, select
from frontend.markup.probes import probe_choices
from frontend.navigation import TITLES, go
from frontend.page import api_errors, client, loading, name_tab, notice
from frontend.requests import serve_requests

identifier = st.query_params.get("id")
if not identifier:
    notice("No experiment is named", "[Choose one from the list](/experiments).")
    st.stop()

with api_errors(), loading("Reading the probes"):
    experiment = client().experiment(identifier)
    choices = probe_choices(client().warnings(identifier).metrics)
name_tab(experiment.name, TITLES["probes"])

talk = st.query_params.get("talk")
hidden = "-hidden" if talk else ""
with st.container(key=f"probes-controls{hidden}", horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
    probe = select("probe", "Probe", choices, default=next(iter(choices), None))

chosen = probes(
    {"id": identifier, "options": {"probe": probe, "n": st.query_params.get("n"), "talk": talk}},
    talk=lambda: put("talk", str(st.session_state["probes"]["talk"]) or None),
)
serve_requests(experiment, chosen)
if chosen.go:
    go(chosen.go)
