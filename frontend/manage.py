"""Putting an experiment in order: its tags, the archive, and deletion with what it would remove."""

from collections.abc import Sequence

import streamlit as st

from frontend.markup.state import is_live
from frontend.navigation import open_page
from frontend.page import api_errors, client
from frontend.words import plural
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.listing import DeletionPreview
from tauscope.contracts.storage import size_words


def manage(experiment: ExperimentView, known_tags: Sequence[str]) -> None:
    """Open the dialog of an experiment."""
    st.dialog(experiment.name)(_dialog)(experiment, known_tags)


def _dialog(experiment: ExperimentView, known_tags: Sequence[str]) -> None:
    if st.button("Launch a copy"):
        open_page("launch", **{"from": experiment.id})
    _tags(experiment, known_tags)
    if is_live(experiment):
        st.markdown("It can be archived or deleted when every run is over: stop it first.")
        return
    _archive(experiment)
    _delete(experiment)


def _tags(experiment: ExperimentView, known_tags: Sequence[str]) -> None:
    with st.form("tags", border=False):
        text = st.text_input("Tags, separated by commas", ", ".join(experiment.tags), help=f"In use: {', '.join(known_tags) or 'none yet'}")
        if st.form_submit_button("Save tags"):
            with api_errors():
                client().set_tags(experiment.id, [tag.strip() for tag in text.split(",") if tag.strip()])
            st.rerun()


def _archive(experiment: ExperimentView) -> None:
    words = "Take out of the archive" if experiment.archived else "Archive"
    st.caption("An archived experiment keeps everything; the list shows it only under Archived.")
    if st.button(words):
        with api_errors():
            client().set_archived(experiment.id, not experiment.archived)
        st.rerun()


def _delete(experiment: ExperimentView) -> None:
    with api_errors():
        preview = client().preview_deletion(experiment.id)
    st.markdown(f"Deleting it removes {removal_words(preview)}. This cannot be undone.")
    sure = st.checkbox("I want it deleted")
    if st.button(f"Delete {plural(preview.runs, 'run')}", disabled=not sure):
        with api_errors():
            client().delete(experiment.id)
        st.rerun()


def removal_words(preview: DeletionPreview) -> str:
    """What goes, and what stays because others refer to it."""
    goes = (
        f"{plural(preview.runs, 'run')} with {plural(preview.points, 'measured number')}, "
        f"{plural(preview.checkpoints, 'checkpoint')}, samples of {preview.samples:,}, "
        f"{plural(preview.files, 'file')} of {size_words(preview.n_bytes)}"
    )
    kept = f"; {plural(preview.shared_files, 'file')} that other experiments refer to stay" if preview.shared_files else ""
    return goes + kept
