"""Launching, watching, pausing, stopping and deleting experiments."""

from collections.abc import AsyncIterable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import FileResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.background import BackgroundTask

from backend.api.parameters import Id, IdempotencyKey, IfNoneMatch, UsesContext, matches
from backend.services import comparing, curves, experiments, export, growing, launch, listing, retention, tables
from backend.services.stream import ExperimentStream, follow
from tauscope.contracts.comparison import LawComparison
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentCreate, ExperimentPage, ExperimentView, Plan
from tauscope.contracts.growing import SweepGrowth
from tauscope.contracts.listing import ArchiveChange, DeletionPreview, ExperimentCensus, ListState, TagsChange
from tauscope.contracts.retention import PruneReport, PruneRequest
from tauscope.contracts.run_views import PriorityChange
from tauscope.contracts.summary import ExperimentSummary

router = APIRouter(prefix="/experiments", tags=["experiments"])

Metrics = Annotated[
    str | None, Query(pattern=r"^[A-Za-z0-9_@.,-]+$", max_length=4000, description="metric names, separated by commas; all by default")
]
Other = Annotated[str, Query(alias="with", pattern=r"^[0-9a-z]{1,32}$", description="id of the second experiment")]
Words = Annotated[str, Query(max_length=200, description="words of the name, tag or data set, and settings: digits n = 16, lr < 0.01")]
DataName = Annotated[str | None, Query(max_length=80, description="name of a data set")]
TagName = Annotated[str | None, Query(max_length=40)]
Cursor = Annotated[str | None, Query(max_length=20_000, description="where to go on; Last-Event-ID has precedence")]
LastEventId = Annotated[str | None, Header(max_length=20_000)]
Accept = Annotated[str, Header(max_length=2000)]


@router.post("", status_code=201)
def create_experiment(
    context: UsesContext, request: ExperimentCreate, response: Response, idempotency_key: IdempotencyKey = None
) -> ExperimentView:
    """Launch a preset or a sweep. With an Idempotency-Key, repeating the request returns the same experiment."""
    created = launch.launch(context, request, idempotency_key)
    response.headers["Location"] = f"/api/v1/experiments/{created.experiment_id}"
    response.headers["Idempotency-Replayed"] = str(created.replayed).lower()
    return experiments.view(context, created.experiment_id)


@router.post("/{experiment_id}/runs/plan")
def plan_growth(context: UsesContext, experiment_id: Id, request: SweepGrowth) -> Plan:
    """The runs that a larger sweep would add to an experiment; adds nothing."""
    return growing.plan_growth(context, experiment_id, request)


@router.post("/{experiment_id}/runs", status_code=201)
def add_runs(context: UsesContext, experiment_id: Id, request: SweepGrowth) -> ExperimentView:
    """Add runs to an experiment, also one that is over: its sweep becomes a larger one, and the runs it has stay as they are."""
    growing.add_runs(context, experiment_id, request)
    return experiments.view(context, experiment_id)


@router.get("")
def list_experiments(
    context: UsesContext,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9a-z]{1,32}$", description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    state: ListState | None = None,
    q: Words = "",
    data: DataName = None,
    tag: TagName = None,
    archived: Annotated[bool, Query(description="those that were put away, and no others")] = False,
    final: Annotated[bool, Query(description="with each run's last values, most of the answer")] = True,
) -> ExperimentPage:
    """Experiments, newest first; those that were put away only when asked for."""
    wanted = listing.make_filter(query=q, state=state, data=data, tag=tag, archived=archived)
    return listing.page(context, wanted, cursor=cursor, limit=limit, final=final)


@router.get("/census")
def count_experiments(context: UsesContext, q: Words = "", data: DataName = None, tag: TagName = None) -> ExperimentCensus:
    """How many experiments there are in each state, and the tags and data sets to filter by."""
    return listing.census(context, query=q, data=data, tag=tag)


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


@router.put("/{experiment_id}/tags")
def set_tags(context: UsesContext, experiment_id: Id, change: TagsChange) -> ExperimentView:
    """Give an experiment these tags and no others."""
    return listing.set_tags(context, experiment_id, change.tags)


@router.put("/{experiment_id}/archived")
def set_archived(context: UsesContext, experiment_id: Id, change: ArchiveChange) -> ExperimentView:
    """Put an experiment that is over away, or take it out again; nothing of it is lost."""
    return listing.set_archived(context, experiment_id, change.archived)


@router.get("/{experiment_id}/deletion")
def preview_deletion(context: UsesContext, experiment_id: Id) -> DeletionPreview:
    """What DELETE would remove; removes nothing."""
    return listing.preview_deletion(context, experiment_id)


@router.delete("/{experiment_id}", status_code=204)
def delete_experiment(context: UsesContext, experiment_id: Id) -> None:
    """Delete an experiment that is over, with every file that no other experiment refers to."""
    experiments.delete(context, experiment_id)


@router.get("/{experiment_id}/summary")
def get_summary(context: UsesContext, experiment_id: Id) -> ExperimentSummary:
    """The result in one object, as `tauscope run --json` prints it."""
    return experiments.summary(context, experiment_id)


@router.get("/{experiment_id}/law/compare")
def compare_laws(context: UsesContext, experiment_id: Id, other: Other) -> LawComparison:
    """Whether the exponents of two experiments differ: difference with 95 % interval and p-value, or why they cannot be compared."""
    return comparing.compare(context, experiment_id, other)


MaxPoints = Annotated[
    int | None,
    Query(ge=8, le=100_000, description="at most so many points a series: extremes in log tau, gaps and breaks are kept; all by default"),
]
_CURVES: dict[int | str, dict[str, Any]] = {
    200: {"model": Curves, "content": {tables.ARROW: {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "Unchanged"},
}
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, 304: {"description": "Unchanged"}}


@router.get("/{experiment_id}/curves", responses=_CURVES)
def get_curves(
    context: UsesContext,
    experiment_id: Id,
    metrics: Metrics = None,
    max_points: MaxPoints = None,
    accept: Accept = "",
    if_none_match: IfNoneMatch = None,
) -> Response:
    """All curves, columnar, with the cursor from which the event stream goes on; as an Arrow stream if `Accept` names it."""
    query = curves.CurvesQuery(experiment_id, tuple(metrics.split(",")) if metrics is not None else None, max_points)
    if tables.ARROW in accept:
        return _conditional(context, query, tables.ARROW, if_none_match, lambda: tables.as_arrow(tables.curve_table(context, query)))
    return _conditional(context, query, "application/json", if_none_match, lambda: curves.curves_json(context, query))


@router.get("/{experiment_id}/curves.csv", responses=_CSV, response_class=Response)
def get_curves_csv(context: UsesContext, experiment_id: Id, metrics: Metrics = None, if_none_match: IfNoneMatch = None) -> Response:
    """Every point as measured: n, run, seed, metric, tau, value, low, high, count, reason."""
    query = curves.CurvesQuery(experiment_id, tuple(metrics.split(",")) if metrics is not None else None)
    return _conditional(context, query, "text/csv", if_none_match, lambda: tables.as_csv(tables.curve_table(context, query)))


@router.get("/{experiment_id}/onsets.csv", responses=_CSV, response_class=Response)
def get_onsets_csv(context: UsesContext, experiment_id: Id, if_none_match: IfNoneMatch = None) -> Response:
    """Both onsets of every run: n, run, seed, onset, status, tau, low, high, metric, level, reason."""
    query = curves.CurvesQuery(experiment_id, ("onsets",))
    return _conditional(context, query, "text/csv", if_none_match, lambda: tables.as_csv(tables.onset_table(context, experiment_id)))


def _conditional(
    context: UsesContext, query: curves.CurvesQuery, media_type: str, if_none_match: str | None, body: Callable[[], bytes]
) -> Response:
    """The body, or 304 where the reader holds it: nothing flushed since it was made."""
    headers = {"ETag": curves.curves_etag(context, query, media_type), "Cache-Control": "private, no-cache", "Vary": "Accept"}
    if matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body(), headers=headers, media_type=media_type)


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
