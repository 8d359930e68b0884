"""The pages by the first part of their address.

Streamlit serves its default page at the bare address alone, so that page is ``home``, which goes on to the experiments.
"""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

_PAGES = Path(__file__).parent / "pages"
TITLES = {
    "home": "Tauscope",
    "experiments": "Experiments",
    "launch": "Launch",
    "compare": "Compare",
    "experiment": "Watch",
    "law": "Law",
    "phase": "Phase diagram",
    "interventions": "Interventions",
    "probes": "Probes",
    "spectrum": "Spectrum",
    "mixture": "Mixture",
    "closed": "Closed form",
    "score": "Score",
    "inspect": "Inspect",
    "run": "Run",
    "forecasts": "Forecasts",
    "data": "Data sets",
    "system": "System",
}
IN_THE_BAR = ("experiments", "launch", "compare", "data", "system")


def page_file(name: str) -> Path:
    """The script of a page."""
    return _PAGES / f"{name}.py"


def open_page(name: str, **params: str) -> None:
    """Go to a page within this session."""
    st.switch_page(page_file(name), query_params=params)


def go(address: str) -> None:
    """Go to one of our own addresses within this session; anything else is ignored."""
    parts = urlsplit(address)
    name = parts.path.strip("/") or "experiments"
    if name in TITLES and not parts.netloc:
        open_page(name, **dict(parse_qsl(parts.query)))
