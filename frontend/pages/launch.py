"""What will run: a preset or an earlier experiment, every field of it or its YAML, and every run before it starts."""

import uuid
from collections.abc import Sequence

import streamlit as st

from frontend.components import cards, copying
from frontend.controls import choice, put
from frontend.draft import Draft, forget_draft
from frontend.form.document import YamlError, as_command, as_yaml, line_of, read_yaml
from frontend.form.form import Form, field_of, make_form
from frontend.form.service import draw_service, request_of, service_options
from frontend.form.widgets import draw_faults, draw_form
from frontend.launch_source import EARLIER, Source, draft_of, source_of
from frontend.markup.html import tag
from frontend.markup.launch import copy_buttons, launch_cards, plan_summary
from frontend.navigation import open_page
from frontend.page import api_errors, client
from frontend.words import plural
from tauscope.client import ApiError
from tauscope.contracts.experiments import ExperimentCreate, ExperimentView, Plan, PresetView
from tauscope.contracts.growing import SweepGrowth
from tauscope.contracts.launching import KindView
from tauscope.contracts.problems import FieldError
from tauscope.contracts.system import SystemView

_VIEWS = {"form": "Form", "yaml": "YAML"}
_OWN = ("name", "summary")


def choose() -> None:
    """Take a card; drafts of the others are kept."""
    parameter, _, value = st.session_state["cards"]["choose"].partition(":")
    for other in ("preset", *EARLIER, "data", "kind"):
        put(other, value if other == parameter else None)
    put("step", None)


def earlier_results(presets: Sequence[PresetView]) -> dict[str, ExperimentView]:
    """For each preset that was finished here, the newest such experiment; one that was deleted meanwhile is left out."""
    found = {}
    for preset in presets:
        if preset.measured:
            try:
                found[preset.name] = client().experiment(preset.measured)
            except ApiError:
                continue
    return found


def grown() -> str | None:
    """The experiment that shall get further runs, if the address names one."""
    return st.query_params.get("grow")


def ask_plan(sweep: dict[str, object]) -> tuple[Plan | None, list[FieldError]]:
    """What would run, or the faults by field."""
    identifier = grown()
    with api_errors():
        try:
            if identifier:
                return client().plan_growth(identifier, SweepGrowth(sweep=sweep)), []
            return client().plan(ExperimentCreate(sweep=sweep)), []
        except ApiError as error:
            if not error.problem.errors:
                raise
            return None, list(error.problem.errors)


def kind_of(sweep: dict[str, object], kinds: Sequence[KindView]) -> KindView:
    """The kind of a sweep's base; the first where it names none."""
    base = sweep.get("base")
    name = base.get("kind") if isinstance(base, dict) else None
    return next((kind for kind in kinds if kind.name == name), kinds[0])


def form_of(draft: Draft, kinds: Sequence[KindView]) -> Form:
    """The draft as a form."""
    form = make_form(kind_of(draft.start, kinds), draft.start, draft.origin, draft.texts)
    form.document.update(draft.own)
    return form


def to_yaml(draft: Draft, kinds: Sequence[KindView]) -> FieldError | None:
    """Let the YAML begin from the form; the fault where a field cannot be read."""
    form = form_of(draft, kinds)
    if form.faults:
        return form.faults[0]
    draft.write(draft.origin_yaml if form.document == draft.origin else as_yaml(form.document))
    return None


def to_form(draft: Draft) -> FieldError | None:
    """Let the form begin from the YAML; the fault where it is no sweep that fields can show."""
    try:
        document = read_yaml(draft.yaml)
    except YamlError as error:
        return error.error
    plan, _ = ask_plan(document)
    sweep = plan.sweep if plan else document
    if not isinstance(sweep.get("base"), dict):
        return FieldError(path="base", message="there is no base to fill the fields from", remedy="Add the base, as presets have it")
    draft.fill({"name": "", **sweep})
    return None


def change_view(draft: Draft, view: str, kinds: Sequence[KindView]) -> None:
    """Follow the viewer's choice, or stay where something typed would be lost, and say what."""
    if view == draft.mode:
        return
    draft.stuck = to_yaml(draft, kinds) if view == "yaml" else to_form(draft)
    if draft.stuck is not None:
        put("view", draft.mode, "form")
        st.rerun()


def edit_yaml(draft: Draft, system: SystemView) -> tuple[dict[str, object] | None, Plan | None, list[FieldError]]:
    """The whole sweep as text; faults carry the line."""
    key = draft.input_key("yaml")

    def typed() -> None:
        draft.yaml, draft.stuck = st.session_state[key], None

    st.text_area("Sweep", draft.yaml, height=520, key=key, on_change=typed, label_visibility="collapsed")
    st.caption("Ctrl+Enter checks it. Comments stay as long as you stay in the YAML; the form writes it anew without them.")
    try:
        document = read_yaml(draft.yaml)
    except YamlError as error:
        draw_faults([error.error])
        return None, None, [error.error, *draw_service(draft, system, summary=None)]
    plan, faults = ask_plan(document)
    draw_faults([with_line(draft.yaml, fault) for fault in faults])
    return document, plan, faults + draw_service(draft, system, summary=None)


def with_line(text: str, fault: FieldError) -> FieldError:
    """The fault with the line in which the YAML has its field."""
    line = line_of(text, fault.path)
    return fault.model_copy(update={"path": f"line {line}, {fault.path}"}) if line else fault


def edit_form(
    draft: Draft, kinds: Sequence[KindView], system: SystemView
) -> tuple[dict[str, object] | None, Plan | None, list[FieldError]]:
    """The sweep by its fields."""
    form = form_of(draft, kinds)
    plan, faults = (None, list(form.faults)) if form.faults else ask_plan(form.document)
    at_fields: dict[str, list[FieldError]] = {}
    elsewhere = []
    for fault in faults:
        field = field_of(fault, form.fields)
        if field is not None or fault.path in _OWN:
            at_fields.setdefault(field.key if field else fault.path, []).append(fault)
        else:
            elsewhere.append(fault)
    draw_faults(elsewhere)
    draw_form(draft, form, at_fields)
    summary = str(form.document.get("summary", ""))
    return form.document, plan, faults + draw_service(draft, system, summary=summary, faults=at_fields.get("summary", ()))


def launch(request: ExperimentCreate) -> None:
    """Start it and go to its page; a click that arrives twice starts one experiment."""
    held = st.session_state.get("launch-key")
    # A refusal of another request must not stand in the way of this one.
    if held is None or held[0] != request:
        held = st.session_state["launch-key"] = (request, uuid.uuid4().hex)
    with api_errors():
        created = client().launch(request, idempotency_key=held[1])
    del st.session_state["launch-key"]
    open_page("experiment", id=created.id)


def add_runs(identifier: str, growth: SweepGrowth) -> None:
    """Let the experiment grow, and go to its page."""
    with api_errors():
        client().add_runs(identifier, growth)
    forget_draft(f"grow:{identifier}")
    open_page("experiment", id=identifier)


def summarize(source: Source, draft: Draft, sweep: dict[str, object] | None, plan: Plan | None, faults: Sequence[FieldError]) -> None:
    """The sticky side: every run, how long, and the buttons."""
    if sweep is None or plan is None or faults:
        st.markdown(f"**Nothing to launch yet**  \n{plural(len(faults), 'fault')} to mend. What you typed is kept.")
    elif not plan.runs:
        st.markdown("**Nothing to add yet**  \nThe experiment has every run of this sweep. Add a value to an axis, for example a seed.")
    else:
        offer(source, draft, sweep, plan)
    if draft.touched:
        st.button("Undo all changes", on_click=draft.undo, type="tertiary")


def offer(source: Source, draft: Draft, sweep: dict[str, object], plan: Plan) -> None:
    """What would run, and the ways to start it."""
    identifier = grown()
    label = "These further runs" if identifier else "This launch"
    st.html(tag("div", plan_summary(plan, label=label), class_="tau-root"))
    if identifier:
        if st.button(f"Add {plural(len(plan.runs), 'run')}", type="primary", width="stretch", shortcut="Ctrl+Enter"):
            add_runs(identifier, SweepGrowth(sweep=sweep, priority=draft.priority, queue=draft.queue))
        return
    if st.button(f"Launch {plural(len(plan.runs), 'run')}", type="primary", width="stretch", shortcut="Ctrl+Enter"):
        launch(request_of(sweep, draft))
    preset = source.value if source.parameter == "preset" else None
    text = draft.yaml if draft.mode == "yaml" else as_yaml(sweep)
    command = as_command(plan.sweep, preset=preset, origin=draft.origin, further=service_options(draft))
    copying({"html": copy_buttons(text, command)})


main, side = st.columns([1, 0.4], gap="medium")
with main:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown("# Launch")
        view = choice("view", "Edit as", _VIEWS, default="form") or "form"
    with api_errors():
        # What can run here comes first.
        presets = sorted(client().presets(), key=lambda item: bool(item.requirements))
        kinds = client().kinds()
        source = source_of(st.query_params.to_dict(), presets, kinds)
        draft = draft_of(client(), source, presets, kinds)
        earlier, system = earlier_results(presets), client().system()
    change_view(draft, view, kinds)
    if source.note:
        st.markdown(source.note)
    cards({"html": launch_cards(presets, kinds, earlier, source)}, choose=choose)
    with st.container(border=True, key="launch-form"):
        draw_faults([draft.stuck] if draft.stuck else [])
        sweep, plan, faults = edit_yaml(draft, system) if draft.mode == "yaml" else edit_form(draft, kinds, system)

with side, st.container(border=True, key="launch-summary"):
    summarize(source, draft, sweep, plan, faults)
