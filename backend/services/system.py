"""Whether the service can work, and what it consists of."""

from kombu.connection import Connection
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import SQLAlchemyError

from backend.services.context import Context
from backend.services.errors import NotReadyError
from backend.services.views import worker_view
from backend.storage import census
from backend.storage.migrate import is_current
from backend.storage.reading import reading
from tauscope.contracts.problems import FieldError
from tauscope.contracts.storage import StorageView
from tauscope.contracts.system import SystemView
from tauscope.version import code_version

_PATIENCE = 2.0
_WARN_FROM = 0.8


def system(context: Context) -> SystemView:
    """Version, queue, workers, space."""
    with reading(context.sessions) as session:
        counts = census.count_by_state(session)
        workers = census.workers(session)
        now = census.server_time(session)
        used = census.artifact_bytes(session)
    return SystemView(
        version=code_version(),
        database=context.engine.dialect.name,
        queued=counts.get("queued", 0),
        running=counts.get("running", 0),
        workers=tuple(map(worker_view, workers)),
        server_time=now,
        storage=_storage(context, used),
    )


def _storage(context: Context, used: int) -> StorageView:
    quota = context.settings.quota_gb
    view = StorageView(
        bytes_used=used, quota_bytes=None if quota is None else int(quota * 10**9), free_bytes=context.artifacts.free_bytes()
    )
    if view.quota_bytes is None or used < _WARN_FROM * view.quota_bytes:
        return view
    remedy = "Drop checkpoints with `tauscope prune ID`, delete experiments, or raise TAUSCOPE_QUOTA_GB"
    return view.model_copy(update={"warning": f"{used / view.quota_bytes:.0%} of the quota is used. {remedy}"})


def check_ready(context: Context) -> None:
    """Check the database, its schema and the broker.

    Raises:
        NotReadyError: naming each that fails.
    """
    errors = [*database_errors(context), *broker_errors(context)]
    if errors:
        raise NotReadyError("; ".join(error.message for error in errors), "Mend what is listed", errors)


def database_errors(context: Context) -> list[FieldError]:
    """Why the database does not serve, if it does not."""
    try:
        if is_current(context.engine):
            return []
    except SQLAlchemyError:
        return [FieldError(path="database", message="the database cannot be reached", remedy="Start it, or mend TAUSCOPE_DATABASE_URL")]
    return [FieldError(path="database", message="its schema is not this version's", remedy="python -m backend.storage.migrate")]


def broker_errors(context: Context) -> list[FieldError]:
    """Why the broker does not serve, if it does not."""
    options = {"socket_connect_timeout": _PATIENCE, "socket_timeout": _PATIENCE}
    try:
        with Connection(context.settings.broker_url, transport_options=options) as connection:  # type: ignore[no-untyped-call]
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=_PATIENCE)
    except (BrokerError, OSError):
        return [FieldError(path="broker", message="the broker cannot be reached", remedy="Start it, or mend TAUSCOPE_BROKER_URL")]
    return []
