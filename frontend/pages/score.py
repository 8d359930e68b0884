"""The learned score of one-dimensional runs between the population's and that of the training points."""

import streamlit as st

from frontend.components import score
from frontend.controls import one_of
from frontend.opening import beside_tabs, opened, served, taking
from frontend.score_view import seed_choices

experiment = opened("score")
seeds, seed = seed_choices(experiment), None
if seeds:
    with beside_tabs("score"):
        seed = one_of("seed", "Seed", seeds, default=next(iter(seeds)))

options = {"seed": seed, "at": st.query_params.get("at"), "talk": st.query_params.get("talk")}
served(experiment, score({"id": experiment.id, "options": options}, at=taking("score", "at"), talk=taking("score", "talk")))
