"""Runs in a database that are claimed and written to."""

from collections.abc import Callable

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.claims import Claim, claim_next
from backend.storage.flush import FileRecord, flush
from backend.storage.tables import Run
from tauscope.contracts.points import Point
from tauscope.contracts.runs import DesiredState

Sessions = sessionmaker[Session]
AddRun = Callable[..., str]


def claim(sessions: Sessions, worker: str = "one") -> Claim | None:
    with sessions.begin() as session:
        return claim_next(session, worker, 15)


def certain(claim: Claim | None) -> Claim:
    assert claim is not None
    return claim


def run(sessions: Sessions, run_id: str = "run-1") -> Run:
    with sessions() as session:
        return session.scalars(select(Run).where(Run.id == run_id)).one()


def want(sessions: Sessions, desired: DesiredState) -> None:
    with sessions.begin() as session:
        session.execute(update(Run).values(desired=desired))


def point(step: int, value: float | None = 1.0) -> Point:
    return Point(step=step, metric="f_mem", value=value, low=0.0, high=1.0, count=32, reason=None if value is not None else "diverged")


def checkpoint_files(step: int) -> list[FileRecord]:
    return [FileRecord(f"checkpoints/{step}.{kind}", f"{kind}-{step}", 10, kind, step) for kind in ("weights", "state")]


def reach(sessions: Sessions, claim: Claim, step: int, *, checkpoint: bool = True, samples: bool = False) -> None:
    files = checkpoint_files(step) if checkpoint else []
    files += [FileRecord(f"samples/{step}.npz", f"samples-{step}", 10, "samples", step)] if samples else []
    with sessions.begin() as session:
        flush(session, claim, points=[point(step)], files=files, checkpoint=step if checkpoint else None, step=step, seconds=1.0)
