"""What a launch says beside its sweep: which workers compute it and how soon."""

import re
from collections.abc import Sequence

import streamlit as st

from frontend.draft import Draft
from frontend.form.widgets import draw_note, draw_own
from tauscope.contracts.experiments import ExperimentCreate
from tauscope.contracts.problems import FieldError
from tauscope.contracts.runs import DEFAULT_QUEUE, QUEUE_PATTERN
from tauscope.contracts.system import SystemView

_LIMIT = 1000  # The contract's bound on a priority.


def request_of(sweep: dict[str, object], draft: Draft) -> ExperimentCreate:
    """The sweep with what was chosen for the service."""
    return ExperimentCreate(sweep=sweep, priority=draft.priority, queue=draft.queue)


def service_options(draft: Draft) -> list[str]:
    """What was chosen, as options of the command line; defaults are left out."""
    chosen = {"priority": (draft.priority, 0), "queue": (draft.queue, DEFAULT_QUEUE)}
    return [f"--{name} {value}" for name, (value, default) in chosen.items() if value != default]


def draw_service(draft: Draft, system: SystemView, *, summary: str | None, faults: Sequence[FieldError] = ()) -> list[FieldError]:
    """The folded fields; the fault where no queue can be called so. ``summary`` is ``None`` where the YAML has it."""
    fault = queue_fault(draft.queue)
    words = ", ".join([*(["summary"] if summary is not None else []), "priority", "queue"])
    changed = len(service_options(draft))
    title = f"Service ({words}" + (f"; {changed} changed)" if changed else ")")
    with st.expander(title, expanded=bool(fault or faults), key=draft.input_key("service")):
        if summary is not None:
            draw_own(draft, "summary", "Summary", summary)
            draw_note(faults)
        left, right = st.columns([1, 2])
        with left:
            _priority(draft)
        with right:
            _queue(draft, system, fault)
    return [fault] if fault else []


def _priority(draft: Draft) -> None:
    key = draft.input_key("priority")

    def typed() -> None:
        draft.priority = int(st.session_state[key] or 0)

    help_text = f"Runs of higher priority are computed first. From -{_LIMIT:,} to {_LIMIT:,}, default 0."
    st.number_input("Priority", -_LIMIT, _LIMIT, draft.priority, step=1, key=key, help=help_text, on_change=typed)


def _queue(draft: Draft, system: SystemView, fault: FieldError | None) -> None:
    key = draft.input_key("queue")

    def typed() -> None:
        draft.queue = st.session_state[key].strip() or DEFAULT_QUEUE

    served = sorted({queue for worker in system.workers for queue in worker.queues or (DEFAULT_QUEUE,)})
    help_text = f"Only workers that serve this queue compute the runs. Served now: {', '.join(served) or 'none'}."
    st.text_input("Queue", draft.queue, key=key, help=help_text, on_change=typed)
    unserved = "" if draft.queue in served else "No worker serves this queue now: the runs wait until one does."
    draw_note([fault] if fault else [], unserved)


def queue_fault(name: str) -> FieldError | None:
    """Why no queue can be called so."""
    if re.fullmatch(QUEUE_PATTERN, name):
        return None
    remedy = "Use at most 40 small letters, digits and hyphens, e.g. gpu"
    return FieldError(path="queue", message=f"{name!r} is no name of a queue", remedy=remedy)
