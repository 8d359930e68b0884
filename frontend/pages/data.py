"""Data sets: which there are, what is known of each, and registering another one."""

import streamlit as st

from frontend.components import data_sets
from frontend.markup.datasets import register_form
from frontend.navigation import go
from frontend.page import api_errors, client


@st.dialog("Remove this data set?")
def confirm_removal(name: str) -> None:
    """Remove one after asking once."""
    st.markdown(f"**{name}** can no longer be launched on. What was measured is kept; an uploaded archive goes, a folder stays.")
    if st.button("Remove it", type="primary"):
        with api_errors():
            client().remove_dataset(name)
        st.rerun()


st.markdown("# Data sets")
chosen = data_sets({"form": register_form()})
if chosen.go:
    go(chosen.go)
if chosen.remove:
    confirm_removal(chosen.remove)
