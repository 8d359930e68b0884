"""Whether the service can work: workers, queues, versions, failures, and what each part says of itself."""

import streamlit as st

from frontend.components import system
from frontend.navigation import go

st.markdown("# System")
chosen = system({})
if chosen.go:
    go(chosen.go)
