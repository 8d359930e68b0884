"""What will run: a preset, a few fields or the whole sweep as YAML, and every run before it starts."""

import uuid
from typing import Any

import streamlit as st
import yaml
from streamlit.delta_generator import DeltaGenerator

from frontend import draft
from frontend.components import cards
from frontend.controls import choice, put
from frontend.markup.html import tag
from frontend.markup.launch import plan_summary, preset_cards
from frontend.navigation import open_page
from frontend.page import api_errors, client, notice, theme_name
from frontend.sweep_form import FormError, field_of, form_fields, settings_from
from frontend.theme import PALETTES
from frontend.words import plural
from tauscope.client import ApiError
from tauscope.contracts.experiments import ExperimentCreate, FieldError, Plan, PresetView

_VIEWS = {"form": "Form", "yaml": "YAML"}
Slots = dict[str, DeltaGenerator]


def choose() -> None:
    """Take a preset; what was typed for another one is left behind."""
    draft.forget()
    put("preset", st.session_state["cards"]["choose"])


def ask_plan(request: ExperimentCreate) -> tuple[Plan | None, list[FieldError]]:
    """What would run, or the faults by field."""
    with api_errors():
        try:
            return client().plan(request), []
        except ApiError as error:
            if not error.problem.errors:
                raise
            return None, list(error.problem.errors)


def edit_yaml(preset: PresetView) -> tuple[ExperimentCreate | None, list[FieldError]]:
    """The whole sweep as text."""
    base = draft.base()
    text = st.text_area(
        "Sweep",
        draft.as_yaml(base) if base else preset.yaml,
        height=460,
        key=f"{preset.name}-yaml-{draft.draft_round()}",
        label_visibility="collapsed",
    )
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return None, [FieldError(path="YAML", message=str(error), remedy="Mend the line it names")]
    if not isinstance(document, dict):
        return None, [FieldError(path="YAML", message="this is not a mapping of fields", remedy="Start from a preset")]
    return ExperimentCreate(sweep=document), []


def edit_form(preset: PresetView, slots: Slots) -> tuple[ExperimentCreate | None, list[FieldError]]:
    """The fields that matter most; the rest stays as the draft or the preset has it."""
    base = draft.base()
    unchanged = ExperimentCreate(sweep=base) if base else ExperimentCreate(preset=preset.name)
    known, faults = ask_plan(unchanged)
    if known is None:
        return None, faults
    columns = st.columns(2)
    texts = {}
    for position, field in enumerate(form_fields(known.sweep)):
        with columns[position % 2]:
            texts[field.key] = st.text_input(
                field.label, field.text, key=f"{preset.name}-{field.key}-{draft.draft_round()}", help=field.help
            )
            slots[field.key] = st.container()
    try:
        settings: dict[str, Any] = settings_from(known.sweep, texts)
    except FormError as error:
        return None, [error.error]
    return unchanged.model_copy(update={"settings": settings}), []


def show_faults(faults: list[FieldError], slots: Slots, elsewhere: DeltaGenerator) -> None:
    """Each fault at its field, with its path and the remedy; what belongs to no field below them all."""
    for fault in faults:
        with slots.get(field_of(fault.path, list(slots)) or "", elsewhere):
            notice(f"`{fault.path}`: {fault.message}", fault.remedy)


def launch(request: ExperimentCreate) -> None:
    """Start it and go to its page; a click that arrives twice starts one experiment."""
    key = st.session_state.setdefault("launch-key", uuid.uuid4().hex)
    with api_errors():
        created = client().launch(request, idempotency_key=key)
    del st.session_state["launch-key"]
    open_page("experiment", id=created.id)


st.markdown("# Launch")
with api_errors():
    # What can run here comes first.
    presets = sorted(client().presets(), key=lambda item: bool(item.requirements))
asked = st.query_params.get("preset", "digits-demo")
preset = next((item for item in presets if item.name == asked), presets[0])
cards({"html": preset_cards(presets, preset.name)}, choose=choose)

main, side = st.columns([1, 0.34], gap="medium")
slots: Slots = {}
with main, st.container(border=True, key="launch-form"):
    view = choice("view", "Edit as", _VIEWS, default="form", before=draft.change_view)
    request, faults = edit_yaml(preset) if view == "yaml" else edit_form(preset, slots)

plan: Plan | None = None
if request is not None:
    plan, faults = ask_plan(request)
show_faults(faults, slots, main)

with side, st.container(border=True, key="launch-summary"):
    if plan is not None and request is not None:
        if request.settings or request.sweep:
            draft.keep(plan.sweep)
        st.html(tag("div", plan_summary(plan, PALETTES[theme_name()]), class_="tau-root"))
        if st.button(f"Launch {plural(len(plan.runs), 'run')}", type="primary", width="stretch", shortcut="Ctrl+Enter"):
            launch(request)
    else:
        st.markdown("Nothing to launch until the fields are mended.")
