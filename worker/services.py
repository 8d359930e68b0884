"""What every segment of a worker shares."""

import threading
from dataclasses import dataclass, field

from sqlalchemy import Engine, exc
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.artifacts import ArtifactStore
from backend.storage.garbage import refers_to_any
from backend.storage.outbox import Outbox
from worker.settings import WorkerSettings

# The database does not answer, or not now. Everything else it may say is a defect and ends the segment.
DATABASE_AWAY = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)


@dataclass(frozen=True)
class Services:
    """Storage and settings; ``stopping`` is set when the worker is asked to leave, ``draining`` while it shall take no segment."""

    settings: WorkerSettings
    sessions: sessionmaker[Session]
    store: ArtifactStore
    outbox: Outbox
    stopping: threading.Event
    draining: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.store.marker.expected = self._has_files

    @property
    def leaving(self) -> str:
        """Why no segment may begin or go on here; empty while it may."""
        if self.stopping.is_set():
            return "the worker was asked to leave"
        return "the worker is draining" if self.draining.is_set() else ""

    @property
    def engine(self) -> Engine:
        """The database."""
        engine: Engine = self.sessions.kw["bind"]
        return engine

    def close(self) -> None:
        """Close the connections, once no segment runs."""
        self.outbox.close()
        self.engine.dispose()

    def _has_files(self) -> bool:
        """Whether any run has a file, so that a store without one is not the store."""
        try:
            return refers_to_any(self.sessions)
        except DATABASE_AWAY as error:
            raise OSError(f"the artifact store seems empty, and the database does not tell whether it should be: {error}") from error
