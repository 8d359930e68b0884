"""Single runs: their state and events, and samples."""

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from backend.api.parameters import CheckpointStep, Id, IfNoneMatch, Step, UsesContext, matches
from backend.services import experiments, retention, samples, twins
from backend.services.checkpoint_file import checkpoint_file
from tauscope.contracts.retention import PruneReport, PruneRequest, RunCheckpoints
from tauscope.contracts.run_views import AttemptView, PriorityChange, RunEventView, RunExtension, RunView
from tauscope.contracts.samples import SamplesView

router = APIRouter(prefix="/runs/{run_id}", tags=["runs"])


@router.get("")
def get_run(context: UsesContext, run_id: Id) -> RunView:
    """One run."""
    return experiments.run(context, run_id)


@router.post("/stop")
def stop_run(context: UsesContext, run_id: Id) -> RunView:
    """Ask a run to stop; one that computes does so within seconds."""
    return experiments.stop_run(context, run_id)


@router.post("/pause")
def pause_run(context: UsesContext, run_id: Id) -> RunView:
    """Ask a run to pause; one that computes writes a checkpoint and does so within seconds."""
    return experiments.pause_run(context, run_id)


@router.post("/resume")
def resume_run(context: UsesContext, run_id: Id) -> RunView:
    """Let a paused run go on from its checkpoint, when a slot is free; or one that its policy stopped, in spite of it."""
    return experiments.resume_run(context, run_id)


@router.post("/extend")
def extend_run(context: UsesContext, run_id: Id, extension: RunExtension) -> RunView:
    """Let a finished or stopped run go on from its last checkpoint, to more steps."""
    return experiments.extend_run(context, run_id, extension.steps)


@router.post("/twin", responses={201: {"model": RunView}})
def add_twin(context: UsesContext, run_id: Id, response: Response) -> RunView:
    """The same run on a disjoint slice of the data and from other weights; it is added to the experiment unless it is there."""
    twin, added = twins.add_twin(context, run_id)
    response.status_code = 201 if added else 200
    return twin


@router.put("/priority")
def set_run_priority(context: UsesContext, run_id: Id, change: PriorityChange) -> RunView:
    """Change the priority of a run that is not over; it counts when a slot is next free."""
    return experiments.set_run_priority(context, run_id, change.priority)


@router.get("/events")
def list_run_events(context: UsesContext, run_id: Id) -> tuple[RunEventView, ...]:
    """Why the run changed its state, in order."""
    return experiments.run_events(context, run_id)


@router.get("/attempts")
def list_run_attempts(context: UsesContext, run_id: Id) -> tuple[AttemptView, ...]:
    """Who computed the run from which step to which, and how each attempt ended, in order."""
    return experiments.run_attempts(context, run_id)


@router.get("/checkpoints")
def list_checkpoints(context: UsesContext, run_id: Id) -> RunCheckpoints:
    """Every checkpoint with its size and why pruning would keep it, and the one that is recommended."""
    return retention.checkpoints(context, run_id)


@router.get("/checkpoints/{step}.zip", response_class=FileResponse)
def get_checkpoint(context: UsesContext, run_id: Id, step: CheckpointStep) -> FileResponse:
    """A checkpoint as a zip file of two: weights (safetensors) and training state (JSON); 409 if it was pruned."""
    made = checkpoint_file(context, run_id, step)
    return FileResponse(made.path, media_type="application/zip", filename=made.name, background=BackgroundTask(made.path.unlink))


@router.put("/checkpoints/{step}/pin")
def pin_checkpoint(context: UsesContext, run_id: Id, step: CheckpointStep) -> RunCheckpoints:
    """Keep a checkpoint whatever retention says."""
    return retention.set_pin(context, run_id, step, pinned=True)


@router.delete("/checkpoints/{step}/pin")
def unpin_checkpoint(context: UsesContext, run_id: Id, step: CheckpointStep) -> RunCheckpoints:
    """Let retention decide about a checkpoint again."""
    return retention.set_pin(context, run_id, step, pinned=False)


@router.post("/prune")
def prune_run(context: UsesContext, run_id: Id, request: PruneRequest) -> PruneReport:
    """Drop the checkpoints that nobody needs; by default only say which. Samples and points stay."""
    return retention.prune_run(context, run_id, dry_run=request.dry_run)


@router.get("/samples/{step}", responses={200: {"model": SamplesView}, 304: {"description": "Unchanged"}})
def get_samples(context: UsesContext, run_id: Id, step: Step, if_none_match: IfNoneMatch = None) -> Response:
    """The samples of a checkpoint with their two nearest distinct training images."""
    headers = {"ETag": samples.samples_etag(context, run_id, step), "Cache-Control": "private, no-cache"}
    if matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(samples.samples(context, run_id, step).model_dump_json(), headers=headers, media_type="application/json")
