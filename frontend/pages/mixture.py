"""A run on a mixture against what is known of it: the scores of its population and of its training points."""

import streamlit as st

from frontend.components import mixture
from frontend.controls import select
from frontend.opening import beside_tabs, opened, run_control, served, taking

experiment = opened("mixture")
indices = {str(index): f"Index {index}" for index in experiment.sweep["base"].get("measurement", {}).get("score_indices", [])}
with beside_tabs("mixture"):
    index = select("index", "Index", indices, default=list(indices)[len(indices) // 2]) if indices else None
    run = run_control(experiment)

options = {"run": run, "index": index, "talk": st.query_params.get("talk")}
served(experiment, mixture({"id": experiment.id, "options": options}, talk=taking("mixture", "talk")))
