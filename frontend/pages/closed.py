"""Random features: losses in closed form beside the points of a loop, the map over both ratios, or the spectrum of U."""

import streamlit as st

from frontend.charts.rf_map import MAPS
from frontend.closed_form_view import map_times
from frontend.components import closed
from frontend.controls import choice, select
from frontend.opening import beside_tabs, opened, run_control, served, taking

experiment = opened("closed")
times = map_times(experiment)
shown = at = None
with beside_tabs("closed"):
    if times:
        shown = choice("map", "Map", MAPS, default=next(iter(MAPS)))
        at = select("at", "Map at", times, default=list(times)[-1])
    run = run_control(experiment)

options = {"run": run, "map": shown, "at": at, "talk": st.query_params.get("talk")}
served(experiment, closed({"id": experiment.id, "options": options}, talk=taking("closed", "talk")))
