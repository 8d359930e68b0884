"""Asking workers to drain."""

from backend.services.context import Context
from backend.services.errors import UnknownWorkerError
from backend.services.views import worker_view
from backend.storage.tables import Worker
from tauscope.contracts.system import WorkerView


def set_draining(context: Context, name: str, draining: bool) -> WorkerView:
    """Ask a worker to give back its runs and take none, or to take runs again; it reads the wish with its next heartbeat.

    Raises:
        UnknownWorkerError: if there is none of that name.
    """
    with context.sessions.begin() as session:
        worker = session.get(Worker, name, with_for_update=True)
        if worker is None:
            raise UnknownWorkerError(name)
        worker.draining = draining
    return worker_view(worker)
