"""The service as separate processes on a broker of its own, for tests that use it as its users do."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from launcher.broker import answers, prepare_broker
from launcher.readiness import answers_ok
from tauscope.client import TauscopeClient


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def storage_environment(home: Path, database_url: str) -> dict[str, str]:
    """The variables that name where everything is kept."""
    return {**os.environ, "TAUSCOPE_HOME": str(home), "TAUSCOPE_DATABASE_URL": database_url}


@contextmanager
def running_broker(home: Path, *, on_port: bool) -> Iterator[str]:
    """The embedded broker on its socket, or a server on a port, as in a cluster."""
    plan = prepare_broker(home / "broker")
    command, url = list(plan.command), plan.url
    if on_port:
        port = free_port()
        command, url = [command[0], "--port", str(port), "--bind", "127.0.0.1"], f"redis://127.0.0.1:{port}/0"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=home)
    try:
        wait_for(lambda: answers(url))
        yield url
    finally:
        process.terminate()
        process.wait()
        plan.clean_up()


@contextmanager
def running_service(
    home: Path, database_url: str, broker_url: str, *, segment_seconds: int = 1, through: Sequence[str] = ()
) -> Iterator[TauscopeClient]:
    """API, worker and reconciler; ``through`` is a module that runs them instead of Python itself."""
    port = free_port()
    environment = {
        **storage_environment(home, database_url),
        "TAUSCOPE_BROKER_URL": broker_url,
        "TAUSCOPE_SLOTS": "2",
        # Short enough that runs are given back and taken up again in the middle.
        "TAUSCOPE_SEGMENT_SECONDS": str(segment_seconds),
    }
    commands = [["backend", "--port", str(port)], ["worker"], ["worker.reconciler"]]
    log = (home / "log").open("ab")
    processes = [
        subprocess.Popen([sys.executable, "-m", *through, *command], env=environment, stdout=log, stderr=log) for command in commands
    ]
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers_ok(f"{url}/api/v1/ready"))
        with TauscopeClient(url) as client:
            yield client
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=15)
        log.close()
        print((home / "log").read_text()[-8000:])
