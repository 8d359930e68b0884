"""What warns of copying before it begins, how far ahead, and how often in vain."""

import streamlit as st

from frontend.components import probes
from frontend.controls import select
from frontend.markup.probes import probe_choices
from frontend.opening import beside_tabs, opened, served, taking
from frontend.page import api_errors, client, loading

experiment = opened("probes")
with api_errors(), loading("Reading the probes"):
    choices = probe_choices(client().warnings(experiment.id).metrics)
with beside_tabs("probes"):
    probe = select("probe", "Probe", choices, default=next(iter(choices), None))

options = {"probe": probe, "n": st.query_params.get("n"), "talk": st.query_params.get("talk")}
served(experiment, probes({"id": experiment.id, "options": options}, talk=taking("probes", "talk")))
