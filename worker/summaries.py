"""Onsets and last values of a run, from all its points in the database: the same whoever computes them, and when."""

from sqlalchemy.orm import Session, sessionmaker

from backend.storage.claims import Claim
from backend.storage.flush import flush, read_points
from tauscope.specs import KINDS


def record_summary(sessions: sessionmaker[Session], claim: Claim, steps_per_second: float | None) -> None:
    """Compute a run's onsets and last values and write them to its row.

    Raises:
        FencedError: if the run is no longer this claim's.
    """
    from tauscope.analysis.summary import summarize_points  # SciPy loads slowly, and only a worker with points needs it.

    with sessions() as session:
        points = read_points(session, claim.run_id)
    onsets, final = summarize_points(KINDS[claim.spec["kind"]].model_validate(claim.spec), points)
    with sessions.begin() as session:
        flush(session, claim, onsets=onsets, final=final, steps_per_second=steps_per_second)
