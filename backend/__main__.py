"""Serve the HTTP interface: ``python -m backend [--host HOST] [--port PORT]``."""

import argparse
import socket
import sys
from collections.abc import Sequence
from typing import Any

import structlog
import uvicorn
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from backend.app import create_app
from backend.logs import configure_logs
from backend.services.closing import Closing
from backend.settings import ApiSettings
from backend.storage.migrate import upgrade
from tauscope.heap import settle
from tauscope.specs import SpecError

_GRACE_SECONDS = 1
_BACKLOG = 2048

log = structlog.get_logger()


class Server(uvicorn.Server):
    """A server that lets its event streams end before it waits for open connections."""

    def __init__(self, config: uvicorn.Config, closing: Closing) -> None:
        super().__init__(config)
        self._closing = closing

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        self._closing.begin()
        await super().shutdown(sockets)


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring the database up to date and serve until a signal comes."""
    configure_logs()
    try:
        settings = ApiSettings(**_options(arguments))
        listener = _listen(settings)
    except ValidationError as error:
        return _refuse(str(SpecError.from_validation(error, prefix="TAUSCOPE")))
    except OSError as error:
        return _refuse(f"{settings.host}:{settings.api_port}: {error.strerror}. Choose another port with --port or TAUSCOPE_API_PORT")
    try:
        upgrade(settings.database_url)
    except OperationalError as error:
        return _refuse(f"the database does not answer: {error.orig}. Start it, or mend TAUSCOPE_DATABASE_URL")
    app = create_app(settings)
    config = uvicorn.Config(app, access_log=False, log_level="warning", server_header=False, timeout_graceful_shutdown=_GRACE_SECONDS)
    settle()
    log.info("api_listening", host=settings.host, port=listener.getsockname()[1])
    Server(config, app.state.context.closing).run(sockets=[listener])
    return 0


def _listen(settings: ApiSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.api_port), family=family, backlog=_BACKLOG)


def _refuse(reason: str) -> int:
    sys.stderr.write(f"Cannot start the API: {reason}\n")
    return 2


def _options(arguments: Sequence[str] | None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m backend", description="Serve Tauscope's HTTP interface; settings come from TAUSCOPE_*."
    )
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", dest="api_port", type=int, help="port to listen on")
    return {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}


if __name__ == "__main__":
    sys.exit(main())
