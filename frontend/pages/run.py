"""Where a run stands, what may be asked of it, and below that what happened to it and why."""

import streamlit as st

from frontend.components import agreement, history
from frontend.components import run as standing
from frontend.markup.header import offers
from frontend.markup.run import beginning
from frontend.navigation import TITLES, go, open_page
from frontend.page import api_errors, client, name_tab, notice
from frontend.remeasuring import ask_to_remeasure, show_remeasured
from frontend.requests import add_twin, confirm_stop_run, serve_requests
from frontend.run_view import run_view
from tauscope.contracts.runs import TERMINAL_STATES, RunState

identifier = st.query_params.get("id")
if not identifier:
    notice("No run is named", "[Choose an experiment from the list](/experiments).")
    st.stop()

with api_errors():
    run, checkpoints, events = client().run(identifier), client().checkpoints(identifier), client().run_events(identifier)
    experiment = client().experiment(run.experiment_id)
    shown = run_view(client(), experiment, run, checkpoints)

name_tab(experiment.name, TITLES["run"])
live = {"address": f"/view/runs/{run.id}", "shown": shown}
chosen = standing(live)
serve_requests(experiment, chosen)
if chosen.go:
    go(chosen.go)

with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
    about_twins = "The same run on other images and from other weights. tau_split is where the two agree most."
    if run.twin_id is None and offers("twin", run.kind) and st.button("Add its twin", help=about_twins):
        add_twin(run)
    if run.state not in TERMINAL_STATES and st.button("Stop this run"):
        confirm_stop_run(run)
    begin = st.selectbox("Begin", [None, *[item.step for item in checkpoints.checkpoints]], format_func=beginning, width=240, key="begin")
    if st.button("Launch this run alone, changed"):
        open_page("launch", fork=run.id, **({"step": str(begin)} if begin else {}))

if run.state is RunState.STOPPED and run.verdict:
    st.caption("Its policy stopped it. It goes on from its last checkpoint to the steps it was given, and the policy is off for it.")
    if st.button("Go on in spite of its policy"):
        with api_errors():
            client().resume_run(run.id)
        st.rerun()

if run.state in (RunState.FINISHED, RunState.STOPPED) and offers("extend", run.kind):
    with st.form("extend", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        steps = st.number_input("Steps in all", min_value=run.steps, value=2 * run.steps, step=1, width=160)
        if st.form_submit_button("Extend this run"):
            with api_errors():
                client().extend_run(run.id, int(steps))
            st.rerun()

below = history(live)
if below.go:
    go(below.go)

if run.twin_id is not None:
    compared = agreement(run.id)
    if compared.go:
        go(compared.go)

show_remeasured(run.id)
ask_to_remeasure(run, checkpoints, events)
