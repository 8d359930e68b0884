"""``python -m worker.health``: exit code 0 if this machine's worker was heard of lately, for container health checks."""

import socket
import sys

from sqlalchemy import select

from backend.storage.database import db_now, open_database, session_factory
from backend.storage.tables import Worker
from worker.settings import read_settings

MISSED_BEATS = 6


def main() -> int:
    """Look for a fresh heartbeat of a worker on this host."""
    settings = read_settings()
    engine = open_database(settings.database_url)
    recent = Worker.seen_at > db_now() - MISSED_BEATS * settings.heartbeat_seconds
    with session_factory(engine)() as session:
        names = session.scalars(select(Worker.name).where(recent)).all()
    engine.dispose()
    return 0 if any(name.startswith(f"{socket.gethostname()}-") for name in names) else 1


if __name__ == "__main__":
    sys.exit(main())
