"""The stack on one machine under attack: everything by the launcher, on SQLite."""

import json
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.chaos import clock
from tests.chaos.plan import Kind
from tests.chaos.stacks import Stack, give_order
from tests.service import free_port, wait_for


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
