"""What every page begins with: style, the client of this viewer, and how a refusal of the API is shown."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from frontend.assets import STATIC, assets
from frontend.connection import TOKEN_COOKIE, api_url, client_for
from frontend.markup.html import join, tag
from frontend.theme import PALETTES, ThemeName
from frontend.words import slots_words
from tauscope.client import ApiError, ApiUnreachable, TauscopeClient

_STYLES = ("tauscope.css", "inspect.css", "system.css", "compare.css", "data.css")


def apply_style() -> None:
    """The tokens as custom properties, and the page's style sheet; like Streamlit's own parts they follow the system's theme at once."""
    roots = {name: _root(name) for name in PALETTES}
    fonts = (STATIC / "fonts.css").read_text(encoding="utf-8").replace('url("fonts/', f'url("{assets()}/fonts/')
    styles = "\n".join((STATIC / file).read_text(encoding="utf-8") for file in _STYLES)
    st.html(f"<style>{fonts}\n{roots['light']}\n@media (prefers-color-scheme: dark) {{ {roots['dark']} }}\n{styles}</style>")


def _root(name: ThemeName) -> str:
    variables = "; ".join(f"{key}: {value}" for key, value in PALETTES[name].css_variables().items())
    return f":root {{ {variables}; --tau-theme: {name}; color-scheme: {name} }}"


def client() -> TauscopeClient:
    """The API in the name of this viewer."""
    return client_for(st.context.cookies.get(TOKEN_COOKIE))


def name_tab(*words: str) -> None:
    """Say in the browser's tab what is shown."""
    st.set_page_config(page_title=" · ".join([*words, "Tauscope"]))


def show_slots(place: DeltaGenerator) -> None:
    """How busy the workers are, in the top bar, where that is known; and the keys, one click away."""
    try:
        words = slots_words(client().system())
    except ApiError:
        words = ""
    keys = tag("button", "?", type="button", class_="tau-keys-button", data_keys=True, aria_label="Keys", title="Keys (?)")
    with place:
        st.html(join(tag("span", words, id="tau-slots"), keys))


@contextmanager
def api_errors() -> Iterator[None]:
    """Show what the API refused and the remedy, and end the page there."""
    try:
        yield
    except ApiUnreachable:
        notice("The API does not answer", f"Nothing answers at {api_url()}. Start it with `make up`; this page then works again.")
        st.button("Try again")
        st.stop()
    except ApiError as error:
        if error.problem.status == 401:
            notice("This service asks for its token", "[Sign in](/login)")
        else:
            way_out = "[Show all experiments](/experiments)" if error.problem.status == 404 else ""
            notice(error.problem.title, f"{error.problem.detail} {error.problem.remedy} {way_out}")
        st.stop()


@contextmanager
def loading(words: str) -> Iterator[None]:
    """Say what is read once that takes long enough to be noticed, in front of axes; it takes no room, so nothing moves when it goes."""
    place = st.empty()
    place.html(tag("div", tag("p", words, role="status"), class_="tau-loading"))
    try:
        yield
    finally:
        place.empty()


def notice(title: str, body: str) -> None:
    """A problem in ink, never in red."""
    with st.container(border=True, key=f"notice-{abs(hash((title, body)))}"):
        st.markdown(f"**{title}**  \n{body}")
