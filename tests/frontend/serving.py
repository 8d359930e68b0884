"""Run what a browser is to see: an ASGI application in a thread, the dashboard in front of an API as a process of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from tests.service import free_port


@contextmanager
def served(app: Any, *, port: int = 0) -> Iterator[str]:
    """The application's address while the block runs; on a free port unless one is named."""
    port = port or free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(5)
    server.force_exit = True  # Whoever still waits for an answer waits in vain.
    thread.join(5)


@contextmanager
def dashboard(api: str, folder: Path, *, port: int = 0) -> Iterator[str]:
    """The address of a dashboard whose API is at ``api``."""
    port = port or free_port()
    command = [sys.executable, "-m", "frontend", "--port", str(port), "--api-url", api]
    with running(command, f"http://127.0.0.1:{port}/_stcore/health", folder / f"dashboard-{port}.log") as address:
        yield address


@contextmanager
def running(command: Sequence[str], ready: str, log: Path) -> Iterator[str]:
    """Start a process, wait until it answers at ``ready``, and interrupt it at the end; its origin.

    Raises:
        AssertionError: with the process's own words if it does not answer within a minute.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            wait_until_ready(process, ready)
            assert answers(ready), f"{' '.join(command)} does not answer at {ready}:\n{log.read_text()}"
            yield str(httpx.URL(ready).copy_with(path="", query=None)).rstrip("/")
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], url: str, seconds: float = 60) -> None:
    """Wait for a 200, for the process's end, or for so many seconds."""
    deadline = time.monotonic() + seconds
    while not answers(url) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Whether it is a 200 now."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
