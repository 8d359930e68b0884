"""What ran, and what is wrong."""

import streamlit as st

from frontend.components import experiment_list
from frontend.controls import choice
from frontend.navigation import go, open_page

_STATES = {"all": "All", "running": "Running", "attention": "Needs attention", "finished": "Finished"}

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.markdown("# Experiments")
    if st.button("Launch", type="primary"):
        open_page("launch")

search, states = st.columns([0.3, 0.7], vertical_alignment="center")
query = search.text_input(
    "Find", key="q", placeholder="Find by name or setting, e.g. n = 16", label_visibility="collapsed", bind="query-params"
)
with states:
    state = choice("state", "State", _STATES, default="all")

chosen = experiment_list({"q": query or "", "state": state or "all"})
if chosen.go:
    go(chosen.go)
