"""A campaign: launch the runs, carry out the plan, wait for the end, and keep count."""

import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from backend.storage.database import db_now, open_database, session_factory
from backend.storage.reading import reading
from backend.storage.tables import Run
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate
from tauscope.contracts.runs import TERMINAL_STATES
from tests.chaos.faults import Saboteur
from tests.chaos.judge import PRESET
from tests.chaos.plan import Fault, Kind
from tests.chaos.stacks import SLOTS, ClusterStack, EmbeddedStack

RECOVERY_SECONDS = 60.0
POLL_SECONDS = 0.1


@dataclass
class Tally:
    """Seconds from the beginning of each fault until the service worked again, by kind."""

    seed: int
    experiments: int = 0
    recoveries: dict[Kind, list[float]] = field(default_factory=dict)
    skipped: dict[Kind, int] = field(default_factory=dict)
    lost_attempts: int = 0
    rewound_steps: int = 0
    unread_damage: int = 0
    seconds: float = 0.0

    @property
    def faults(self) -> int:
        return sum(len(times) for times in self.recoveries.values())

    def table(self, title: str) -> str:
        """The report."""
        times = [seconds for found in self.recoveries.values() for seconds in found]
        lines = [
            f"{title}, seed {self.seed}: {self.faults} faults in {self.seconds:.0f} s on {self.experiments} sweeps",
            "",
            "fault                     times  median s  worst s",
        ]
        rows = sorted(self.recoveries.items())
        lines += [f"{kind:<25} {len(found):>5}  {statistics.median(found):>8.1f}  {max(found):>7.1f}" for kind, found in rows if found]
        if times:
            lines += [f"{'all':<25} {len(times):>5}  {statistics.median(times):>8.1f}  {max(times):>7.1f}"]
        lines += ["", f"attempts lost or in trouble: {self.lost_attempts}; steps trained again: {self.rewound_steps}"]
        lines += [f"damaged files that no resume read (put back at the end): {self.unread_damage}"]
        lines += [f"not done for want of a victim: {kind} {count}" for kind, count in sorted(self.skipped.items())]
        return "\n".join(lines)


class Campaign:
    """One stack, its runs, and what is done to them."""

    def __init__(self, stack: EmbeddedStack | ClusterStack, seed: int) -> None:
        self.stack = stack
        self.tally = Tally(seed)
        self.saboteur = Saboteur(stack, seed)
        self._engine = open_database(stack.database_url)
        self.sessions = session_factory(self._engine)

    def attack(self, plan: Sequence[Fault], settings: dict[str, Any]) -> None:
        """Carry out faults one after another, each once the service recovered from the last; launch the runs, again when they are over."""
        self._launch(settings)
        for fault in plan:
            self._rest(fault.gap)
            if self.over:
                self._launch(settings)
            self._carry_out(fault)

    def _launch(self, settings: dict[str, Any]) -> None:
        with TauscopeClient(self.stack.url) as client:
            client.launch(ExperimentCreate(preset=PRESET, settings=settings))
        self.tally.experiments += 1
        self._wait(lambda: self._held(0.0) > 0, "the first run")

    def finish(self, seconds: float) -> None:
        """Wait until every run has ended."""
        self._wait(lambda: self.over, "the end of every run", seconds)

    def close(self) -> None:
        self._engine.dispose()

    def restore_unread(self, files: dict[Path, bytes]) -> None:
        """Put back damaged files that no resume had to read, because a newer checkpoint came first."""
        for path, whole in files.items():
            if path.exists() and path.read_bytes() != whole:
                self.tally.unread_damage += 1
                path.write_bytes(whole)

    @property
    def over(self) -> bool:
        """Whether every run has ended; False while the database cannot be asked."""
        with suppress(SQLAlchemyError), reading(self.sessions) as session:
            return all(state in TERMINAL_STATES for (state,) in session.query(Run.state).all())
        return False

    @property
    def outcomes(self) -> list[tuple[str, str, str]]:
        with reading(self.sessions) as session:
            return [(run.label, run.state, run.reason) for run in session.query(Run).all()]

    def _carry_out(self, fault: Fault) -> None:
        started = time.monotonic()
        if not self.saboteur.inject(fault.kind):
            self.tally.skipped[fault.kind] = self.tally.skipped.get(fault.kind, 0) + 1
            return
        self._engine.dispose()  # Connections of a killed server say so only when they are used.
        since = self._await_now()
        self._wait(lambda: self._recovered(since), f"recovery from {fault.kind!r}", RECOVERY_SECONDS)
        self.tally.recoveries.setdefault(fault.kind, []).append(time.monotonic() - started)

    def _recovered(self, since: float) -> bool:
        """The API is ready, and as many runs as there are slots, or all that are left, were flushed after the fault."""
        return self.stack.ready and (self.over or self._held(since) >= min(SLOTS, self._unfinished()))

    def _held(self, since: float) -> int:
        with suppress(SQLAlchemyError), reading(self.sessions) as session:
            return session.query(Run).where(Run.state == "running", Run.updated_at > since, Run.lease_until > db_now()).count()
        return 0

    def _unfinished(self) -> int:
        with suppress(SQLAlchemyError), reading(self.sessions) as session:
            return session.query(Run).where(Run.state.in_(["queued", "running"])).count()
        return SLOTS

    def _await_now(self) -> float:
        now: list[float] = []

        def ask() -> bool:
            with suppress(SQLAlchemyError), reading(self.sessions) as session:
                now.append(session.query(db_now()).scalar() or 0.0)
            return bool(now)

        self._wait(ask, "an answer of the database", RECOVERY_SECONDS)
        return now[0]

    def _rest(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.stack.tend()
            time.sleep(min(POLL_SECONDS, seconds))

    def _wait(self, condition: Any, what: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self.stack.tend()
            assert time.monotonic() < deadline, f"{what} did not come in {seconds:.0f} s (seed {self.tally.seed}); {self.outcomes}"
            time.sleep(POLL_SECONDS)
