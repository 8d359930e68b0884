"""The part of a run's page that shows what was measured again, and asks for more."""

from collections.abc import Sequence
from typing import Any, get_args

import streamlit as st

from frontend.components import remeasured
from frontend.navigation import go
from frontend.page import api_errors, client
from frontend.words import plural, steps
from tauscope.contracts.retention import RunCheckpoints
from tauscope.contracts.run_views import RunEventView, RunView
from tauscope.specs.features import QualityMetric

FEATURES = ("pixels_pca", "mobilenet_v2", "inception")  # What needs no file of the user's own.
_COST = "One core sees 1,000 images in about 6 s with mobilenet_v2 and in 3 minutes with inception, whose Fréchet distance is the FID."
_LOOK_EVERY = "5s"
_UNDER_WAY = ("waiting", "measuring")
_GIVEN_UP = "evaluation_failed"


def show_remeasured(run_id: str) -> None:
    """Every set beside the run's own curve; while something of it is to be done, the page looks again by itself."""
    with api_errors():
        sets = client().remeasurements(run_id)
    if sets:
        waits = any(item.state in _UNDER_WAY for held in sets for item in held.steps)
        st.fragment(_show, run_every=_LOOK_EVERY if waits else None)(run_id)


def _show(run_id: str) -> None:
    with api_errors():
        seq = client().run(run_id).seq
    shown = remeasured(run_id, seq)
    if shown.go:
        go(shown.go)


def ask_to_remeasure(run: RunView, checkpoints: RunCheckpoints, events: Sequence[RunEventView]) -> None:
    """What may be asked for: checkpoints measured again, and the samples that failed attempts left undrawn."""
    if any(event.name == _GIVEN_UP for event in events):
        _offer_gaps(run.id)
    kept = [item.step for item in checkpoints.checkpoints]
    if kept:
        with st.expander("Measure its checkpoints again"), st.form("remeasure", border=False):
            _form(run, kept)


def _form(run: RunView, kept: list[int]) -> None:
    st.caption("Another count or sampler is another estimate of the same checkpoints. It stands beside the run's own curve, never in it.")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        samples = st.number_input("Samples each", min_value=32, value=int(run.final.get("n_generated") or 1000), step=1, width=160)
        sampling = st.number_input("Sampling steps", min_value=2, value=None, step=1, width=160, placeholder="as the run")
        pairs = st.number_input("Loss pairs", min_value=32, value=None, step=1, width=160, placeholder="as the run")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        networks = st.multiselect("Feature networks", FEATURES, placeholder="as the run", width=300, help=_COST)
        metrics = st.multiselect("Measured on them", get_args(QualityMetric), default=("frechet", "kid", "copies"), width=300)
        looked = st.number_input("Samples they see", min_value=32, value=500, step=1, width=160, help="of a checkpoint, the first")
    chosen = st.multiselect("Checkpoints", kept, format_func=lambda step: f"τ {steps(step)}", placeholder="all that are kept")
    if st.form_submit_button("Measure again"):
        given: dict[str, Any] = {"n_generated": samples, "sampler.steps": sampling, "loss_pairs": pairs}
        changes = {name: int(value) for name, value in given.items() if value is not None}
        each = {"metrics": metrics, "samples": int(looked)}
        features = {"features": [{"name": name, **each} for name in networks]} if networks else {}
        with api_errors():
            client().remeasure(run.id, changes | features, steps=chosen or None)
        st.rerun()


def _offer_gaps(run_id: str) -> None:
    with api_errors():
        gaps = client().gaps(run_id).steps
    if gaps and st.button(
        f"Draw the samples of {plural(len(gaps), 'gap')}", help=f"At τ {', '.join(map(steps, gaps))}, as the run was measured."
    ):
        with api_errors():
            client().draw_again(run_id)
        st.rerun()
