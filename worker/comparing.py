"""Comparing twins as their predictions arrive, beside the reconciler: neither twin's worker has to know of the other."""

from collections.abc import Sequence
from concurrent.futures import Future
from itertools import groupby
from zipfile import BadZipFile

import structlog
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.artifacts import ArtifactCorruptError, ArtifactStore
from backend.storage.flush import record_points
from backend.storage.reading import reading
from backend.storage.retention import lock_runs
from backend.storage.tables import Run
from backend.storage.twins import Waiting, still_stored, waiting_comparisons
from tauscope.contracts.points import Point
from tauscope.specs import KINDS, ExperimentSpec
from worker.background import Recurring
from worker.services import DATABASE_AWAY
from worker.settings import WorkerSettings
from worker.summaries import record_summary

# What NumPy says of a file that holds no predictions; left uncaught, one such file would end every comparison after it.
UNREADABLE = (ValueError, KeyError, BadZipFile)

log = structlog.get_logger()


class Comparer(Recurring[int]):
    """Compares what has come in."""

    def __init__(self, sessions: sessionmaker[Session], settings: WorkerSettings) -> None:
        super().__init__(name="twins", seconds=settings.reconcile_seconds)
        self._sessions = sessions
        self._store = ArtifactStore(settings.artifacts_url)

    def _work(self) -> int:
        return compare_twins(self._sessions, self._store)

    def _report(self, ended: Future[int]) -> None:
        try:
            compared = ended.result()
        except (*DATABASE_AWAY, OSError) as error:
            log.warning("twins_not_compared", error=str(error))
            return
        if compared:
            log.info("twins_compared", points=compared)


def compare_twins(sessions: sessionmaker[Session], store: ArtifactStore) -> int:
    """Compare twins at every step at which both have stored predictions and no comparison is recorded; how many points that gave.

    Raises:
        OSError: if the store does not answer.
    """
    from tauscope.analysis.twins import COSINE  # SciPy loads slowly, and only a service with twins needs it.

    with reading(sessions) as session:
        waiting = sorted(waiting_comparisons(session, COSINE), key=_pair)
    return sum(_compare_pair(sessions, store, *pair, list(items)) for pair, items in groupby(waiting, key=_pair))


def _pair(item: Waiting) -> tuple[str, str]:
    return min(item.run_id, item.twin_id), max(item.run_id, item.twin_id)


def _compare_pair(sessions: sessionmaker[Session], store: ArtifactStore, first: str, second: str, waiting: Sequence[Waiting]) -> int:
    with reading(sessions) as session:
        run = session.get(Run, first)
    if run is None:
        return 0  # Its experiment was deleted meanwhile.
    spec = KINDS[run.spec["kind"]].model_validate(run.spec)
    points = {files: _compare(spec, store, step, *files) for step, files in {(item.step, _files(item)) for item in waiting}}
    with sessions.begin() as session:
        lock_runs(session, [first, second])
        kept = still_stored(session, waiting)
        for run_id in (first, second):
            _record(session, run_id, [points[_files(item)] for item in kept if item.run_id == run_id])
    return len(kept)


def _files(item: Waiting) -> tuple[str, str]:
    """The same for both twins; the comparison of two files is the same either way round."""
    return min(item.sha256, item.twin_sha256), max(item.sha256, item.twin_sha256)


def _compare(spec: ExperimentSpec, store: ArtifactStore, step: int, one: str, other: str) -> Point:
    from tauscope.analysis.twins import cosine_point, missing_point, read_predictions

    try:
        return cosine_point(spec, step, read_predictions(store.read(one)), read_predictions(store.read(other)))
    except (ArtifactCorruptError, *UNREADABLE) as error:
        log.warning("predictions_damaged", step=step, error=str(error))
        return missing_point(spec, step, f"the predictions cannot be read: {error}")


def _record(session: Session, run_id: str, points: Sequence[Point]) -> None:
    if not points:
        return
    # The flush number moves on, so that every open page hears of it.
    moved = update(Run).where(Run.id == run_id).values(seq=Run.seq + 1).returning(Run.seq)
    record_points(session, run_id, points, session.execute(moved, execution_options={"synchronize_session": False}).scalar_one())
    record_summary(session, run_id)
