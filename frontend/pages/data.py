"""Data sets: which there are, what is known of each, and registering another one."""

import streamlit as st

from frontend.components import data_sets
from frontend.markup.datasets import register_form
from frontend.navigation import go
from frontend.page import api_errors, client

# How often something was removed in this session: with it the component is called again, and asks again.
_CHANGES = "data-changes"


@st.dialog("Remove this data set?")
def confirm_removal(name: str) -> None:
    """Remove one after asking once."""
    st.markdown(f"**{name}** can no longer be launched on. What was measured is kept; an uploaded archive goes, a folder stays.")
    if st.button("Remove it", type="primary"):
        with api_errors():
            client().remove_dataset(name)
        st.session_state[_CHANGES] = st.session_state.get(_CHANGES, 0) + 1
        st.rerun()


st.markdown("# Data sets")
chosen = data_sets({"form": register_form(), "changes": st.session_state.get(_CHANGES, 0)})
if chosen.go:
    go(chosen.go)
if chosen.remove:
    confirm_removal(chosen.remove)
