"""What ran, and what is wrong."""

import streamlit as st

from frontend.components import experiment_list
from frontend.controls import choice, find, pick, put
from frontend.manage import manage
from frontend.navigation import go, open_page
from frontend.page import api_errors, client
from frontend.views import MOST_ROWS, ROWS, list_filter
from tauscope.client import ApiUnreachable
from tauscope.contracts.listing import ExperimentCensus

_STATES = {"all": "All", "running": "Running", "attention": "Needs attention", "finished": "Finished", "archived": "Archived"}
_CENSUS = {"running": "live"}


def show_more() -> None:
    """Ask for more rows; how many stands in the address."""
    shown = st.query_params.get("rows", "")
    put("rows", str(min(MOST_ROWS, (int(shown) if shown.isdigit() else ROWS) + ROWS)))


def pick_rows() -> None:
    """Put the rows that were chosen for a comparison into the address."""
    put("pick", st.session_state["list"].pick or None)


with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.markdown("# Experiments")
    if st.button("Launch", type="primary"):
        open_page("launch")


def counted() -> ExperimentCensus:
    """What there is to filter by; nothing while the API is away, for then the list says so and comes back by itself."""
    asked = list_filter(st.query_params.to_dict())
    with api_errors():
        try:
            return client().census(**{name: value for name, value in asked.items() if name not in ("state", "archived")})
        except ApiUnreachable:
            return ExperimentCensus(counts={}, tags={}, datasets={})


census = counted()

with st.container(horizontal=True, vertical_alignment="center", gap="small", key="list-filters"):
    find("q", "Find", "Find by name, tag or setting, e.g. n > 64")
    numbers = {name: census.counts.get(_CENSUS.get(name, name)) for name in _STATES}
    labels = {name: words if numbers[name] is None else f"{words} {numbers[name]:,}" for name, words in _STATES.items()}
    choice("state", "State", labels, default="all")
    pick("data", "Data set", tuple(census.datasets))
    pick("tag", "Tag", tuple(census.tags))

chosen = experiment_list(
    {name: st.query_params.get(name, "") for name in ("q", "state", "data", "tag", "rows", "pick")}, more=show_more, pick=pick_rows
)
if chosen.manage:
    with api_errors():
        manage(client().experiment(chosen.manage), tuple(census.tags))
if chosen.go:
    go(chosen.go)
