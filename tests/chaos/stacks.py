"""What the two stacks under attack share."""

import http.client
import os
import subprocess
import time
import uuid
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from tests.chaos import clock
from tests.chaos.flaky_store import CONTROL
from tests.chaos.plan import Kind
from tests.chaos.processes import MARK, marked
from tests.service import free_port

SLOTS = 2
LEASE_SECONDS = 3.0
SETTINGS = {
    "TAUSCOPE_SLOTS": str(SLOTS),
    "TAUSCOPE_LEASE_SECONDS": str(LEASE_SECONDS),
    "TAUSCOPE_FLUSH_SECONDS": "0.4",
    "TAUSCOPE_RECONCILE_SECONDS": "0.4",
    # Short enough that runs are given back and taken up again without any fault too, and that nearly every attempt comes to a
    # checkpoint before the next fault: five in a row that do not would rightly end the run as failed.
    "TAUSCOPE_SEGMENT_SECONDS": "2.5",
    "PYTHONUNBUFFERED": "1",
}
MODULES = {"worker": "worker", "api": "backend", "reconciler": "worker.reconciler"}
CHILD = "tauscope.execution.child"


def give_order(file: Path, text: str) -> None:
    """Write an order that is never read by half."""
    part = file.with_suffix(".part")
    part.write_text(text)
    part.replace(file)


class Stack:
    """What both stacks share: a home, a mark on all processes, and an API. Orders and the log lie where no disk is ever filled."""

    name: str
    kinds: tuple[Kind, ...]
    database_url: str
    database_disk: Path | None = None

    def __init__(self, home: Path, orders: Path) -> None:
        self.home = home
        self.mark = uuid.uuid4().hex
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.store_order = orders / "store"
        self.host_clock_order = orders / "host-clock"
        self.database_clock_order = orders / "database-clock"
        self.log = orders / "log"
        self.artifacts = home / "artifacts"
        home.mkdir(parents=True, exist_ok=True)
        orders.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        own = {MARK: self.mark, "TAUSCOPE_HOME": str(self.home), "TAUSCOPE_ARTIFACTS_URL": f"chaos://{self.artifacts}"}
        return {**os.environ, **SETTINGS, **own, CONTROL: str(self.store_order), clock.HOST: str(self.host_clock_order)}

    @property
    def ready(self) -> bool:
        """Whether the API says so; asked often, so without the weight of an HTTP client."""
        with suppress(OSError, http.client.HTTPException), closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)) as api:
            api.request("GET", "/api/v1/ready")
            return api.getresponse().status == http.client.OK
        return False

    def pids(self, part: str) -> list[int]:
        """The processes of a part; the trainer children are one part."""
        return marked(self.mark, CHILD) if part == "child" else marked(self.mark, "tests.chaos.part", MODULES[part])

    def spawn(self, command: list[str], **options: Any) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)

    def wait_for_end(self) -> list[int]:
        """Give everything a few seconds to end, and return what is left."""
        deadline = time.monotonic() + 6
        while (left := marked(self.mark)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left
