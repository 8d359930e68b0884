"""How the onsets scale with n, and whether the copying curves collapse."""

import streamlit as st

from frontend.charts.law import scales_with
from frontend.components import law
from frontend.controls import choice
from frontend.markup.collapse import LETTERS
from frontend.markup.law import level_choices
from frontend.opening import beside_tabs, opened, served, taking

experiment = opened("law")
levels = level_choices(experiment)
with beside_tabs("law"):
    st.caption("Copying level")
    measure = choice("measure", "Copying level", levels, default=next(iter(levels)))
    by = None
    if len(scales_with(experiment)) > 1:
        st.caption("Scale with")
        by = choice("by", "Scale with", {"n": "n", "width": "W"}, default="n")

exponents = {letter: st.query_params.get(letter) for letter in LETTERS.values()}
options = exponents | {"measure": measure, "by": by, "talk": st.query_params.get("talk")}
data = {"id": experiment.id, "options": options}
served(experiment, law(data, a=taking("law", "a"), b=taking("law", "b"), talk=taking("law", "talk")))
