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
from tests.chaos.plan import Kind
from tests.chaos.processes import freeze, send
from tests.chaos.stacks import LEASE_SECONDS, Stack

FREEZE_SECONDS = 1.4 * LEASE_SECONDS
STORE_SECONDS = 4.0
DISK_SECONDS = 2.5


class Target(Protocol):
    """A stack as faults see it."""

    home: Path
    control: Path
    artifacts: Path
    database_url: str

    def pids(self, part: str) -> list[int]: ...

    @property
    def broker_url(self) -> str: ...

    @property
    def broker_data(self) -> list[Path]: ...


class Saboteur:
    """Carries out faults; ``damaged`` remembers the whole bytes of every file it spoilt."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self._stack: Target = stack  # type: ignore[assignment]
        self._rng = random.Random(seed)
        self.damaged: dict[Path, bytes] = {}

    def inject(self, kind: Kind) -> bool:
        """Do it. False if there was nothing to do it to."""
        return self._actions[kind](self)

    def _kill(self, part: str) -> bool:
        pids = self._stack.pids(part)
        # Of the children one; of Postgres the parent alone, as an administrator's slip would.
        victims = [self._rng.choice(pids)] if part == "child" and pids else pids[:1] if part == "postgres" else pids
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
        self._kill("broker")
        for path in self._stack.broker_data:
            shutil.rmtree(path, ignore_errors=True)
        return True

    def _damage(self, spoil: Callable[[bytes], bytes]) -> bool:
        """Spoil the checkpoint that a running run would resume from, and kill the children, so that it has to."""
        workers = self._stack.pids("worker")
        send(workers, signal.SIGSTOP)
        try:
            digests = self._newest_checkpoints()
            for digest in digests:
                path = self._stack.artifacts / digest[:2] / digest[2:]
                self.damaged.setdefault(path, path.read_bytes())
                path.write_bytes(spoil(self.damaged[path]))
            send(self._stack.pids("child"), signal.SIGKILL)
        finally:
            send(workers, signal.SIGCONT)
        return bool(digests)

    def _newest_checkpoints(self) -> list[str]:
        engine = open_database(self._stack.database_url)
        with reading(session_factory(engine)) as session:
            running = session.query(Run.id, Run.checkpoint_step).where(Run.state == "running", Run.checkpoint_step.is_not(None)).all()
            kind = self._rng.choice(["weights", "state"])
            chosen = [
                session.query(RunFile.sha256).where(RunFile.run_id == run, RunFile.step == step, RunFile.kind == kind).scalar()
                for run, step in running[:1]
            ]
        engine.dispose()
        return [digest for digest in chosen if digest]

    def _truncated(self, data: bytes) -> bytes:
        return data[: self._rng.randrange(len(data))]

    def _flipped(self, data: bytes) -> bytes:
        place = self._rng.randrange(len(data))
        return data[:place] + bytes([data[place] ^ (1 << self._rng.randrange(8))]) + data[place + 1 :]

    def _order_store(self, order: str) -> bool:
        self._stack.control.write_text(order)
        time.sleep(STORE_SECONDS)
        self._stack.control.unlink()
        return True

    def _fill_disk(self) -> bool:
        filler = self._stack.home / "filler"
        try:
            with filler.open("wb", buffering=0) as file:
                _write_until_full(file.fileno())
                time.sleep(DISK_SECONDS)
        finally:
            filler.unlink()
        return True

    _actions: dict[Kind, Callable[["Saboteur"], bool]] = {  # noqa: RUF012 - a table, never changed
        Kind.KILL_WORKER: lambda self: self._kill("worker"),
        Kind.KILL_CHILD: lambda self: self._kill("child"),
        Kind.KILL_API: lambda self: self._kill("api"),
        Kind.KILL_RECONCILER: lambda self: self._kill("reconciler"),
        Kind.KILL_BROKER: lambda self: self._kill("broker"),
        Kind.KILL_SUPERVISOR: lambda self: self._kill("supervisor"),
        Kind.KILL_POSTGRES: lambda self: self._kill("postgres"),
        Kind.FREEZE_WORKER: lambda self: self._freeze("worker"),
        Kind.FREEZE_CHILD: lambda self: self._freeze("child"),
        Kind.FREEZE_API: lambda self: self._freeze("api"),
        Kind.FREEZE_RECONCILER: lambda self: self._freeze("reconciler"),
        Kind.FREEZE_BROKER: lambda self: self._freeze("broker"),
        Kind.FREEZE_SUPERVISOR: lambda self: self._freeze("supervisor"),
        Kind.FREEZE_POSTGRES: lambda self: self._freeze("postgres"),
        Kind.FLUSH_BROKER: lambda self: self._flush_broker(),
        Kind.LOSE_BROKER: lambda self: self._lose_broker(),
        Kind.TRUNCATE: lambda self: self._damage(self._truncated),
        Kind.FLIP: lambda self: self._damage(self._flipped),
        Kind.STORE_ERROR: lambda self: self._order_store("error"),
        Kind.STORE_STALL: lambda self: self._order_store("stall"),
        Kind.DISK_FULL: lambda self: self._fill_disk(),
    }


def _write_until_full(file: int) -> None:
    block = bytes(1 << 16)
    while block:
        try:
            os.write(file, block)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            block = block[: len(block) // 2]
