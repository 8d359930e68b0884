"""What the buttons of an experiment's header ask of the API."""

from typing import Any

import streamlit as st

from frontend.page import api_errors, client
from tauscope.contracts.experiments import ExperimentView


def serve_requests(experiment: ExperimentView, chosen: Any) -> None:
    """Pause and resume at once, since each undoes the other; stop after asking once. ``chosen`` is a component's result."""
    if chosen.stop:
        _confirm_stop(experiment)
    elif chosen.pause or chosen.resume:
        with api_errors():
            if chosen.pause:
                client().pause(experiment.id)
            else:
                client().resume(experiment.id)
        st.rerun()


@st.dialog("Stop this experiment?")
def _confirm_stop(experiment: ExperimentView) -> None:
    st.markdown(f"**{experiment.name}** ends within seconds. What was measured is kept; a stopped run goes on only if you extend it.")
    if st.button("Stop all runs", type="primary"):
        with api_errors():
            client().stop(experiment.id)
        st.rerun()
