"""Launching, watching, pausing, stopping and deleting experiments."""

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import FileResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.background import BackgroundTask

from backend.api.parameters import Id, IdempotencyKey, IfNoneMatch, UsesContext, matches
from backend.services import curves, experiments, export, launch, retention
from backend.services.stream import ExperimentStream, follow
from tauscope.contracts.experiments import Curves, ExperimentCreate, ExperimentPage, ExperimentView, PriorityChange
from tauscope.contracts.retention import PruneReport, PruneRequest
from tauscope.contracts.runs import RunState
from tauscope.contracts.summary import ExperimentSummary

router = APIRouter(prefix="/experiments", tags=["experiments"])

Metrics = Annotated[
    str | None, Query(pattern=r"^[A-Za-z0-9_@.,-]+$", max_length=4000, description="metric names, separated by commas; all by default")
]
Cursor = Annotated[str | None, Query(max_length=20_000, description="where to go on; Last-Event-ID has precedence")]
LastEventId = Annotated[str | None, Header(max_length=20_000)]


@router.post("", status_code=201)
def create_experiment(
    context: UsesContext, request: ExperimentCreate, response: Response, idempotency_key: IdempotencyKey = None
) -> ExperimentView:
    """Launch a preset or a sweep. With an Idempotency-Key, repeating the request returns the same experiment."""
    created = launch.launch(context, request, idempotency_key)
    response.headers["Location"] = f"/api/v1/experiments/{created.experiment_id}"
    response.headers["Idempotency-Replayed"] = str(created.replayed).lower()
    return experiments.view(context, created.experiment_id)


@router.get("")
def list_experiments(
    context: UsesContext,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9a-z]{1,32}$", description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    state: RunState | None = None,
) -> ExperimentPage:
    """Experiments, newest first."""
    return experiments.page(context, cursor=cursor, limit=limit, state=state)


@router.get("/{experiment_id}")
def get_experiment(context: UsesContext, experiment_id: Id) -> ExperimentView:
    """One experiment with its runs and fits."""
    return experiments.view(context, experiment_id)


@router.post("/{experiment_id}/stop")
def stop_experiment(context: UsesContext, experiment_id: Id) -> ExperimentView:
    """Ask every run to stop; one that computes does so within seconds."""
    return experiments.stop(context, experiment_id)


@router.post("/{experiment_id}/pause")
def pause_experiment(context: UsesContext, experiment_id: Id) -> ExperimentView:
    """Ask every run to pause; one that computes writes a checkpoint and does so within seconds."""
    return experiments.pause(context, experiment_id)


@router.post("/{experiment_id}/resume")
def resume_experiment(context: UsesContext, experiment_id: Id) -> ExperimentView:
    """Let every paused run go on from its checkpoint, when a slot is free."""
    return experiments.resume(context, experiment_id)


@router.put("/{experiment_id}/priority")
def set_priority(context: UsesContext, experiment_id: Id, change: PriorityChange) -> ExperimentView:
    """Change the priority of every run that is not over; it counts when a slot is next free."""
    return experiments.set_priority(context, experiment_id, change.priority)


@router.post("/{experiment_id}/prune")
def prune_experiment(context: UsesContext, experiment_id: Id, request: PruneRequest) -> PruneReport:
    """Drop the checkpoints that nobody needs, of every run; by default only say which. Samples and points stay."""
    return retention.prune_experiment(context, experiment_id, dry_run=request.dry_run)


@router.delete("/{experiment_id}", status_code=204)
def delete_experiment(context: UsesContext, experiment_id: Id) -> None:
    """Delete an experiment that is over, with every file that no other experiment refers to."""
    experiments.delete(context, experiment_id)


@router.get("/{experiment_id}/summary")
def get_summary(context: UsesContext, experiment_id: Id) -> ExperimentSummary:
    """The result in one object, as `tauscope run --json` prints it."""
    return experiments.summary(context, experiment_id)


@router.get("/{experiment_id}/curves", responses={200: {"model": Curves}, 304: {"description": "Unchanged"}})
def get_curves(context: UsesContext, experiment_id: Id, metrics: Metrics = None, if_none_match: IfNoneMatch = None) -> Response:
    """All curves, columnar, with the cursor from which the event stream goes on."""
    names = metrics.split(",") if metrics is not None else None
    headers = {"ETag": curves.curves_etag(context, experiment_id, names), "Cache-Control": "private, no-cache"}
    if matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(curves.curves_json(context, experiment_id, names), headers=headers, media_type="application/json")


def _open_stream(context: UsesContext, experiment_id: Id, cursor: Cursor = None, last_event_id: LastEventId = None) -> ExperimentStream:
    return ExperimentStream.open(context, experiment_id, last_event_id or cursor)


@router.get("/{experiment_id}/events", response_class=EventSourceResponse)
async def stream_events(context: UsesContext, stream: Annotated[ExperimentStream, Depends(_open_stream)]) -> AsyncIterable[ServerSentEvent]:
    """Server-sent events `points`, `rewind`, `run` and `experiment`; see `tauscope.contracts.stream` for their data."""
    async for event in follow(context, stream):
        yield event


@router.get("/{experiment_id}/export", response_class=FileResponse)
def export_experiment(context: UsesContext, experiment_id: Id) -> FileResponse:
    """Everything in one zip file, in the layout of `tauscope run --out`."""
    path = export.export(context, experiment_id)
    name = f"tauscope-{experiment_id}.zip"
    return FileResponse(path, media_type="application/zip", filename=name, background=BackgroundTask(path.unlink))
