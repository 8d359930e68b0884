"""Starting, pausing and ending an exploration on the phase page."""

import math
from itertools import pairwise

import streamlit as st
from pydantic import ValidationError

from frontend.page import api_errors, client, notice
from tauscope.client import ApiError
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.exploration import (
    Budget,
    BudgetKind,
    Candidates,
    Explorations,
    ExplorationStart,
    ExplorationState,
    ExplorationView,
)
from tauscope.specs import SpecError

_KINDS = {BudgetKind.STEPS: "training steps", BudgetKind.SECONDS: "seconds of computing"}


def exploration_form(experiment: ExperimentView, found: Explorations) -> None:
    """What may be chosen and for how much; or, while one goes on, how to pause and end it."""
    going_on = _going_on(found)
    with st.container(key="exploration", border=True):
        if going_on is None:
            _start(experiment)
        else:
            _acts(experiment, going_on)


def _going_on(found: Explorations) -> ExplorationView | None:
    return next((view for view in found.items if view.state is not ExplorationState.FINISHED), None)


def _acts(experiment: ExperimentView, view: ExplorationView) -> None:
    paused = view.state is ExplorationState.PAUSED
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("The exploration is paused." if paused else "The exploration chooses runs as slots become free.")
        if st.button("Resume exploring" if paused else "Pause exploring"):
            with api_errors():
                client().act_on_exploration(experiment.id, "resume" if paused else "pause")
            st.rerun()
        if st.button("End exploring", help="Nothing more is chosen. The runs that were chosen go on."):
            with api_errors():
                client().act_on_exploration(experiment.id, "stop")
            st.rerun()


def _start(experiment: ExperimentView) -> None:
    sizes = sorted({run.n_train for run in experiment.runs if run.n_train is not None})
    widths = sorted({run.width for run in experiment.runs if run.width is not None})
    own = experiment.sweep["base"]["seed"]
    seeds = sorted({int(run.params.get("seed", own)) for run in experiment.runs})
    with st.expander("Explore: let runs be chosen where a boundary is least known"), st.form("exploration-form", border=False):
        st.caption(
            "Each next run is the one that is expected to tell most about the two boundaries for its cost, trained as long as its state "
            "needs. A run that has not copied is extended where that is cheaper. It ends with every boundary between two neighbouring n."
        )
        left, middle, right = st.columns(3)
        n = left.text_input("Training images n", _listed(between(sizes)))
        width = middle.text_input("Base widths W", _listed(widths))
        seed = right.text_input("Seeds", _listed(seeds), help="A cell is run with the second seed only to confirm the first.")
        amount = left.number_input("Budget", min_value=1, value=max(1000, sum(run.steps for run in experiment.runs)))
        kind = middle.selectbox("Budget in", list(_KINDS), format_func=_KINDS.__getitem__)
        if st.form_submit_button("Explore", type="primary"):
            _launch(experiment, {"n_train": n, "width": width, "seed": seed}, Budget(kind=kind, amount=amount))


def between(sizes: list[int]) -> list[int]:
    """The n there are, one in the middle of each gap, and one beyond the largest."""
    if not sizes:
        return []
    middles = [round(math.sqrt(low * high)) for low, high in pairwise(sizes)]
    return sorted({*sizes, *middles, 2 * sizes[-1]})


def _listed(values: list[int]) -> str:
    return ", ".join(map(str, values))


def _launch(experiment: ExperimentView, texts: dict[str, str], budget: Budget) -> None:
    try:
        candidates = Candidates.model_validate({name: _numbers(name, text) for name, text in texts.items()})
        client().explore(experiment.id, ExplorationStart(candidates=candidates, budget=budget))
    except ValidationError as error:
        _refused([str(problem) for problem in SpecError.from_validation(error).problems])
    except SpecError as error:
        _refused([str(problem) for problem in error.problems])
    except ApiError as error:
        found = error.problem
        _refused([f"{item.path}: {item.message}. {item.remedy}" for item in found.errors] or [f"{found.detail}. {found.remedy}"])
    else:
        st.rerun()


def _numbers(name: str, text: str) -> list[int]:
    parts = [part for part in text.replace(" ", "").split(",") if part]
    if not all(part.isdecimal() for part in parts):
        raise SpecError.single(name, f"{text!r} is no list of whole numbers", "Write it as in 8, 16, 32")
    return [int(part) for part in parts]


def _refused(faults: list[str]) -> None:
    notice("Not started", "  \n".join(faults))
