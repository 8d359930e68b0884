"""Checkpoints: listing, pinning, and pruning those that nobody needs."""

from collections.abc import Sequence

import structlog
from sqlalchemy.orm import Session

from backend.services.context import Context
from backend.services.errors import UnknownCheckpointError
from backend.services.experiments import required, required_run
from backend.storage import garbage, retention
from backend.storage.flush import read_points
from backend.storage.reading import reading
from backend.storage.retention import CheckpointFile
from backend.storage.tables import Run
from tauscope.analysis.recommendation import recommend
from tauscope.analysis.retention import reasons_to_keep
from tauscope.contracts.onsets import Onset
from tauscope.contracts.retention import CheckpointView, GarbageReport, KeptCheckpoint, PrunedRun, PruneReport, RunCheckpoints
from tauscope.contracts.runs import TERMINAL_STATES

log = structlog.get_logger()

_Reasons = dict[int, tuple[str, ...]]


def checkpoints(context: Context, run_id: str) -> RunCheckpoints:
    """Every checkpoint of a run, and why pruning would keep it."""
    with reading(context.sessions) as session:
        run = required_run(session, run_id)
        files = retention.checkpoint_files(session, [run_id])
        reasons = _reasons(session, run, files)
        pinned = retention.pinned_steps(session, run_id)
        recommendation = recommend(read_points(session, run_id), _onsets(run))
    sizes = {step: sum(file.n_bytes for file in files if file.step == step) for step in reasons}
    views = (CheckpointView(step=step, n_bytes=sizes[step], pinned=step in pinned, kept=why) for step, why in reasons.items())
    return RunCheckpoints(run_id=run_id, recommendation=recommendation, checkpoints=tuple(views))


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
    return _prune(context, run_ids, dry_run=dry_run)


def prune_run(context: Context, run_id: str, *, dry_run: bool) -> PruneReport:
    """Drop, or say what would be dropped of, the checkpoints of a run."""
    with reading(context.sessions) as session:
        required_run(session, run_id)
    return _prune(context, [run_id], dry_run=dry_run)


def collect_garbage(context: Context, *, dry_run: bool) -> GarbageReport:
    """Remove, or count, the files that no run refers to and that are past the grace age."""
    found = garbage.collect(context.sessions, context.artifacts, dry_run=dry_run)
    return GarbageReport(dry_run=dry_run, rows=found.rows, files=found.files, n_bytes=found.n_bytes)


def _prune(context: Context, run_ids: Sequence[str], *, dry_run: bool) -> PruneReport:
    if dry_run:
        with reading(context.sessions) as session:
            return _report(session, [required_run(session, run_id) for run_id in run_ids], dry_run=True)
    with context.sessions.begin() as session:
        report = _report(session, retention.lock_runs(session, run_ids), dry_run=False)
        unreferenced = [
            sha256 for run in report.runs if run.dropped for sha256 in retention.drop_checkpoints(session, run.run_id, run.dropped)
        ]
    garbage.discard(context.sessions, context.artifacts, unreferenced)
    log.info("checkpoints_pruned", runs=len(report.runs), artifacts=len(unreferenced), n_bytes=report.bytes_freed)
    return report


def _report(session: Session, runs: Sequence[Run], *, dry_run: bool) -> PruneReport:
    files = retention.checkpoint_files(session, [run.id for run in runs])
    reasons = {run.id: _reasons(session, run, [file for file in files if file.run_id == run.id]) for run in runs}
    freed = retention.bytes_freed(files, {run_id: [step for step, why in found.items() if not why] for run_id, found in reasons.items()})
    pruned = tuple(_pruned(run, reasons[run.id], freed[run.id]) for run in sorted(runs, key=lambda run: run.index))
    return PruneReport(dry_run=dry_run, runs=pruned, bytes_freed=sum(freed.values()))


def _pruned(run: Run, reasons: _Reasons, freed: int) -> PrunedRun:
    kept = tuple(KeptCheckpoint(step=step, reasons=why) for step, why in reasons.items() if why)
    dropped = tuple(step for step, why in reasons.items() if not why)
    return PrunedRun(run_id=run.id, label=run.label, kept=kept, dropped=dropped, bytes_freed=freed)


def _reasons(session: Session, run: Run, files: Sequence[CheckpointFile]) -> _Reasons:
    return reasons_to_keep(
        {file.step for file in files},
        read_points(session, run.id),
        _onsets(run),
        pinned=retention.pinned_steps(session, run.id),
        awaited=retention.awaited_steps(session, run.id),
        resume_from=run.checkpoint_step,
        over=run.state in TERMINAL_STATES,
    )


def _onsets(run: Run) -> dict[str, Onset]:
    return {name: Onset.model_validate(onset) for name, onset in run.onsets.items()}
