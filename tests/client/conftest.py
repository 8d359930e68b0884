"""A real server on a real port, which tests may stop and start again."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from backend.__main__ import Server
from backend.app import create_app
from backend.services.context import Context
from backend.settings import ApiSettings
from tauscope.client import TauscopeClient
from tests.backend.conftest import FakeWorker


class LiveServer:
    """The API in a thread of this process."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        app = create_app(self._settings)
        self.context: Context = app.state.context
        config = uvicorn.Config(app, port=self.port, log_level="critical", timeout_graceful_shutdown=1)
        self._server = Server(config, self.context.closing)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop the server, which must not wait for readers of its streams."""
        self._server.should_exit = True
        self._thread.join(60)
        assert not self._thread.is_alive()


@pytest.fixture
def database_kind() -> str:
    """The client does not see which database the service uses."""
    return "sqlite"


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[LiveServer]:
    """A running service."""
    live = LiveServer(ApiSettings(database_url=database_url, home=tmp_path / "home", broker_url="memory://"))
    yield live
    live.stop()


@pytest.fixture
def api(server: LiveServer) -> Iterator[TauscopeClient]:
    """A client of the running service."""
    with TauscopeClient(server.url) as client:
        yield client


@pytest.fixture
def worker(server: LiveServer, tmp_path: Path) -> FakeWorker:
    """A stand-in for the worker."""
    return FakeWorker(server.context, tmp_path / "work")
