"""When the model is good, when it copies, and how far each run is: the watch page."""

import streamlit as st

from frontend.charts.reading import loss_indices, metric_info, quality_choices, short_label
from frontend.components import watch
from frontend.controls import choice, put
from frontend.navigation import go, open_page
from frontend.page import api_errors, client, notice
from frontend.requests import serve_requests

_AXES = {"tau": "τ", "tau_n": "τ/n"}

identifier = st.query_params.get("id")
if not identifier:
    notice("No experiment is named", "[Choose one from the list](/experiments).")
    st.stop()

with api_errors():
    experiment = client().experiment(identifier)
    curves = client().curves(identifier)

qualities = {name: short_label(metric_info(curves, name)) for name in quality_choices(experiment, curves)}
pairs = {str(index): f"losses at {index}" for index in loss_indices(curves)}
with st.container(key="watch-controls", horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
    quality = choice("quality", "Quality", qualities, default=next(iter(qualities), None))
    pair = choice("losses", "Loss pair", pairs, default=None)
    axis = choice("axis", "Time axis", _AXES, default="tau") or "tau"


def take_focus() -> None:
    """Put the n that was clicked into the address."""
    put("n", st.session_state["watch"]["focus"])


chosen = watch(
    {"id": identifier, "options": {"axis": axis, "quality": quality, "losses": pair, "n": st.query_params.get("n")}}, focus=take_focus
)
serve_requests(experiment, chosen)
if chosen.inspect:
    open_page("inspect", run=chosen.inspect["run"], step=str(chosen.inspect["step"]))
if chosen.go:
    go(chosen.go)
