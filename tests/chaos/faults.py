"""What each kind of fault does to a stack. A fault that lasts is over when its function returns."""

import errno
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import redis

from backend.storage.database import open_database, session_factory
from backend.storage.reading import reading
from backend.storage.tables import Run, RunFile
from launcher.broker import connect
from tests.chaos.plan import Fault, Kind
from tests.chaos.processes import freeze, send
from tests.chaos.stacks import LEASE_SECONDS, Stack, give_order

FREEZE_SECONDS = LEASE_SECONDS + 0.4
STORE_SECONDS = 2.5
DISK_SECONDS = 2.0
CONNECTIONS_SECONDS = LEASE_SECONDS + 1.0
CLOCK_STEPS = (-3600.0, 0.0, 3600.0)


class Target(Protocol):
    """A stack as faults see it."""

    home: Path
    store_order: Path
    host_clock_order: Path
    artifacts: Path
    database_url: str
    database_disk: Path | None

    def pids(self, part: str) -> list[int]: ...

    def step_database_clock(self, seconds: float) -> None: ...

    def hold_connections(self, seconds: float) -> None: ...

    @property
    def broker_url(self) -> str: ...

    @property
    def broker_data(self) -> list[Path]: ...


class Saboteur:
    """Carries out faults; ``damaged`` remembers the whole bytes of every file it spoilt."""

    def __init__(self, stack: Stack) -> None:
        self._stack: Target = stack  # type: ignore[assignment]
        self._steps = {"host": 0.0, "database": 0.0}
        self.damaged: dict[Path, bytes] = {}

    def inject(self, fault: Fault) -> bool:
        """Do it. False if there was nothing to do it to."""
        return self._actions[fault.kind](self, random.Random(fault.seed))

    def _kill(self, part: str, rng: random.Random) -> bool:
        pids = self._stack.pids(part)
        # Of the children one; of Postgres the parent alone, as an administrator's slip would.
        victims = [rng.choice(pids)] if part == "child" and pids else pids[:1] if part == "postgres" else pids
        send(victims, signal.SIGKILL)
        return bool(victims)

    def _freeze(self, part: str) -> bool:
        pids = self._stack.pids(part)
        freeze(pids, FREEZE_SECONDS)
        return bool(pids)

    def _flush_broker(self) -> bool:
        try:
            with connect(self._stack.broker_url) as client:
                return bool(client.flushall())
        except redis.RedisError:
            return False

    def _lose_broker(self) -> bool:
        send(self._stack.pids("broker"), signal.SIGKILL)
        for path in self._stack.broker_data:
            shutil.rmtree(path, ignore_errors=True)
        return True

    def _damage(self, spoil: Callable[[bytes, random.Random], bytes], rng: random.Random) -> bool:
        """Spoil the checkpoint that a running run would resume from, and kill the children, so that it has to."""
        workers = self._stack.pids("worker")
        send(workers, signal.SIGSTOP)
        try:
            digests = self._newest_checkpoints(rng)
            for digest in digests:
                path = self._stack.artifacts / digest[:2] / digest[2:]
                self.damaged.setdefault(path, path.read_bytes())
                path.write_bytes(spoil(self.damaged[path], rng))
            if digests:
                send(self._stack.pids("child"), signal.SIGKILL)
        finally:
            send(workers, signal.SIGCONT)
        return bool(digests)

    def _newest_checkpoints(self, rng: random.Random) -> list[str]:
        engine = open_database(self._stack.database_url)
        with reading(session_factory(engine)) as session:
            running = session.query(Run.id, Run.checkpoint_step).where(Run.state == "running", Run.checkpoint_step.is_not(None)).all()
            kind = rng.choice(["weights", "state"])
            chosen = [
                session.query(RunFile.sha256).where(RunFile.run_id == run, RunFile.step == step, RunFile.kind == kind).scalar()
                for run, step in running[:1]
            ]
        engine.dispose()
        return [digest for digest in chosen if digest]

    def _order_store(self, order: str) -> bool:
        give_order(self._stack.store_order, order)
        time.sleep(STORE_SECONDS)
        self._stack.store_order.unlink()
        return True

    def _step_clock(self, which: str, rng: random.Random) -> bool:
        """Set a clock an hour off, or right again; it stays so."""
        step = self._steps[which] = rng.choice([step for step in CLOCK_STEPS if step != self._steps[which]])
        if which == "host":
            give_order(self._stack.host_clock_order, str(step))
        else:
            self._stack.step_database_clock(step)
        return True

    def _hold_connections(self) -> bool:
        self._stack.hold_connections(CONNECTIONS_SECONDS)
        return True

    def _fill_disk(self, folder: Path | None) -> bool:
        assert folder is not None, "a plan for a stack without such a disk leaves this kind out"
        filler = folder / "filler"
        try:
            with filler.open("wb", buffering=0) as file:
                _write_until_full(file.fileno())
                time.sleep(DISK_SECONDS)
        finally:
            filler.unlink()
        return True

    _actions: dict[Kind, Callable[["Saboteur", random.Random], bool]] = {  # noqa: RUF012 - a table, never changed
        Kind.KILL_WORKER: lambda self, rng: self._kill("worker", rng),
        Kind.KILL_CHILD: lambda self, rng: self._kill("child", rng),
        Kind.KILL_API: lambda self, rng: self._kill("api", rng),
        Kind.KILL_RECONCILER: lambda self, rng: self._kill("reconciler", rng),
        Kind.KILL_BROKER: lambda self, rng: self._kill("broker", rng),
        Kind.KILL_SUPERVISOR: lambda self, rng: self._kill("supervisor", rng),
        Kind.KILL_POSTGRES: lambda self, rng: self._kill("postgres", rng),
        Kind.FREEZE_WORKER: lambda self, rng: self._freeze("worker"),
        Kind.FREEZE_CHILD: lambda self, rng: self._freeze("child"),
        Kind.FREEZE_API: lambda self, rng: self._freeze("api"),
        Kind.FREEZE_RECONCILER: lambda self, rng: self._freeze("reconciler"),
        Kind.FREEZE_BROKER: lambda self, rng: self._freeze("broker"),
        Kind.FREEZE_SUPERVISOR: lambda self, rng: self._freeze("supervisor"),
        Kind.FREEZE_POSTGRES: lambda self, rng: self._freeze("postgres"),
        Kind.FLUSH_BROKER: lambda self, rng: self._flush_broker(),
        Kind.LOSE_BROKER: lambda self, rng: self._lose_broker(),
        Kind.TRUNCATE: lambda self, rng: self._damage(_truncated, rng),
        Kind.FLIP: lambda self, rng: self._damage(_flipped, rng),
        Kind.STORE_ERROR: lambda self, rng: self._order_store("error"),
        Kind.STORE_STALL: lambda self, rng: self._order_store("stall"),
        Kind.DISK_FULL: lambda self, rng: self._fill_disk(self._stack.home),
        Kind.POSTGRES_DISK_FULL: lambda self, rng: self._fill_disk(self._stack.database_disk),
        Kind.CONNECTIONS: lambda self, rng: self._hold_connections(),
        Kind.HOST_CLOCK: lambda self, rng: self._step_clock("host", rng),
        Kind.DATABASE_CLOCK: lambda self, rng: self._step_clock("database", rng),
    }


def _truncated(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _flipped(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :]


def _write_until_full(file: int) -> None:
    block = bytes(1 << 16)
    while block:
        try:
            os.write(file, block)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            block = block[: len(block) // 2]
