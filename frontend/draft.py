"""The sweep that the launch page is editing, kept while the viewer changes between the form and the YAML."""

from typing import Any

import streamlit as st
import yaml

_BASE, _EDITED, _ROUND = "draft-base", "draft-edited", "draft-round"


def forget() -> None:
    """Start anew from the preset."""
    for key in (_BASE, _EDITED):
        st.session_state.pop(key, None)
    st.session_state[_ROUND] = draft_round() + 1


def draft_round() -> int:
    """Counts the texts that were started; inputs carry it in their keys so that they begin from the draft."""
    return int(st.session_state.get(_ROUND, 0))


def base() -> dict[str, Any] | None:
    """What the inputs start from, or nothing while that is the preset itself."""
    found: dict[str, Any] | None = st.session_state.get(_BASE)
    return found


def keep(sweep: dict[str, Any]) -> None:
    """Remember the sweep as edited so far, for when the view changes."""
    st.session_state[_EDITED] = sweep


def change_view() -> None:
    """Let the other view start from what was edited."""
    if _EDITED in st.session_state:
        st.session_state[_BASE] = st.session_state.pop(_EDITED)
        st.session_state[_ROUND] = draft_round() + 1


def as_yaml(sweep: dict[str, Any]) -> str:
    """A sweep as text, in the order of its fields."""
    return yaml.safe_dump(sweep, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
