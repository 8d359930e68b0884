"""What every segment of a worker shares."""

import threading
from dataclasses import dataclass

from sqlalchemy import exc
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.artifacts import ArtifactStore
from backend.storage.outbox import Outbox
from worker.settings import WorkerSettings

# The database does not answer, or not now. Everything else it may say is a defect and ends the segment.
DATABASE_AWAY = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)


@dataclass(frozen=True)
class Services:
    """Storage and settings; ``stopping`` is set when the worker is asked to leave."""

    settings: WorkerSettings
    sessions: sessionmaker[Session]
    store: ArtifactStore
    outbox: Outbox
    stopping: threading.Event

    def close(self) -> None:
        """Close the connections, once no segment runs."""
        self.outbox.close()
        self.sessions.kw["bind"].dispose()
