"""The dashboard's entry point: style and navigation around every page."""

import streamlit as st

from frontend.assets import STATIC
from frontend.navigation import IN_THE_BAR, TITLES, page_file
from frontend.page import apply_style, name_tab, show_slots

st.set_page_config(page_title="Tauscope", page_icon=str(STATIC / "mark.svg"), layout="wide")
apply_style()
st.logo(str(STATIC / "logo.svg"), size="medium")

slots = st.container(key="slots")

page = st.navigation(
    [
        st.Page(
            page_file(name),
            title=title,
            url_path=name,
            default=name == "home",
            visibility="visible" if name in IN_THE_BAR else "hidden",
        )
        for name, title in TITLES.items()
    ],
    position="top",
)
if page.title != TITLES["home"]:
    name_tab(page.title)
try:
    page.run()
finally:
    # Nothing of the page waits for it.
    show_slots(slots)
