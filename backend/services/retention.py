"""Checkpoints: listing, pinning, and pruning those that nobody needs."""

from backend.services.context import Context
from backend.services.errors import UnknownCheckpointError
from backend.services.experiments import required, required_run
from backend.storage import garbage, retention
from backend.storage.flush import read_points
from backend.storage.forecasts import shown_forecast
from backend.storage.pruning import onsets_of, prune, why_kept
from backend.storage.reading import reading
from tauscope.analysis.recommendation import recommend
from tauscope.analysis.stopping import warnings
from tauscope.contracts.retention import CheckpointView, GarbageReport, PruneReport, RunCheckpoints
from tauscope.specs import KINDS


def checkpoints(context: Context, run_id: str) -> RunCheckpoints:
    """Every checkpoint of a run, and why pruning would keep it."""
    with reading(context.sessions) as session:
        run = required_run(session, run_id)
        files = retention.checkpoint_files(session, [run_id])
        points = read_points(session, run_id)
        reasons = why_kept(session, run, files, points)
        pinned = retention.pinned_steps(session, run_id)
        spec = KINDS[run.spec["kind"]].model_validate(run.spec)
        recommendation, warned = recommend(points, onsets_of(run), shown_forecast(session, run_id)), warnings(spec, points)
    sizes = {step: sum(file.n_bytes for file in files if file.step == step) for step in reasons}
    views = (CheckpointView(step=step, n_bytes=sizes[step], pinned=step in pinned, kept=why) for step, why in reasons.items())
    return RunCheckpoints(run_id=run_id, recommendation=recommendation, warnings=warned, checkpoints=tuple(views))


def set_pin(context: Context, run_id: str, step: int, *, pinned: bool) -> RunCheckpoints:
    """Keep a checkpoint whatever retention says, or no longer.

    Raises:
        UnknownCheckpointError: if there is none at this step to pin.
    """
    with context.sessions.begin() as session:
        required_run(session, run_id)
        steps = sorted({file.step for file in retention.checkpoint_files(session, [run_id])})
        if pinned and step not in steps:
            there = ", ".join(map(str, steps)) or "none"
            raise UnknownCheckpointError(f"Run {run_id} has no checkpoint at step {step}", f"It has those of: {there}")
        retention.set_pin(session, run_id, step, pinned=pinned)
    return checkpoints(context, run_id)


def prune_experiment(context: Context, experiment_id: str, *, dry_run: bool) -> PruneReport:
    """Drop, or say what would be dropped of, the checkpoints of an experiment."""
    with reading(context.sessions) as session:
        run_ids = [run.id for run in required(session, experiment_id).experiment.runs]
    return prune(context.sessions, context.artifacts, run_ids, dry_run=dry_run)


def prune_run(context: Context, run_id: str, *, dry_run: bool) -> PruneReport:
    """Drop, or say what would be dropped of, the checkpoints of a run."""
    with reading(context.sessions) as session:
        required_run(session, run_id)
    return prune(context.sessions, context.artifacts, [run_id], dry_run=dry_run)


def collect_garbage(context: Context, *, dry_run: bool) -> GarbageReport:
    """Remove, or count, the files that no run refers to and that are past the grace age."""
    found = garbage.collect(context.sessions, context.artifacts, dry_run=dry_run)
    return GarbageReport(dry_run=dry_run, rows=found.rows, files=found.files, n_bytes=found.n_bytes)
