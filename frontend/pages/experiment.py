"""When the model is good, when it copies, and how far each run is: the watch page."""

import streamlit as st

from frontend.charts.experiment import watched
from frontend.charts.figure import ViewOptions
from frontend.charts.groups import focused, group_runs
from frontend.charts.memorization import F_MEM
from frontend.charts.reading import (
    DESCRIBED,
    axes_of,
    copying_metric,
    distinct_labels,
    drawn_points,
    kind_of,
    loss_indices,
    metric_info,
    quality_choices,
)
from frontend.components import watch
from frontend.controls import choice, one_of
from frontend.markup.header import header, offers
from frontend.navigation import open_page
from frontend.opening import beside_tabs, opened, served, taking
from frontend.page import api_errors, client, loading
from frontend.requests import add_twin
from frontend.theme import PALETTES
from frontend.words import AXIS_NAMES

_VIEWS = {"stacked": "Stacked", "overlay": "Overlay", "path": "Path"}

experiment = opened("experiment", "Reading the curves")
if not offers("experiment", kind_of(experiment)):
    open_page("closed", id=experiment.id)
with api_errors(), loading("Reading the curves"):
    curves = client().curves(experiment.id, watched(experiment, ViewOptions()), max_points=DESCRIBED)

qualities = distinct_labels(metric_info(curves, name) for name in quality_choices(experiment, curves))
pairs = {str(index): f"losses {index}" for index in loss_indices(curves)}
with beside_tabs("watch"):
    quality = one_of("quality", "Quality", qualities, default=next(iter(qualities), None))
    views = _VIEWS if copying_metric(experiment) == F_MEM else {name: words for name, words in _VIEWS.items() if name != "path"}
    view = choice("view", "View", views, default="stacked") or "stacked"
    pair = choice("losses", "Loss pair", pairs, default=None) if pairs and view != "path" else None
    axes: dict[str, str] = {name: AXIS_NAMES[name] for name in axes_of(experiment)}
    axis = (choice("axis", "Time axis", axes, default="tau") or "tau") if view != "path" else "tau"

from_address = {name: st.query_params.get(name) for name in ("n", "seeds", "talk")}
options = {"axis": axis, "view": view, "quality": quality, "losses": pair} | from_address
# The header stands at once; what is fetched later brings the newest.
focus = focused(group_runs(experiment, None), options["n"])
head = header(experiment, tab="experiment", run_id=focus.runs[0].id if focus else None)
shown = watched(experiment, ViewOptions(quality=quality, losses=int(pair) if pair else None))
chosen = watch(
    {"id": experiment.id, "points": drawn_points(len(experiment.runs)), "metrics": shown, "options": options, "header": head},
    focus=taking("watch", "focus", "n"),
    seeds=taking("watch", "seeds"),
    talk=taking("watch", "talk"),
)
if chosen.twin:
    group = focused(group_runs(experiment, PALETTES["light"]), st.query_params.get("n"))
    if group is not None:
        add_twin(group.runs[0])
if chosen.inspect:
    open_page("inspect", run=chosen.inspect["run"], step=str(chosen.inspect["step"]))
served(experiment, chosen)
