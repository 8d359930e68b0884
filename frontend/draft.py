"""What is typed on the launch page, kept for the session: one draft for each preset, clone or fork, as a form or as YAML."""

from dataclasses import dataclass, field
from typing import Any, Literal

import streamlit as st

from tauscope.contracts.problems import FieldError
from tauscope.contracts.runs import DEFAULT_QUEUE

Mode = Literal["form", "yaml"]
_DRAFTS = "launch-drafts"


@dataclass
class Draft:
    """A sweep being edited.

    ``origin`` is what changes are told against, ``start`` what the fields were last filled from, ``texts`` what was typed
    into them since, ``own`` what was typed for the sweep itself; ``priority`` and ``queue`` are for the service alone.
    ``filled`` counts the fillings: inputs carry it in their keys, so that they begin anew from the draft.
    """

    source: str
    origin: dict[str, Any]
    origin_yaml: str
    start: dict[str, Any]
    mode: Mode = "form"
    texts: dict[str, str] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    yaml: str = ""
    priority: int = 0
    queue: str = DEFAULT_QUEUE
    filled: int = 0
    stuck: FieldError | None = None

    def fill(self, start: dict[str, Any]) -> None:
        """Let the form begin from a document."""
        self.mode, self.start, self.texts, self.own = "form", start, {}, {}
        self.filled += 1

    def write(self, text: str) -> None:
        """Let the YAML begin from a text."""
        self.mode, self.yaml = "yaml", text
        self.filled += 1

    @property
    def touched(self) -> bool:
        """Whether there is anything to undo."""
        document = self.texts or self.own or self.start != self.origin or (self.mode == "yaml" and self.yaml != self.origin_yaml)
        return bool(document) or (self.priority, self.queue) != (0, DEFAULT_QUEUE)

    def undo(self) -> None:
        """Begin anew from the origin, in the same view."""
        self.start, self.texts, self.own, self.yaml, self.stuck = self.origin, {}, {}, self.origin_yaml, None
        self.priority, self.queue = 0, DEFAULT_QUEUE
        self.filled += 1

    def input_key(self, name: str) -> str:
        """The key of an input's widget."""
        return f"{self.source} {name} {self.filled}"


def find_draft(source: str) -> Draft | None:
    """The draft of a preset, clone or fork, if it was begun in this session."""
    drafts: dict[str, Draft] = st.session_state.get(_DRAFTS, {})
    return drafts.get(source)


def begin_draft(source: str, origin: dict[str, Any], origin_yaml: str) -> Draft:
    """A fresh draft, which takes the place of an earlier one."""
    drafts: dict[str, Draft] = st.session_state.setdefault(_DRAFTS, {})
    earlier = drafts.get(source)
    drafts[source] = Draft(source, origin, origin_yaml, origin, filled=earlier.filled + 1 if earlier else 0)
    return drafts[source]


def forget_draft(source: str) -> None:
    """Let the next visit begin anew."""
    st.session_state.get(_DRAFTS, {}).pop(source, None)
