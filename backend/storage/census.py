"""How many runs wait and compute, and which workers are there."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.storage.claims import Claim, claimable
from backend.storage.database import db_now
from backend.storage.evaluations import waiting_evaluations
from backend.storage.offers import could_draw, offer_of
from backend.storage.tables import Artifact, Run, Worker

LIVING_SECONDS = 30.0  # Heartbeats come every few seconds; one of them may be late.
FORGOTTEN_AFTER = 3600.0  # Seconds of silence after which a worker is no longer listed.


def count_by_state(session: Session) -> dict[str, int]:
    """How many runs are in each state."""
    rows = session.execute(select(Run.state, func.count()).group_by(Run.state))
    return {state: count for state, count in rows}  # noqa: C416 - a Row is no plain pair to the type checker


def workers(session: Session, *, within: float = FORGOTTEN_AFTER) -> list[Worker]:
    """The workers heard of in so many seconds, by name."""
    return list(session.scalars(select(Worker).where(Worker.seen_at > db_now() - within).order_by(Worker.name)))


def living_workers(session: Session) -> list[Worker]:
    """The workers that may be counted on."""
    return workers(session, within=LIVING_SECONDS)


def spare_slots(session: Session, claim: Claim) -> int:
    """How many slots that could draw a run's samples are free and not about to be taken by work that waits; may be negative."""
    queue = claim.queue
    offers = ((worker, offer_of(worker)) for worker in living_workers(session) if not worker.draining)
    serving = (worker for worker, offer in offers if queue in offer.queues and could_draw(offer, claim.spec, claim.code_version))
    free = sum(worker.slots - worker.busy for worker in serving)
    if free <= 0:
        return free
    runs = session.scalar(select(func.count()).select_from(Run).where(claimable(), Run.queue == queue)) or 0
    return free - runs - waiting_evaluations(session, queue)


def artifact_bytes(session: Session) -> int:
    """The size of all artifacts, each counted once."""
    return int(session.scalars(select(func.coalesce(func.sum(Artifact.n_bytes), 0))).one())


def server_time(session: Session) -> float:
    """The database's clock, in Unix seconds."""
    return session.scalars(select(db_now())).one()
