"""Drawing a form: fields under their headings, changes with what stood there before, faults at their field."""

from collections.abc import Mapping, Sequence

import streamlit as st

from frontend.draft import Draft
from frontend.form.fields import SWEEP, Field
from frontend.form.form import Form
from frontend.markup.html import Html, tag
from tauscope.contracts.problems import FieldError

Faults = Mapping[str, Sequence[FieldError]]

_COLUMNS = {SWEEP: 3}
_GRAMMAR = (
    "Any field takes one value or several, and each is a run: `8, 16, 32`, `8..64 x2`, `0..6 +2`, or by an axis: `150, 400, 800 by n`."
)
_COMBINE = {"cross": "Every combination", "zip": "Axes in step"}


def draw_form(draft: Draft, form: Form, faults: Faults) -> None:
    """Every field. ``faults`` by the key of the field, or the name of what is the sweep's own."""
    for heading, fields in form.groups.items():
        st.markdown(f"### {heading}")
        if heading == SWEEP:
            st.caption(_GRAMMAR)
            _own(draft, form, faults)
        plain = [field for field in fields if not field.advanced]
        folded = [field for field in fields if field.advanced]
        _grid(draft, plain, faults, _COLUMNS.get(heading, 4))
        if folded:
            changed = sum(field.changed for field in folded)
            words = f"Further settings ({len(folded)}" + (f", {changed} changed)" if changed else ")")
            with st.expander(words, expanded=any(field.key in faults for field in folded), key=draft.input_key(f"further {heading}")):
                _grid(draft, folded, faults, 4)


def _own(draft: Draft, form: Form, faults: Faults) -> None:
    name, combine = st.columns([2, 1])
    with name:
        draw_own(draft, "name", "Name", form.document["name"])
        before = str(draft.origin.get("name", ""))
        draw_note(faults.get("name", ()), f"changed, was {before}" if form.document["name"] != before else "")
    with combine:
        if len(form.document["axes"]) > 1 or form.document.get("combine") == "zip":
            _choose_combine(draft, str(form.document.get("combine", "cross")))


def draw_own(draft: Draft, name: str, label: str, value: str) -> None:
    """A field of the sweep itself."""
    key = draft.input_key(name)

    def typed() -> None:
        draft.own[name] = st.session_state[key]

    st.text_input(label, value, key=key, on_change=typed)


def _choose_combine(draft: Draft, value: str) -> None:
    key = draft.input_key("combine")

    def chosen() -> None:
        draft.own["combine"] = st.session_state[key] or value

    st.segmented_control("Axes together", list(_COMBINE), default=value, format_func=_COMBINE.__getitem__, key=key, on_change=chosen)


def _grid(draft: Draft, fields: Sequence[Field], faults: Faults, width: int) -> None:
    for start in range(0, len(fields), width):
        columns = st.columns(width)
        for column, field in zip(columns, fields[start : start + width], strict=False):
            with column:
                _input(draft, field)
                draw_note(faults.get(field.key, ()), f"changed, was {field.origin}" if field.changed else "")


def _input(draft: Draft, field: Field) -> None:
    key = draft.input_key(field.key)

    def typed() -> None:
        draft.texts[field.key] = st.session_state[key] or ""

    label = field.title if not field.unit or field.unit in field.title.lower() else f"{field.title}, {field.unit}"
    if field.shape.options:
        options = list(dict.fromkeys([*field.shape.options, field.text]))
        help_text = f"{field.help} Choose, or type several."
        st.selectbox(label, options, options.index(field.text), key=key, help=help_text, on_change=typed, accept_new_options=True)
    else:
        st.text_input(label, field.text, key=key, help=field.help or None, on_change=typed)


def draw_note(faults: Sequence[FieldError], changed: str = "") -> None:
    """What stands below a field: its faults, or a word about its value."""
    if faults:
        st.html(tag("div", *[fault_words(fault) for fault in faults], class_="tau-fault", role="alert"))
    elif changed:
        st.html(tag("div", changed, class_="tau-changed"))


def fault_words(fault: FieldError, *, path: bool = False) -> Html:
    """What is wrong and the remedy; with its path where it stands at no field."""
    where = tag("code", fault.path) if path else None
    return tag("p", tag("span", where, " " if path else None, f"{fault.message}. ", tag("span", fault.remedy, class_="tau-quiet")))


def draw_faults(faults: Sequence[FieldError]) -> None:
    """Faults that belong to no field; their place is kept while there are none, so that nothing below is drawn anew."""
    with st.container():
        if faults:
            st.html(tag("div", *[fault_words(fault, path=True) for fault in faults], class_="tau-fault", role="alert"))
