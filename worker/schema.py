"""A process that starts before the migrations waits for them."""

import time
from collections.abc import Callable

import structlog
from sqlalchemy import Engine

from backend.storage.migrate import is_current
from worker.services import DATABASE_AWAY

POLL_SECONDS = 1.0

log = structlog.get_logger()


def await_schema(engine: Engine, *, ended: Callable[[], bool] = lambda: False) -> None:
    """Return once the database answers and has this version's schema, or ``ended`` is true; says once why it waits."""
    told = ""
    while not ended() and (reason := _missing(engine)):
        if reason != told:
            log.warning("waits_for_the_database", reason=reason, remedy="python -m backend.storage.migrate")
            told = reason
        time.sleep(POLL_SECONDS)


def _missing(engine: Engine) -> str:
    try:
        return "" if is_current(engine) else "its schema is not this version's"
    except DATABASE_AWAY as error:
        return str(error)
