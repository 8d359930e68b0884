"""Collecting garbage now and then, and pruning where that is wanted, beside the reconciler: a slow store must not hold up wake-ups."""

from concurrent.futures import Future

import structlog
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.artifacts import ArtifactStore
from backend.storage.garbage import NOTHING, Garbage, collect, refers_to_any
from backend.storage.pruning import prune
from backend.storage.reading import reading
from backend.storage.retention import ended_runs
from backend.storage.sightings import Sightings
from worker.background import Recurring
from worker.services import DATABASE_AWAY
from worker.settings import WorkerSettings

log = structlog.get_logger()


class Collector(Recurring[Garbage]):
    """Collects every few minutes."""

    def __init__(self, sessions: sessionmaker[Session], settings: WorkerSettings) -> None:
        super().__init__(name="garbage", seconds=settings.garbage_seconds)
        self._sessions = sessions
        self._store = ArtifactStore(settings.artifacts_url, grace_seconds=settings.garbage_grace_seconds)
        self._sightings = Sightings()
        self._prunes_all = settings.retention == "pruned"
        self._pruned: set[tuple[str, int]] = set()

    def _work(self) -> Garbage:
        self._prune_ended()
        if not refers_to_any(self._sessions):
            # A new database beside an old store is rather a lost database than a reason to empty the store.
            return NOTHING
        return collect(self._sessions, self._store, sightings=self._sightings)

    def _prune_ended(self) -> None:
        with reading(self._sessions) as session:
            ended = ended_runs(session, asking=not self._prunes_all)
        for run_id, epoch in sorted(ended - self._pruned):
            prune(self._sessions, self._store, [run_id], dry_run=False)
            self._pruned.add((run_id, epoch))

    def _report(self, ended: Future[Garbage]) -> None:
        try:
            garbage = ended.result()
        except (*DATABASE_AWAY, OSError) as error:
            log.warning("garbage_not_collected", error=str(error))
            return
        if garbage.rows or garbage.files:
            log.info("garbage_collected", rows=garbage.rows, files=garbage.files, n_bytes=garbage.n_bytes)
