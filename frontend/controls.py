"""Controls whose choice stands in the address, so that the address restores the view."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

MOST_SIDE_BY_SIDE = 4


def choice(
    name: str, label: str, options: Mapping[str, str], *, default: str | None, before: Callable[[], None] | None = None
) -> str | None:
    """A segmented control over value-to-words ``options``; the query parameter ``name`` holds the value.

    The address is what counts: the control is set from it in every run, and a click writes to it first, after ``before``.
    """
    asked = st.query_params.get(name)
    st.session_state[f"choice-{name}"] = asked if asked in options else default
    return st.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        key=f"choice-{name}",
        label_visibility="collapsed",
        on_change=_write,
        args=(name, default, before),
    )


def _write(name: str, default: str | None, before: Callable[[], None] | None) -> None:
    if before is not None:
        before()
    put(name, st.session_state[f"choice-{name}"], default)


def find(name: str, label: str, placeholder: str) -> str:
    """A box for words; the query parameter ``name`` holds them, and a link that leaves them out empties the box."""
    asked = st.query_params.get(name, "")
    # Set only where it differs: what is being typed must stay.
    if st.session_state.get(name, "") != asked:
        st.session_state[name] = asked
    return st.text_input(
        label,
        key=name,
        placeholder=placeholder,
        label_visibility="collapsed",
        on_change=lambda: put(name, st.session_state[name] or None),
        width=300,
    )


def pick(name: str, label: str, options: Sequence[str]) -> str | None:
    """A drop-down over values that may be many; the query parameter ``name`` holds the value, nothing means any."""
    asked = st.query_params.get(name)
    listed = [*options, *([asked] if asked and asked not in options else [])]
    st.session_state[f"pick-{name}"] = asked or None
    return st.selectbox(
        label,
        listed,
        index=None,
        key=f"pick-{name}",
        placeholder=f"{label}: any",
        label_visibility="collapsed",
        on_change=lambda: put(name, st.session_state[f"pick-{name}"]),
        width=170,
    )


def select(name: str, label: str, options: Mapping[str, str], *, default: str | None) -> str | None:
    """A drop-down over value-to-words ``options``, one of which is always chosen; the query parameter ``name`` holds the value."""
    asked = st.query_params.get(name)
    st.session_state[f"select-{name}"] = asked if asked in options else default
    return st.selectbox(
        label,
        list(options),
        format_func=options.__getitem__,
        key=f"select-{name}",
        label_visibility="collapsed",
        on_change=lambda: put(name, st.session_state[f"select-{name}"], default),
        width=330,
    )


def one_of(name: str, label: str, options: Mapping[str, str], *, default: str | None) -> str | None:
    """A segmented control, or a drop-down where there are more options than stand side by side."""
    return (choice if len(options) <= MOST_SIDE_BY_SIDE else select)(name, label, options, default=default)


def put(name: str, value: str | None, default: str | None = None) -> None:
    """Put a value into the address; the default and nothing leave no trace there."""
    if value is None or value == default:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value


def number(name: str) -> int | None:
    """A whole number from the address, or nothing."""
    text = st.query_params.get(name, "")
    return int(text) if text.isdigit() else None
