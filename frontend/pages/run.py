"""What happened to a run: its attempts, and the reason of every change of its state."""

import streamlit as st

from frontend.markup.run import run_history
from frontend.page import api_errors, client, notice

identifier = st.query_params.get("id")
if not identifier:
    notice("No run is named", "[Choose an experiment from the list](/experiments).")
    st.stop()

with api_errors():
    run = client().run(identifier)
    experiment = client().experiment(run.experiment_id)
    attempts, events = client().run_attempts(identifier), client().run_events(identifier)

st.html(run_history(experiment, run, attempts, events))
