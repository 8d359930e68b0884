"""Where in frequency the denoiser of a run errs, and how its losses part over all noise levels."""

import streamlit as st

from frontend.charts.loss_grid import MAPS
from frontend.charts.spectrum import SETS
from frontend.components import spectrum
from frontend.controls import choice
from frontend.opening import beside_tabs, opened, run_control, served, taking

experiment = opened("spectrum")
with beside_tabs("spectrum"):
    of_set = choice("set", "Error of", SETS, default="held_out")
    shown = choice("map", "Map", MAPS, default="gap")
    run = run_control(experiment)

options = {"run": run, "set": of_set, "map": shown, "talk": st.query_params.get("talk")}
served(experiment, spectrum({"id": experiment.id, "options": options}, talk=taking("spectrum", "talk")))
