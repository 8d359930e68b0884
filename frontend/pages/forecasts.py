"""How the forecasts of all runs turned out."""

import streamlit as st

from frontend.components import forecasts
from frontend.navigation import go

st.markdown("# Forecasts")
chosen = forecasts()
if chosen.go:
    go(chosen.go)
