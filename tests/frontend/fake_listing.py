"""The stand-in's list of experiments: filters, counts, tags, the archive, deletion."""

from typing import Protocol

from fastapi import FastAPI, Query

from frontend.markup.state import is_live, status_of
from tauscope.contracts.experiments import ExperimentPage, ExperimentView
from tauscope.contracts.listing import ArchiveChange, DeletionPreview, ExperimentCensus, TagsChange
from tauscope.contracts.runs import RunState
from tests.frontend import fake_world as world


class Listed(Protocol):
    """What the list needs of the stand-in's state."""

    archived: set[str]
    deleted: set[str]
    tags: dict[str, tuple[str, ...]]

    def experiment(self, identifier: str) -> ExperimentView: ...
    def experiments(self) -> tuple[ExperimentView, ...]: ...
    def ordered(self, view: ExperimentView) -> ExperimentView: ...


def in_state(view: ExperimentView, state: str) -> bool:
    """Whether the list shows an experiment under a filter of its address."""
    if state == "attention":
        return view.state is RunState.FAILED or status_of(view).stale
    return is_live(view) if state == "live" else state in ("", "all", view.state)


def add_listing(app: FastAPI, state: Listed) -> None:
    """The routes of the list."""

    @app.get("/api/v1/experiments")
    def experiments(
        limit: int = 20, cursor: str = "0", q: str = "", archived: bool = False, asked: str = Query("", alias="state")
    ) -> ExperimentPage:
        named = [state.ordered(view) for view in state.experiments() if q.lower() in view.name.lower()]
        found = [view for view in named if view.archived == archived and in_state(view, asked)]
        end = int(cursor) + limit
        return ExperimentPage(items=tuple(found[int(cursor) : end]), next_cursor=str(end) if end < len(found) else None, total=len(found))

    @app.get("/api/v1/experiments/census")
    def census() -> ExperimentCensus:
        found = [state.ordered(view) for view in state.experiments()]
        states = ("all", "live", "attention", "finished")
        counts = {name: sum(not view.archived and in_state(view, name) for view in found) for name in states}
        tags = dict.fromkeys((tag for view in found for tag in view.tags), 1)
        return ExperimentCensus(counts=counts | {"archived": len(state.archived)}, tags=tags, datasets={"digits": len(found)})

    @app.put("/api/v1/experiments/{identifier}/tags")
    def set_tags(identifier: str, change: TagsChange) -> ExperimentView:
        state.tags[identifier] = change.tags
        return state.ordered(state.experiment(identifier))

    @app.put("/api/v1/experiments/{identifier}/archived")
    def set_archived(identifier: str, change: ArchiveChange) -> ExperimentView:
        (state.archived.add if change.archived else state.archived.discard)(identifier)
        return state.ordered(state.experiment(identifier))

    @app.get("/api/v1/experiments/{identifier}/deletion")
    def preview_deletion(identifier: str) -> DeletionPreview:
        return world.deletion_preview()

    @app.delete("/api/v1/experiments/{identifier}", status_code=204)
    def delete(identifier: str) -> None:
        state.deleted.add(identifier)
