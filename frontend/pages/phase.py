"""Where, over n and p, the model memorizes, has a window, or shows no copying."""

import streamlit as st

from frontend.components import phase
from frontend.exploring import exploration_form
from frontend.markup.exploration import standing
from frontend.opening import opened, served, taking
from frontend.page import api_errors, client

experiment = opened("phase")
with api_errors():
    found = client().explorations(experiment.id)

options = {"cell": st.query_params.get("cell"), "talk": st.query_params.get("talk")}
explored = standing(found)  # The page looks again once an exploration is started, paused or ended.
data = {"id": experiment.id, "options": options, "explored": explored}
chosen = phase(data, cell=taking("phase", "cell"), talk=taking("phase", "talk"))
if not options["talk"]:
    exploration_form(experiment, found)
served(experiment, chosen)
