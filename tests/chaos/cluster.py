"""The stack of a cluster under attack: parts started by hand, on Postgres and a broker on a port."""

import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg

from backend.storage.migrate import upgrade
from launcher.broker import answers, server_binary
from tests.chaos import clock
from tests.chaos.plan import Kind
from tests.chaos.processes import children_of
from tests.chaos.stacks import MODULES, Stack
from tests.postgres import Postgres
from tests.service import free_port, wait_for

# Few enough to be taken all; the parts need a dozen.
CONNECTIONS = 40
_POSTGRES_OPTIONS = f"-c max_connections={CONNECTIONS} -c max_wal_size=64MB -c min_wal_size=32MB"


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
        addresses = {"TAUSCOPE_DATABASE_URL": self.database_url, "TAUSCOPE_BROKER_URL": self.broker_url}
        # Here every checkpoint is evaluated as work of its own; on the other stack, those that meet a spare slot.
        return {**super().environment, **addresses, "TAUSCOPE_DEFER_SAMPLES": "always"}

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
