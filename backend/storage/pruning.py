"""Dropping the checkpoints that nobody needs, and saying what that frees."""

from collections.abc import Sequence

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from backend.storage import retention
from backend.storage.artifacts import ArtifactStore
from backend.storage.flush import read_points
from backend.storage.garbage import discard
from backend.storage.reading import reading
from backend.storage.refining import kept_until_refined
from backend.storage.retention import CheckpointFile
from backend.storage.tables import Run
from tauscope.analysis.retention import reasons_to_keep
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point
from tauscope.contracts.retention import KeptCheckpoint, PrunedRun, PruneReport
from tauscope.contracts.runs import TERMINAL_STATES

log = structlog.get_logger()

Reasons = dict[int, tuple[str, ...]]


def prune(sessions: sessionmaker[Session], store: ArtifactStore, run_ids: Sequence[str], *, dry_run: bool) -> PruneReport:
    """Drop the checkpoints of runs that no reason keeps, or only say which. Runs that are not there are passed over."""
    if dry_run:
        with reading(sessions) as session:
            return _report(session, list(session.scalars(select(Run).where(Run.id.in_(run_ids)))), dry_run=True)
    with sessions.begin() as session:
        report = _report(session, retention.lock_runs(session, run_ids), dry_run=False)
        unreferenced = [
            sha256 for run in report.runs if run.dropped for sha256 in retention.drop_checkpoints(session, run.run_id, run.dropped)
        ]
    discard(sessions, store, unreferenced)
    log.info("checkpoints_pruned", runs=len(report.runs), artifacts=len(unreferenced), n_bytes=report.bytes_freed)
    return report


def _report(session: Session, runs: Sequence[Run], *, dry_run: bool) -> PruneReport:
    files = retention.checkpoint_files(session, [run.id for run in runs])
    reasons = {
        run.id: why_kept(session, run, [file for file in files if file.run_id == run.id], read_points(session, run.id)) for run in runs
    }
    freed = retention.bytes_freed(files, {run_id: [step for step, why in found.items() if not why] for run_id, found in reasons.items()})
    pruned = tuple(_pruned(run, reasons[run.id], freed[run.id]) for run in sorted(runs, key=lambda run: run.index))
    return PruneReport(dry_run=dry_run, runs=pruned, bytes_freed=sum(freed.values()))


def _pruned(run: Run, reasons: Reasons, freed: int) -> PrunedRun:
    kept = tuple(KeptCheckpoint(step=step, reasons=why) for step, why in reasons.items() if why)
    dropped = tuple(step for step, why in reasons.items() if not why)
    return PrunedRun(run_id=run.id, label=run.label, kept=kept, dropped=dropped, bytes_freed=freed)


def why_kept(session: Session, run: Run, files: Sequence[CheckpointFile], points: Sequence[Point]) -> Reasons:
    """For each checkpoint of a run, by step, why it is kept; ``points`` are all of the run."""
    return reasons_to_keep(
        {file.step for file in files},
        points,
        onsets_of(run),
        pinned=retention.pinned_steps(session, run.id),
        awaited=retention.awaited_steps(session, run.id) | set(kept_until_refined(session, run)),
        resume_from=run.checkpoint_step,
        over=run.state in TERMINAL_STATES,
    )


def onsets_of(run: Run) -> dict[str, Onset]:
    """The onsets of a run; none before anything was measured."""
    return {name: Onset.model_validate(onset) for name, onset in run.onsets.items()}
