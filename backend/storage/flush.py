"""What a worker writes about once a second: lease, progress, points, files and the checkpoint pointer, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Table, case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backend.storage.announcements import announce_onsets, newly_happened
from backend.storage.claims import Claim, own
from backend.storage.curves import COLUMNS
from backend.storage.database import db_now
from backend.storage.leases import awaited_steps
from backend.storage.tables import Artifact, Attempt, Base, CheckpointPin, Evaluation, MetricPoint, Run, RunFile, Series
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point
from tauscope.contracts.runs import DesiredState

KEPT_CHECKPOINTS = 2
_UNSYNCED = {"synchronize_session": False}


@dataclass(frozen=True)
class FileRecord:
    """A stored file of a run: its path in the run's folder and what it is."""

    path: str
    sha256: str
    n_bytes: int
    kind: str
    step: int | None = None


@dataclass(frozen=True)
class Flushed:
    """The number of this flush, and what the run's owner wants by now."""

    seq: int
    desired: DesiredState


def flush(
    session: Session,
    claim: Claim,
    *,
    points: Sequence[Point] = (),
    files: Sequence[FileRecord] = (),
    checkpoint: int | None = None,
    unevaluated: Sequence[int] = (),
    kept: Sequence[int] = (),
    step: int | None = None,
    steps_per_second: float | None = None,
    seconds: float | None = None,
    activity: str | None = None,
) -> Flushed:
    """Renew the lease and record what is new; ``checkpoint`` becomes the step that a resume starts from.

    ``activity`` is what the run does before it trains, shown as its reason; empty once that is over. The samples of
    ``unevaluated`` steps wait to be drawn by whoever claims them; each has a checkpoint in this flush. Checkpoints of ``kept``
    steps stay, whether or not they were measured.

    Every artifact named in ``files`` is in the store already, and every point up to ``checkpoint`` is in this flush or
    an earlier one. Repeating a flush whose outcome is unknown changes nothing more.

    Raises:
        FencedError: if the run is no longer this claim's.
    """
    values: dict[str, Any] = {"lease_until": db_now() + claim.lease_seconds, "steps_per_second": steps_per_second}
    values |= _given(step=step, seconds=seconds, reason=activity)
    if checkpoint is not None:
        values |= _progress(claim, checkpoint)
    seq = own(session, claim, values)
    record_files(session, claim.run_id, files)
    record_points(session, claim.run_id, points, seq)
    # A step that a rewind gave up may come again: its fencing tokens begin above all those of the claims before.
    await_samples(session, claim.run_id, unevaluated, code_version=claim.code_version, epoch=claim.epoch << 20)
    if checkpoint is not None:
        prune_checkpoints(session, claim.run_id, checkpoint, kept)
    _advance_attempt(session, claim, step)
    desired = session.execute(select(Run.desired).where(Run.id == claim.run_id)).scalar_one()
    return Flushed(seq, DesiredState(desired))


def read_points(session: Session, run_id: str) -> list[Point]:
    """Every point of a run, by metric and step; they were validated when they came in."""
    columns = [getattr(MetricPoint, name) for name in COLUMNS]
    query = select(Series.metric, *columns).join(MetricPoint, MetricPoint.series_id == Series.id).where(Series.run_id == run_id)
    rows = session.execute(query.order_by(Series.metric, MetricPoint.step))
    names = ("metric", *COLUMNS)
    return [Point.model_construct(**dict(zip(names, row, strict=True))) for row in rows]


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _progress(claim: Claim, checkpoint: int) -> dict[str, Any]:
    """Only a checkpoint beyond the last is progress, and clears the stalls and the trouble shown on the run."""
    advances = func.coalesce(Run.checkpoint_step, -1) < checkpoint
    return {
        "checkpoint_step": checkpoint,
        "checkpoint_version": claim.code_version,
        "stalls": case((advances, 0), else_=Run.stalls),
        "reason": case((advances, ""), else_=Run.reason),
    }


def write_summary(
    session: Session,
    run_id: str,
    onsets: Mapping[str, Onset],
    final: Mapping[str, float | int | None],
    markers: Mapping[str, Onset] = MappingProxyType({}),
) -> None:
    """Write onsets, last values and markers, in a transaction that holds the run's row: they follow from its points alone.

    Onsets that have just happened are announced.
    """
    news = newly_happened(session, run_id, onsets)
    times = {"onsets": onsets, "markers": markers}
    values: dict[str, dict[str, Any]] = {
        column: {name: time.model_dump(mode="json") for name, time in found.items()} for column, found in times.items()
    }
    values["final"] = dict(final)
    session.execute(update(Run).where(Run.id == run_id).values(**values), execution_options=_UNSYNCED)
    announce_onsets(session, run_id, news)


def record_files(session: Session, run_id: str, files: Sequence[FileRecord]) -> None:
    """Record stored files of a run and what they are; a path that is there already gets the new bytes."""
    if not files:
        return
    # In one order everywhere: two flushes that store the same files must not wait for each other.
    artifacts = {file.sha256: {"sha256": file.sha256, "n_bytes": file.n_bytes} for file in sorted(files, key=lambda file: file.sha256)}
    # The update locks rows that are there already, so that nobody finds them unreferenced and drops them meanwhile.
    upsert(session, Artifact, list(artifacts.values()), replace=("n_bytes",))
    rows = {file.path: {"run_id": run_id, "path": file.path, "sha256": file.sha256, "kind": file.kind, "step": file.step} for file in files}
    upsert(session, RunFile, list(rows.values()), replace=("sha256", "kind", "step"))


def record_points(session: Session, run_id: str, points: Sequence[Point], seq: int) -> None:
    """Record points under the number of their flush; a point that is there already is replaced."""
    if not points:
        return
    series = _series_ids(session, run_id, {point.metric for point in points})
    rows = {
        (point.metric, point.step): {"series_id": series[point.metric], "seq": seq, **point.model_dump(exclude={"metric"})}
        for point in points
    }
    upsert(session, MetricPoint, list(rows.values()), replace=("value", "low", "high", "count", "reason", "seq"))


def _series_ids(session: Session, run_id: str, metrics: Iterable[str]) -> dict[str, int]:
    upsert(session, Series, [{"run_id": run_id, "metric": metric} for metric in sorted(metrics)], replace=(), keys=("run_id", "metric"))
    return {row.metric: row.id for row in session.execute(select(Series.metric, Series.id).where(Series.run_id == run_id))}


def upsert(
    session: Session, model: type[Base], rows: list[dict[str, Any]], *, replace: tuple[str, ...], keys: tuple[str, ...] | None = None
) -> None:
    """Insert rows; of those whose key (by default the primary one) is there already, replace these columns, or none."""
    table = model.__table__
    assert isinstance(table, Table)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    elements = list(keys or (column.name for column in table.primary_key))
    if replace:
        statement = statement.on_conflict_do_update(index_elements=elements, set_={name: statement.excluded[name] for name in replace})
    else:
        statement = statement.on_conflict_do_nothing(index_elements=elements)
    session.execute(statement, rows)


def await_samples(session: Session, run_id: str, steps: Sequence[int], *, code_version: str, epoch: int) -> None:
    """Let the samples of these steps wait to be drawn by whoever claims them; ``epoch`` is where their fencing tokens begin."""
    if not steps:
        return
    row = {"run_id": run_id, "code_version": code_version, "epoch": epoch}
    defaults = {"stalls": 0, "lease_until": 0.0, "renewed_at": 0.0, "enqueued_at": 0.0, "reason": ""}
    upsert(session, Evaluation, [row | defaults | {"step": step} for step in steps], replace=())


def prune_checkpoints(session: Session, run_id: str, checkpoint: int, further: Sequence[int] = ()) -> None:
    """Keep the newest checkpoints, to fall back to, those that were measured, will be, or are pinned, and ``further`` ones."""
    is_checkpoint = (RunFile.run_id == run_id, RunFile.kind.in_(["weights", "state"]))
    newest = select(RunFile.step).where(*is_checkpoint, RunFile.step <= checkpoint).distinct().order_by(RunFile.step.desc())
    kept = list(session.scalars(newest.limit(KEPT_CHECKPOINTS)))
    measured = list(session.scalars(select(RunFile.step).where(RunFile.run_id == run_id, RunFile.kind == "samples")))
    pinned = session.scalars(select(CheckpointPin.step).where(CheckpointPin.run_id == run_id))
    awaited = session.scalars(awaited_steps(run_id))
    wanted = [*kept, *measured, *pinned, *awaited, *further]
    session.execute(delete(RunFile).where(*is_checkpoint, RunFile.step.not_in(wanted)), execution_options=_UNSYNCED)


def _advance_attempt(session: Session, claim: Claim, step: int | None) -> None:
    if step is not None:
        mine = update(Attempt).where(Attempt.run_id == claim.run_id, Attempt.epoch == claim.epoch).values(to_step=step)
        session.execute(mine, execution_options=_UNSYNCED)
