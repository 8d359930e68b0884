"""Are these copies: samples of a checkpoint beside their two nearest training images."""

import streamlit as st

from frontend.charts.groups import group_runs, run_name
from frontend.charts.reading import level_of
from frontend.components import gallery
from frontend.controls import choice, number, put
from frontend.markup.gallery import Shown, cards, enlarged, film_strip, inspect_finding, selected_seed
from frontend.markup.header import header
from frontend.markup.html import tag
from frontend.navigation import go
from frontend.page import api_errors, client, notice, theme_name
from frontend.requests import serve_requests
from frontend.theme import PALETTES
from tauscope.contracts.experiments import ExperimentView, RunView, SamplesView

_SHOW = {"all": "All", "copies": "Copies", "originals": "Not copies"}
_SORT = {"seed": "By seed", "ratio": "By gap ratio"}


@st.cache_data(max_entries=400, show_spinner=False)
def samples_at(run_id: str, step: int, _seen: int) -> SamplesView:
    """The samples of a checkpoint, which never change once they are there."""
    return client().samples(run_id, step)


def quality_points(experiment: ExperimentView, run: RunView) -> list[tuple[int, float]]:
    """The quality that defines tau_gen, for the miniature."""
    defining = level_of(experiment, "tau_gen")
    series = client().curves(experiment.id).runs.get(run.id, {}).get(defining[0]) if defining else None
    return [(step, value) for step, value in zip(series.step, series.value, strict=True) if value is not None] if series else []


def take(name: str) -> None:
    """Put what was chosen in the gallery into the address."""
    put(name, str(st.session_state["gallery"][name]))


def toggle_copies() -> None:
    """Key C: copies only, and back."""
    put("show", "copies" if st.query_params.get("show") != "copies" else None)


run_id = st.query_params.get("run")
if not run_id:
    notice("No run is named", "[Choose an experiment from the list](/experiments).")
    st.stop()

with api_errors():
    run = client().run(run_id)
    experiment = client().experiment(run.experiment_id)
    if not run.onsets and run.step == 0:
        notice("No samples yet", f"{run.label} has not come to its first checkpoint. [Watch it](/experiment?id={experiment.id}).")
        st.stop()
    latest = client().samples(run_id, "last")
    views = [samples_at(run_id, step, 0) for step in latest.steps]

step = number("step")
view = next((item for item in views if item.step == step), latest)
runs = {item.id: run_name(group, item) for group in group_runs(experiment, PALETTES[theme_name()]) for item in group.runs}

with st.container(key="inspect-controls", horizontal=True, vertical_alignment="center", gap="small"):
    choice("run", "Run", runs, default=run_id)
    show = choice("show", "Show", _SHOW, default="all") or "all"
    sort = choice("sort", "Order", _SORT, default="seed") or "seed"

limit = int(st.session_state.get("limit", 60))
shown = Shown(show=show, sort=sort, seed=number("seed"), limit=limit)
seed = selected_seed(view, shown)
html = tag(
    "div",
    header(experiment, tab="inspect", run_id=run_id),
    tag("div", inspect_finding(view), class_="tau-finding", aria_live="polite"),
    film_strip(views, view.step, seed, quality=quality_points(experiment, run)),
    tag(
        "div",
        tag(
            "div",
            tag(
                "p",
                "Each card: generated, nearest training image, and (small) the second nearest. Bar: gap ratio, tick at 1/3.",
                class_="tau-label",
            ),
            cards(view, shown, seed),
            class_="tau-main",
        ),
        tag(
            "div",
            enlarged(view, seed, views) if seed is not None else None,
            tag("p", "← → checkpoint · J K sample · C copies only", class_="tau-label"),
            class_="tau-side",
        ),
        class_="tau-columns",
    ),
)
chosen = gallery(
    {"html": html},
    step=lambda: take("step"),
    seed=lambda: take("seed"),
    copies=toggle_copies,
)
serve_requests(experiment, chosen)
if chosen.more:
    st.session_state["limit"] = int(chosen.more)
    st.rerun()
if chosen.go:
    go(chosen.go)
