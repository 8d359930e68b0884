"""The service as real processes, for tests that need all of it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from launcher.broker import answers, prepare_broker
from launcher.readiness import answers_ok

MODULES = ("backend", "worker", "worker.reconciler")


def wait_for(condition: Callable[[], object], what: str = "it", seconds: float = 120) -> None:
    """Fail if the condition does not come true in time."""
    deadline, pause = time.monotonic() + seconds, 0.02
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about in {seconds:.0f} s"
        time.sleep(pause)
        pause = min(0.2, 1.2 * pause)  # To ask a service takes it time, too: what comes late is asked for less often.


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_broker(folder: Path, *, on_a_port: bool) -> Iterator[str]:
    """The address of a broker: on its socket as embedded, or on a port as in a cluster."""
    plan = prepare_broker(folder / "broker")
    command, url = list(plan.command), plan.url
    if on_a_port:
        port = free_port()
        command, url = [command[0], "--port", str(port), "--bind", "127.0.0.1"], f"redis://127.0.0.1:{port}/0"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder)
    try:
        wait_for(lambda: answers(url), "the broker")
        yield url
    finally:
        process.terminate()
        process.wait()
        plan.clean_up()


@contextmanager
def running_service(home: Path, settings: Mapping[str, str], *, prefix: tuple[str, ...] = ()) -> Iterator[str]:
    """The address of an API with a worker and a reconciler; ``prefix`` is a module that runs each of them."""
    port = free_port()
    environment = {**os.environ, "TAUSCOPE_HOME": str(home), "TAUSCOPE_API_PORT": str(port), **settings}
    log = (home / "log").open("ab")
    processes: list[subprocess.Popen[bytes]] = []
    url = f"http://127.0.0.1:{port}"
    try:
        for module in MODULES:
            processes.append(subprocess.Popen([sys.executable, "-m", *prefix, module], env=environment, stdout=log, stderr=log))
            # The first is the API, which migrates the database; the others must find the newest schema.
            wait_for(lambda: answers_ok(f"{url}/api/v1/ready"), "the API")
        yield url
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=60)
        log.close()
        print((home / "log").read_text()[-8000:])
