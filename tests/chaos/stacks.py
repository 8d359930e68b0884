"""The two stacks under attack: everything by the launcher on SQLite, and parts started by hand on Postgres and a broker on a port."""

import http.client
import json
import os
import sqlite3
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import psycopg

from backend.storage.migrate import upgrade
from launcher.broker import answers, server_binary
from tests.chaos import clock
from tests.chaos.flaky_store import CONTROL
from tests.chaos.plan import Kind
from tests.chaos.processes import MARK, children_of, marked
from tests.postgres import Postgres
from tests.service import free_port, wait_for

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


# Few enough to be taken all; the parts need a dozen.
CONNECTIONS = 40
_POSTGRES_OPTIONS = f"-c max_connections={CONNECTIONS} -c max_wal_size=64MB -c min_wal_size=32MB"


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


class EmbeddedStack(Stack):
    """``up`` with SQLite and the embedded broker; whoever uses it starts a dead ``up`` again."""

    name = "embedded"
    kinds = tuple(kind for kind in Kind if kind not in {Kind.KILL_POSTGRES, Kind.FREEZE_POSTGRES, Kind.POSTGRES_DISK_FULL})

    def __init__(self, home: Path, orders: Path) -> None:
        super().__init__(home, orders)
        self.database_url = f"sqlite:///{home / 'tauscope.db'}"

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, clock.DATABASE: str(self.database_clock_order)}

    def start(self) -> None:
        self._launch()
        wait_for(lambda: self.ready, "the embedded stack")

    def _launch(self) -> None:
        command = [sys.executable, "-m", "tests.chaos.up", "up", "--port", str(free_port()), "--api-port", str(self.port)]
        self._supervisor = self.spawn(command)

    def tend(self) -> None:
        if self._supervisor.poll() is not None:
            self._launch()

    def pids(self, part: str) -> list[int]:
        if part == "supervisor":
            return [self._supervisor.pid]
        if part == "broker":
            # The server overwrites its environment with its title, so that its mark cannot be read.
            record = json.loads((self.home / "parts.json").read_text())
            return [int(record["broker"][0])]
        return super().pids(part)

    def step_database_clock(self, seconds: float) -> None:
        give_order(self.database_clock_order, str(seconds))

    def hold_connections(self, seconds: float) -> None:
        """SQLite has no connections to run out of; what all wait for is the write lock."""
        with closing(sqlite3.connect(self.home / "tauscope.db", timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            connection.execute("ROLLBACK")

    @property
    def broker_url(self) -> str:
        lines = (self.home / "broker/broker.conf").read_text().splitlines()
        options = dict(line.split(" ", 1) for line in lines if " " in line)
        return f"redis+socket://{options['unixsocket']}"

    @property
    def broker_data(self) -> list[Path]:
        return [self.home / "broker/appendonlydir"]

    def stop(self) -> list[int]:
        broker = self.pids("broker")
        self._supervisor.terminate()
        self._supervisor.wait(timeout=30)
        return [*self.wait_for_end(), *(pid for pid in broker if Path(f"/proc/{pid}").exists())]


class ClusterStack(Stack):
    """Worker, API, reconciler, broker and Postgres as separate processes, each started again half a second after it died."""

    name = "cluster"
    kinds = tuple(kind for kind in Kind if kind not in {Kind.KILL_SUPERVISOR, Kind.FREEZE_SUPERVISOR})
    _RESTART_SECONDS = 0.5

    def __init__(self, home: Path, orders: Path, postgres_folder: Path) -> None:
        super().__init__(home, orders)
        self.database_disk = postgres_folder
        self._broker_port = free_port()
        self.broker_url = f"redis://127.0.0.1:{self._broker_port}/0"
        self._broker_folder = home / "broker"
        self._broker_folder.mkdir()
        self._parts: dict[str, subprocess.Popen[bytes]] = {}
        self._died: dict[str, float] = {}
        self._postgres = Postgres(postgres_folder, options=_POSTGRES_OPTIONS)
        self.database_url = self._postgres.uri.replace("postgresql://", "postgresql+psycopg://")

    def start(self) -> None:
        self._postgres.start()
        with self._postgres.connect() as connection:
            connection.execute(clock.POSTGRES_SETUP)
        upgrade(self.database_url)
        self._start_part("broker")
        wait_for(lambda: answers(self.broker_url), "the broker")
        for name in MODULES:
            self._start_part(name)
        wait_for(lambda: self.ready, "the API")

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "TAUSCOPE_DATABASE_URL": self.database_url, "TAUSCOPE_BROKER_URL": self.broker_url}

    def _start_part(self, name: str) -> None:
        if name == "broker":
            options = ["--port", str(self._broker_port), "--bind", "127.0.0.1", "--dir", str(self._broker_folder)]
            command = [str(server_binary()), *options, "--appendonly", "yes", "--save", ""]
        else:
            options = ["--port", str(self.port)] if name == "api" else []
            command = [sys.executable, "-m", "tests.chaos.part", MODULES[name], *options]
        self._parts[name] = self.spawn(command)

    def tend(self) -> None:
        now = time.monotonic()
        for name, process in self._parts.items():
            if process.poll() is not None and now - self._died.setdefault(name, now) > self._RESTART_SECONDS:
                del self._died[name]
                self._start_part(name)
        if not self._postgres.pid:
            # It refuses while processes of the killed server still hold its memory, or while its disk is full; the next call tries again.
            with suppress(subprocess.SubprocessError):
                self._postgres.start()

    def pids(self, part: str) -> list[int]:
        if part == "postgres":
            return [self._postgres.pid, *children_of(self._postgres.pid)]
        return [self._parts["broker"].pid] if part == "broker" else super().pids(part)

    def step_database_clock(self, seconds: float) -> None:
        with self._postgres.connect() as connection:
            connection.execute("UPDATE chaos.clock SET seconds = %s", (seconds,))

    def hold_connections(self, seconds: float) -> None:
        """Take every connection that the server has, from whoever holds it, and keep them."""
        deadline = time.monotonic() + seconds
        with ExitStack() as held:
            connections = [held.enter_context(self._postgres.connect())]
            while time.monotonic() < deadline:
                mine = [connection.info.backend_pid for connection in connections]
                others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> ALL(%s)"
                connections[0].execute(others, (mine,))
                with suppress(psycopg.OperationalError):
                    while True:
                        connections.append(held.enter_context(self._postgres.connect()))
                time.sleep(0.1)

    @property
    def broker_data(self) -> list[Path]:
        return [self._broker_folder / "appendonlydir"]

    def stop(self) -> list[int]:
        for name in ("worker", "api", "reconciler", "broker"):
            self._parts[name].terminate()
            self._parts[name].wait(timeout=30)
        left = self.wait_for_end()
        self._postgres.stop()
        return left
